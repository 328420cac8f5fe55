/* A library beside a package: what others need, and what is its own in every thread. */
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string>

struct Problem : std::runtime_error {
    using std::runtime_error::runtime_error;
};

namespace {
struct Life {
    Life() { std::puts("dep starts"); }
    ~Life() { std::puts("dep ends"); std::fflush(stdout); }
} life;
std::once_flag flag;
int calls;
thread_local std::string text = "fresh";
}

extern "C" void dep_throw(const char *what) { throw Problem(what); }

extern "C" void dep_call(void (*function)())
{
    std::string lives_meanwhile("and is destroyed when the exception passes");
    function();
}

extern "C" int dep_once()
{
    std::call_once(flag, [] { calls++; });
    return calls;
}

extern "C" const char *dep_text(const char *value)
{
    if (value)
        text = value;
    return text.c_str();
}
