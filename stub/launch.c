#define _GNU_SOURCE 1
#include "launch.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

#include "paths.h"
#include "stub.h"
#include "sys.h"
#include "wrap.h"

#include "live.h"

/* Texts up to SMALL are put on the stack; more gets memory of its own, which a successful exec in a child of
 * vfork() leaves behind in the parent. */
enum { SMALL = 16 * 1024, LARGE = 4 * 1024 * 1024, HEAD = 256 };

struct plan {
    struct cw_launch result;
    struct cw_arena arena;
    int memory;  /* descriptor of a program in memory, or -1 */
    bool itself; /* the program is this executable: our paths mean the same to it */
    char program[PATH_MAX + sizeof CW_REENTRY];
    struct cw_path at;
};

/* Without /proc, and for a program that is an argument of the loader, what lies where it was started from is taken for
 * it. */
static bool is_itself(const char *path)
{
    struct stat named, running;
    bool by_loader = getauxval(AT_BASE) == 0;
    bool known = (!by_loader && sys_fstatat(AT_FDCWD, "/proc/self/exe", &running, 0) == 0) ||
                 sys_fstatat(AT_FDCWD, cw_self_path(), &running, 0) == 0;
    return known && sys_fstatat(AT_FDCWD, path, &named, 0) == 0 && named.st_ino == running.st_ino &&
           named.st_dev == running.st_dev;
}

/* The executable, by its own path as long as that is the same file: tools show its name then. */
static void choose_self(struct plan *plan)
{
    const char *path = cw_self_path();
    bool same = path[0] == '/' && strlen(path) < PATH_MAX && is_itself(path);
    strcpy(plan->program, CW_REENTRY);
    strcat(plan->program, same ? path : "/proc/self/exe");
    plan->result.program = plan->program;
    plan->itself = true;
}

/* Whether a file that starts like this is a script for our interpreter. */
static bool is_python_script(const char *head)
{
    static const char python[] = CW_ROOT "/bin/python";
    return strncmp(head, "#!", 2) == 0 &&
           strncmp(head + 2 + strspn(head + 2, " \t"), python, sizeof python - 1) == 0;
}

static void read_head(const char *real, char head[HEAD])
{
    int fd = sys_openat(AT_FDCWD, real, O_RDONLY | O_CLOEXEC, 0);
    ssize_t size = fd < 0 ? 0 : read(fd, head, HEAD - 1);
    sys_close(fd);
    head[size < 0 ? 0 : size] = '\0';
}

/* `python SCRIPT ...`, as the kernel would make it of the first line. */
static int choose_script(struct plan *plan, char *const *argv)
{
    size_t count = 0;
    while (argv && argv[count])
        count++;
    const char **list = cw_arena_take(&plan->arena, (count + 3) * sizeof *list);
    char *script = cw_arena_take(&plan->arena, sizeof CW_ROOT + plan->at.size + 1);
    if (!list || !script)
        return -E2BIG;
    strcpy(script, CW_ROOT "/");
    strcat(script, plan->at.below);
    list[0] = CW_PYTHON;
    list[1] = script;
    for (size_t n = 1; n < count; n++)
        list[n + 1] = argv[n];
    list[count ? count + 1 : 2] = NULL;
    plan->result.argv = (char *const *)(uintptr_t)list;
    choose_self(plan);
    return 0;
}

/* Where no file can be executed, a copy in memory can. */
static int choose_memory(struct plan *plan, const char *head)
{
    plan->memory = cw_memory_file(plan->at.node, true);
    if (plan->memory < 0)
        return plan->memory;
    if (strncmp(head, "#!", 2) == 0)
        (void)fcntl(plan->memory, F_SETFD, 0); /* the script's interpreter opens it by this name */
    sys_fd_link(plan->program, plan->memory);
    plan->result.program = plan->program;
    return 0;
}

static int choose_file(struct plan *plan, char *const *argv)
{
    const struct cw_node *node = plan->at.node;
    bool runs = false;
    char head[HEAD] = "";
    if (node->kind == CW_DIRECTORY || !(node->flags & (CW_EXECUTABLE | CW_NATIVE)))
        return -EACCES;
    int result = cw_unpack_for_program(node, CW_ONE, plan->program, &runs);
    if (result == 0) {
        read_head(plan->program, head);
        plan->result.program = plan->program;
    }
    if (is_python_script(head))
        return choose_script(plan, argv);
    return result == 0 && runs ? 0 : choose_memory(plan, head);
}

