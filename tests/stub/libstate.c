/* A library with everything that a restored process must have again. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int dep_value(void);

static int starts, calls;
static __thread int per_thread = 10;
static __attribute__((tls_model("initial-exec"))) __thread int quick = 20;
static void *(*kept)(void *, const void *, size_t) = memcpy;
static FILE **const stream = &stdout;
static char *text;

__attribute__((constructor)) static void start(void)
{
    starts++;
    text = malloc(8);
}

int constructed(void) { return starts; }
int count(void) { return ++calls; }
int thread_count(void) { return ++per_thread; }
int quick_count(void) { return ++quick; }
int outside_function(void) { return (int)pow(2, dep_value()); }
int outside_data(void) { return fputs("", *stream) >= 0; }

int through_pointer(void)
{
    kept(text, "abc", 4);
    return (int)strlen(text);
}

static int chosen_one(void) { return 111; }
static int (*choose(void))(void) { return chosen_one; }
int chosen(void) __attribute__((ifunc("choose")));
int resolved(void) { return chosen(); }

