/* What an extension module's library does that a loader has to get right. */
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

struct Problem : std::runtime_error {
    using std::runtime_error::runtime_error;
};

extern "C" void dep_throw(const char *what);
extern "C" void dep_call(void (*function)());

namespace {
struct Life {
    Life() { std::puts("main starts"); }
    ~Life() { std::puts("main ends"); std::fflush(stdout); }
} life;

__attribute__((tls_model("initial-exec"))) __thread int quick = 77;
int cleaned;

struct Cleaner {
    ~Cleaner() { cleaned = 1; }
};

void *run_for_ever(void *)
{
    Cleaner cleaner;
    for (;;)
        usleep(1000);
}

int chosen_one() { return 111; }
}

extern "C" {

/* An exception of this library's type that another one throws passes the frames of both. */
int catch_across(char *to)
{
    try {
        dep_call([] { dep_throw("across"); });
    } catch (const Problem &problem) {
        std::strcpy(to, problem.what());
        return 1;
    }
    return 0;
}

int next_quick() { return quick++; }

static int (*choose())() { return chosen_one; }
int chosen() __attribute__((ifunc("choose")));
int call_chosen() { return chosen(); }

/* -1 when there is no library of this name in DT_RUNPATH. */
int call_by_name(const char *name)
{
    void *handle = dlopen(name, RTLD_NOW);
    int (*lazy)() = handle ? reinterpret_cast<int (*)()>(dlsym(handle, "lazy")) : nullptr;
    return lazy ? lazy() : -1;
}

/* Whether a cancelled thread's objects are destroyed. */
int cancel()
{
    pthread_t thread;
    pthread_create(&thread, nullptr, run_for_ever, nullptr);
    usleep(20000);
    pthread_cancel(thread);
    pthread_join(thread, nullptr);
    return cleaned;
}

void *by_default() { return dlsym(RTLD_DEFAULT, "dep_once"); }
void *by_next() { return dlsym(RTLD_NEXT, "dep_once"); }
}
