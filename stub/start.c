#include "start.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "paths.h"
#include "say.h"
#include "stub.h"

static const char SWITCH[] = "COACHWHIP_INTERPRETER";

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Started through sys.executable, or through a link called like an interpreter. */
static bool named_python(const char *argv0)
{
    if (strncmp(argv0, CW_PYTHON, strlen(CW_PYTHON)) == 0)
        return true;
    const char *name = base_name(argv0);
    return strcmp(name, "python") == 0 || fnmatch("python3*", name, 0) == 0;
}

/* The helper processes of multiprocessing, which even a product that is no interpreter must be able to
 * start: `python [options] -c "from multiprocessing.… import …" …`. */
static bool is_multiprocessing(int argc, char **argv)
{
    static const char head[] = "from multiprocessing.";
    for (int n = 1; n + 1 < argc && argv[n][0] == '-'; n++)
        if (strcmp(argv[n], "-c") == 0)
            return strncmp(argv[n + 1], head, sizeof head - 1) == 0;
    return false;
}

struct cw_start cw_start_of(int argc, char **argv)
{
    struct cw_start start = {.argc = argc, .argv = argv};
    const char *wish = getenv(SWITCH);
    bool asked = wish && *wish && strcmp(wish, "0") != 0;
    bool named = cw_paths_reentered() || (argc > 0 && named_python(argv[0]));
    if (wish)
        unsetenv(SWITCH);
    /* The caller of a setuid program chooses its environment and its name: an interpreter would be a shell
     * with the owner's rights. To start as the app instead would be an endless loop for multiprocessing. */
    if (getauxval(AT_SECURE) && named)
        cw_die(CW_EXIT_START, cw_self_path(), "a setuid program does not act as a Python interpreter");
    if (getauxval(AT_SECURE))
        return start;
    if (cw_image.settings->flags & CW_INTERPRETER)
        start.interpreter = asked || named;
    else
        start.interpreter = named && is_multiprocessing(argc, argv);
    return start;
}
