#include "start.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "paths.h"
#include "say.h"
#include "stub.h"

#include "live.h"

static const char SWITCH[] = "COACHWHIP_INTERPRETER";

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "python", "python3", "python3.13", but not "python3-tool", which may be an app. */
static bool is_python(const char *path)
{
    static const char stem[] = "python";
    const char *name = base_name(path);
    if (strncmp(name, stem, sizeof stem - 1) != 0)
        return false;
    name += sizeof stem - 1;
    return name[strspn(name, "0123456789.")] == '\0';
}

/* Started through sys.executable, or through a link called like an interpreter, whatever argv[0] is then. */
static bool named_python(int argc, char **argv)
{
    const char *started = (const char *)getauxval(AT_EXECFN);
    return (started && is_python(started)) || (argc > 0 && is_python(argv[0]));
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

/* How many arguments an option of python(1) takes up, itself included; 0 when what runs follows it. */
static int option_size(const char *option)
{
    if (option[1] == '-')
        return strcmp(option, "--check-hash-based-pycs") == 0 ? 2 : 1;
    const char *letter = option + strcspn(option, "XWcm");
    if (*letter == 'c' || *letter == 'm')
        return 0;
    return *letter && !letter[1] ? 2 : 1;
}

/* Index of the script in arguments of python(1); 0 when they name none. */
static int script_index(int argc, char **argv)
{
    int n = 1;
    while (n < argc && argv[n][0] == '-') {
        int size = argv[n][1] ? option_size(argv[n]) : 0;
        if (size == 0)
            return 0;
        bool last = strcmp(argv[n], "--") == 0;
        n += size;
        if (last)
            break;
    }
    return n < argc ? n : 0;
}

static bool is_self(const char *path)
{
    struct stat here, self;
    if (strncmp(path, CW_ROOT "/", sizeof CW_ROOT) == 0)
        return false;
    return stat(path, &here) == 0 && stat(cw_self_path(), &self) == 0 && here.st_dev == self.st_dev
        && here.st_ino == self.st_ino;
}

/* Programs start themselves again as `[sys.executable, *sys.argv]`, as reloading servers do. The script that they
 * name is then the product, which is no text of Python's: it is the app that is meant. */
static bool again_as_app(struct cw_start *start)
{
    int script = script_index(start->argc, start->argv);
    if (script == 0 || !is_self(start->argv[script]))
        return false;
    start->argc -= script;
    start->argv += script;
    return true;
}

/* A script's argv[0] is the path that it was found at, also when the shell found it on PATH. */
static void set_argv0(struct cw_start *start)
{
    char *path = (char *)getauxval(AT_EXECFN);
    if (start->argc > 0 && *start->argv[0] && !strchr(start->argv[0], '/') && path && is_self(path))
        start->argv[0] = path;
}

struct cw_start cw_start_of(int argc, char **argv)
{
    struct cw_start start = {.argc = argc, .argv = argv};
    const char *wish = getenv(SWITCH);
    bool asked = wish && *wish && strcmp(wish, "0") != 0;
    bool named = cw_paths_reentered() || named_python(argc, argv);
    if (wish)
        unsetenv(SWITCH);
    /* The caller of a setuid program chooses its environment and its name: an interpreter would be a shell
     * with the owner's rights. To start as the app instead would be an endless loop for multiprocessing. */
    if (getauxval(AT_SECURE) && named)
        cw_die(CW_EXIT_START, cw_self_path(), "a setuid program does not act as a Python interpreter");
    if (getauxval(AT_SECURE))
        return start;
    if ((asked || named) && again_as_app(&start))
        return start;
    if (cw_image.settings->flags & CW_INTERPRETER)
        start.interpreter = asked || named;
    else
        start.interpreter = named && is_multiprocessing(argc, argv);
    if (!start.interpreter)
        set_argv0(&start);
    return start;
}
