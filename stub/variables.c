#include "variables.h"

#include <pthread.h>
#include <string.h>

#include "live.h"

static struct {
    bool wanted;
    size_t size;
    char text[16384];
} names;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void cw_variables_note(const char *name)
{
    if (!names.wanted || !name)
        return;
    pthread_mutex_lock(&lock);
    size_t size = strlen(name);
    if (size + 2 <= sizeof names.text - names.size) {
        memcpy(names.text + names.size, name, size);
        names.size += size;
        names.text[names.size++] = '\n';
    }
    pthread_mutex_unlock(&lock);
}

bool cw_variables_are_watched(void)
{
    return names.wanted;
}

void cw_variables_watch(void)
{
    names.wanted = true;
}

const char *cw_variables_take(void)
{
    names.text[names.size] = '\0';
    names.size = 0;
    return names.text;
}
