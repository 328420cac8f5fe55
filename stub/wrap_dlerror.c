#define _GNU_SOURCE 1
#include "dl_error.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "next.h"

CW_NEXT(dlerror, char *, void)

/* dlsym, by which the next definitions are looked up, drops the message that dlerror is to give: so dlerror's is
 * looked up before anything can fail. */
__attribute__((constructor)) static void look_up_dlerror(void)
{
    (void)next_dlerror();
}

enum { LONGEST_MESSAGE = 2048 };

/* What the next dlerror() is to say in this thread. */
static _Thread_local struct {
    bool pending;
    char text[LONGEST_MESSAGE];
} message;

void *cw_dl_fail(const char *path, const char *why, const char *more, const char *last)
{
    const char *parts[] = {path, why, more, last};
    size_t at = 0;
    for (size_t n = 0; n < sizeof parts / sizeof *parts; n++) {
        size_t size = strlen(parts[n]);
        if (size > LONGEST_MESSAGE - 1 - at)
            size = LONGEST_MESSAGE - 1 - at;
        memcpy(message.text + at, parts[n], size);
        at += size;
    }
    message.text[at] = '\0';
    message.pending = true;
    return NULL;
}

void cw_dl_forget(void)
{
    message.pending = false;
}

char *cw_dlerror(void) CW_EXPORT(dlerror);
char *cw_dlerror(void)
{
    char *theirs = next_dlerror()();
    if (!message.pending)
        return theirs;
    message.pending = false;
    return message.text;
}
