#define _GNU_SOURCE 1
#include "gates.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "again.h"
#include "bake.h"
#include "image.h"
#include "instrumented.h"
#include "snapshot.h"
#include "stub.h"

#include "live.h"

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value && strcmp(value, "0") != 0;
}

bool cw_snapshot_wants_reason(void)
{
    return is_set("COACHWHIP_WHY");
}

bool cw_snapshot_only_of_machine(void)
{
    const char *wish = getenv("COACHWHIP_SNAPSHOT");
    return wish && strcmp(wish, "machine") == 0;
}

static bool has_python_variable(void)
{
    static const char prefix[] = "PYTHON";
    for (char **entry = environ; entry && *entry; entry++)
        if (strncmp(*entry, prefix, sizeof prefix - 1) == 0)
            return true;
    return false;
}

/* File names and texts are taken for UTF-8, as they were when the snapshot was made: by the locale's rule, or because
 * it is the one without any. */
static bool is_utf8(void)
{
    const char *name = setlocale(LC_CTYPE, "");
    if (!name)
        name = setlocale(LC_CTYPE, NULL); /* a locale that this machine does not have counts as "C" */
    if (strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0)
        return true;
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int cw_chosen_utf8_mode(void)
{
    int mode = -1;
    struct cw_text option;
    for (uint32_t n = 0; (option = cw_image_item(&cw_image, cw_image.settings->xoptions, n)).data; n++)
        if (strcmp(option.data, "utf8") == 0 || strcmp(option.data, "utf8=1") == 0)
            mode = 1;
        else if (strcmp(option.data, "utf8=0") == 0)
            mode = 0;
    return mode;
}

const char *cw_snapshot_obstacle(const struct cw_start *start)
{
    const char *wish = getenv("COACHWHIP_SNAPSHOT");
    if (cw_again_reason())
        return cw_again_reason();
    if (cw_image_snapshot(&cw_image).size == 0)
        return cw_no_snapshot;
    if (wish && strcmp(wish, "0") == 0)
        return "COACHWHIP_SNAPSHOT=0";
    if (start->interpreter)
        return "it acts as a Python interpreter";
    if (cw_bake_plan())
        return "a new one is made";
    if ((cw_image.settings->flags & CW_ENVIRONMENT) && has_python_variable())
        return "the environment has settings for Python";
    if (cw_chosen_utf8_mode() == 0)
        return "UTF-8 mode is switched off";
    if (cw_malloc_is_replaced())
        return "a tool has replaced its malloc";
    if (!is_utf8())
        return "the locale's encoding is not UTF-8";
    return NULL;
}