static bool may_lie_here(const char *program)
{
    return program && program[0] && program[0] != '/' && cw_paths_any_unpacked();
}

/* Looks at a relative path from the working directory; there is nothing to say unless that is an unpacked one. */
static void look_here(struct plan *plan, const char *program)
{
    char *whole = plan->program;
    long size = syscall(SYS_getcwd, whole, PATH_MAX);
    plan->at.place = CW_MISSING;
    plan->at.unpacked = true;
    if (size <= 0 || (size_t)size + strlen(program) + 1 > PATH_MAX || !cw_paths_below_unpacked(whole))
        return;
    whole[size - 1] = '/';
    strcpy(whole + size, program);
    cw_path_look(&plan->at, whole);
    if (plan->at.place == CW_ELSEWHERE)
        plan->at.real = program;
}

static int choose(struct plan *plan, const struct cw_launch *asked)
{
    plan->result = *asked;
    if (cw_maybe_ours(asked->program))
        cw_path_look(&plan->at, asked->program);
    else if (may_lie_here(asked->program))
        look_here(plan, asked->program);
    else
        return 0;
    if (plan->at.place == CW_ELSEWHERE)
        plan->result.program = plan->at.real;
    if (plan->at.place == CW_MISSING && !plan->at.unpacked)
        return -plan->at.fault;
    if (plan->at.place == CW_FOUND)
        return choose_file(plan, asked->argv);
    if (plan->at.place == CW_SELF)
        choose_self(plan);
    return 0;
}

static int rewrite(struct plan *plan)
{
    struct cw_launch *result = &plan->result;
    if (plan->itself || !(cw_names_ours(result->argv) || cw_names_ours(result->envp)))
        return 0;
    if (is_itself(result->program))
        return 0;
    result->argv = cw_rewrite_all(&plan->arena, result->argv);
    result->envp = cw_rewrite_all(&plan->arena, result->envp);
    return plan->arena.full ? -E2BIG : 0;
}

/* A program that was unpacked a moment ago may still be open for writing in a child that another thread has
 * forked and that has not executed anything yet. */
static int run_patiently(struct plan *plan, cw_runner *run, void *context)
{
    enum { TRIES = 20 };
    struct timespec pause = {.tv_nsec = 5000000};
    int result = run(&plan->result, context);
    for (int n = 0; n < TRIES && result == -ETXTBSY && plan->result.program == plan->program; n++) {
        nanosleep(&pause, NULL);
        result = run(&plan->result, context);
    }
    return result;
}

/* -E2BIG when `size` bytes at `memory` are not enough. */
static __attribute__((noinline)) int launch_with(char *memory, size_t size, const struct cw_launch *asked,
                                                 cw_runner *run, void *context)
{
    struct plan plan = {.arena = {.at = memory, .left = size}, .memory = -1};
    int result = choose(&plan, asked);
    if (result == 0)
        result = rewrite(&plan);
    if (result == 0)
        result = run_patiently(&plan, run, context);
    sys_close(plan.memory);
    return result;
}

static __attribute__((noinline)) int launch_small(const struct cw_launch *asked, cw_runner *run, void *context)
{
    char memory[SMALL];
    return launch_with(memory, sizeof memory, asked, run, context);
}

int cw_launch(const struct cw_launch *asked, cw_runner *run, void *context)
{
    bool ours = cw_maybe_ours(asked->program) || may_lie_here(asked->program);
    if (!ours && !cw_names_ours(asked->argv) && !cw_names_ours(asked->envp))
        return run(asked, context);
    int result = launch_small(asked, run, context);
    if (result != -E2BIG)
        return result;
    void *memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    result = launch_with(memory, LARGE, asked, run, context);
    munmap(memory, LARGE);
    return result;
}

const char *cw_search(const char *file, char room[PATH_MAX])
{
    const char *from = getenv("PATH");
    size_t name = strlen(file);
    if (!from || !*file || strchr(file, '/'))
        return file;
    for (;; from++) {
        size_t size = strcspn(from, ":");
        if (size && size + name + 2 <= PATH_MAX) {
            memcpy(room, from, size);
            room[size] = '/';
            memcpy(room + size + 1, file, name + 1);
            if (access(room, X_OK) == 0)
                return room;
        }
        from += size;
        if (!*from)
            return file;
    }
}
