/* Tries the heap out. Its first argument says how; it ends with 0, or a message and 1 at the first thing that is wrong.
 *
 *   random SEED ROUNDS    allocations of all kinds in one thread against a model, and the blocks' order
 *   threads SEED ROUNDS   several threads that free each other's blocks, and forks in between
 *   promises              what the standard says about corner cases
 *   misuse WHICH          is meant to be ended by the heap
 *   memory                freed memory goes back to the kernel
 *   limit                 there is a limit on address space
 *   occupied              the region can't grow where it is
 *   saved                 it goes on after it has been made ready to be saved
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "heap_state.h"

#define EXPECT(condition) ((condition) ? (void)0 : fail(__LINE__, #condition))

static void fail(int line, const char *what)
{
    dprintf(2, "line %d: %s\n", line, what);
    _exit(1);
}

/* The compiler may not reason about what these return. */
static void *volatile barrier;
static void *opaque(void *pointer)
{
    barrier = pointer;
    return barrier;
}

static uint64_t number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Mostly small, now and then up to 100 MiB. */
static size_t some_size(uint64_t *state)
{
    static const unsigned bits[] = {4, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 14, 16, 18};
    uint64_t pick = number(state) % 4096;
    if (pick == 0)
        return number(state) % ((size_t)100 << 20);
    if (pick < 32)
        return number(state) % ((size_t)3 << 20);
    return number(state) % ((size_t)1 << bits[pick % (sizeof bits / sizeof *bits)]);
}

struct piece {
    unsigned char *at;
    size_t size;
    uint64_t mark;
};

/* Bytes of a piece that are written and looked at: all of a small one, of a large one those at its ends and of each page. */
static void visit(struct piece *piece, size_t upto, bool write)
{
    uint64_t mark = piece->mark;
    for (size_t n = 0; n < upto; n += n < 64 || upto - n <= 64 ? 1 : (upto - n - 64 < 509 ? upto - n - 64 : 509)) {
        unsigned char byte = (unsigned char)(mark + n * 31);
        if (write)
            piece->at[n] = byte;
        else
            EXPECT(piece->at[n] == byte);
    }
}

static void expect_zero(const unsigned char *at, size_t size)
{
    EXPECT(size == 0 || (at[0] == 0 && memcmp(at, at + 1, size - 1) == 0));
}

static void fill(struct piece *piece, uint64_t *state)
{
    piece->mark = number(state);
    visit(piece, piece->size, true);
}

static void make(struct piece *piece, uint64_t *state)
{
    size_t alignment = 16;
    piece->size = some_size(state);
    switch (number(state) % 4) {
    case 0:
        piece->at = calloc(1, piece->size);
        EXPECT(piece->at);
        expect_zero(piece->at, piece->size);
        break;
    case 1: {
        void *at;
        alignment = (size_t)8 << number(state) % 16;
        EXPECT(posix_memalign(&at, alignment, piece->size) == 0);
        piece->at = at;
        break;
    }
    default:
        piece->at = malloc(piece->size);
    }
    EXPECT(piece->at && (uintptr_t)piece->at % alignment == 0 && (uintptr_t)piece->at % 16 == 0);
    EXPECT(malloc_usable_size(piece->at) >= piece->size);
    fill(piece, state);
}

static void drop(struct piece *piece)
{
    visit(piece, piece->size, false);
    errno = 77;
    free(piece->at);
    EXPECT(errno == 77);
    piece->at = NULL;
}

static void resize(struct piece *piece, uint64_t *state)
{
    size_t size = number(state) % 3 ? some_size(state) : piece->size + number(state) % 4096;
    if (size == 0)
        return;
    piece->at = realloc(piece->at, size);
    EXPECT(piece->at && (uintptr_t)piece->at % 16 == 0);
    struct piece kept = *piece;
    if (size >= piece->size) {
        visit(&kept, piece->size, false);
    } else {
        for (size_t n = 0; n < size && n < 64; n++)
            EXPECT(piece->at[n] == (unsigned char)(piece->mark + n * 31));
    }
    piece->size = size;
    fill(piece, state);
}

static void step(struct piece *piece, uint64_t *state)
{
    if (!piece->at)
        make(piece, state);
    else if (number(state) % 3 == 0)
        resize(piece, state);
    else
        drop(piece);
}

/* As in heap_blocks.c. */
struct block {
    struct block *before;
    size_t size;
    struct block *next, *previous;
};

static struct block *above(struct block *block)
{
    return (struct block *)((char *)block + 8 + (block->size & ~(size_t)7));
}

static size_t count_listed(void)
{
    size_t count = 0;
    for (unsigned first = 0; first < CW_FIRST; first++)
        for (unsigned second = 0; second < CW_SECOND; second++) {
            struct block *block = (struct block *)cw_heap.lists[first][second];
            EXPECT(!block == !(cw_heap.seconds[first] >> second & 1));
            for (; block; block = block->next, count++) {
                EXPECT(block->size & 1);
                EXPECT(!block->next || block->next->previous == block);
            }
        }
    return count;
}

/* The blocks of the region follow one another, free ones never next to each other, and are all in the lists. */
static void check_blocks(void)
{
    size_t free_blocks = 0;
    struct block *block = (struct block *)CW_HEAP_BASE;
    if (!cw_heap.region_end)
        return;
    for (bool was_free = false; block->size & ~(size_t)7; block = above(block)) {
        bool is_free = block->size & 1;
        EXPECT((block->size & ~(size_t)7) % 16 == 8);
        EXPECT(!(block->size & 2) == !was_free);
        EXPECT(!is_free || !was_free);
        EXPECT(!is_free || above(block)->before == block);
        free_blocks += is_free;
        was_free = is_free;
    }
    EXPECT((char *)block + 16 == cw_heap.region_end);
    EXPECT(free_blocks == count_listed());
}

static void try_random(uint64_t seed, long rounds)
{
    enum { PIECES = 3000 };
    static struct piece pieces[PIECES];
    uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
    for (long n = 0; n < rounds; n++) {
        /* In waves, so that the heap grows and is given back. */
        size_t among = (size_t)(n / 5000 % 2 ? 100 : PIECES);
        step(&pieces[number(&state) % among], &state);
        if (n % 5000 == 0)
            check_blocks();
        if (n % 20000 == 0)
            for (int at = 0; at < PIECES; at++)
                if (pieces[at].at)
                    drop(&pieces[at]);
    }
    check_blocks();
}

enum { SHARED = 512, THREADS = 4 };
static struct piece shared[SHARED];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static long rounds_of_threads;

static void *work(void *argument)
{
    uint64_t state = (uintptr_t)argument * 0x9e3779b97f4a7c15 + 1;
    struct piece mine[64] = {{0}};
    for (long n = 0; n < rounds_of_threads; n++) {
        size_t at = number(&state) % 64, there = number(&state) % SHARED;
        pthread_mutex_lock(&shared_lock);
        struct piece swapped = shared[there];
        shared[there] = mine[at];
        pthread_mutex_unlock(&shared_lock);
        mine[at] = swapped;
        step(&mine[at], &state);
    }
    for (int at = 0; at < 64; at++)
        if (mine[at].at)
            drop(&mine[at]);
    return NULL;
}

/* In a process of one thread that was forked while others held and waited for locks. */
static void work_in_child(uint64_t seed)
{
    pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        alarm(60);
        uint64_t state = seed | 1;
        struct piece mine[32] = {{0}};
        for (int n = 0; n < 500; n++)
            step(&mine[number(&state) % 32], &state);
        _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

static void try_threads(uint64_t seed, long rounds)
{
    rounds_of_threads = rounds;
    for (int generation = 0; generation < 3; generation++) {
        pthread_t threads[THREADS];
        for (uintptr_t n = 0; n < THREADS; n++)
            EXPECT(pthread_create(&threads[n], NULL, work, (void *)(seed * 1000 + n)) == 0);
        for (uint64_t n = 0; n < 10; n++)
            work_in_child(seed + n);
        for (int n = 0; n < THREADS; n++)
            EXPECT(pthread_join(threads[n], NULL) == 0);
    }
    for (int n = 0; n < SHARED; n++)
        if (shared[n].at)
            drop(&shared[n]);
    check_blocks();
}

static void expect_no_memory(void *block, int line)
{
    if (block || errno != ENOMEM)
        fail(line, "memory was given, or errno is not ENOMEM");
    errno = 0;
}

static void try_too_much(void)
{
    void *block = NULL;
    volatile size_t half = SIZE_MAX / 2 + 2, all = SIZE_MAX, tib = (size_t)1 << 40;
    errno = 0;
    expect_no_memory(malloc(all), __LINE__);
    expect_no_memory(malloc(half), __LINE__);
    expect_no_memory(calloc(half, 2), __LINE__);
    expect_no_memory(calloc(all, all), __LINE__);
    expect_no_memory(reallocarray(NULL, half, 2), __LINE__);
    expect_no_memory(aligned_alloc(tib, 100), __LINE__);
    expect_no_memory(aligned_alloc((half - 1) & ~(half / 2), 100), __LINE__);
    expect_no_memory(aligned_alloc(4096, all - 4096), __LINE__);
    expect_no_memory(pvalloc(all), __LINE__);
    expect_no_memory(memalign(all, 16), __LINE__);
    EXPECT(posix_memalign(&block, 64, half) == ENOMEM && !block && errno == 0);
    char *kept = malloc(100);
    strcpy(kept, "kept");
    expect_no_memory(realloc(kept, half), __LINE__);
    EXPECT(strcmp(kept, "kept") == 0);
    free(kept);
}

static void try_promises(void)
{
    void *block = NULL;
    volatile size_t three = 3;
    void *one = malloc(0), *two = malloc(0);
    EXPECT(one && two && one != two);
    free(one);
    free(two);
    free(NULL);
    EXPECT(malloc_usable_size(NULL) == 0);
    one = realloc(NULL, 10);
    EXPECT(one && !realloc(one, 0));
    EXPECT(posix_memalign(&block, 3, 10) == EINVAL && posix_memalign(&block, 4, 10) == EINVAL);
    errno = 0;
    EXPECT(!aligned_alloc(three, 10) && errno == EINVAL);
    EXPECT((uintptr_t)(one = valloc(10)) % 4096 == 0);
    free(one);
    EXPECT((uintptr_t)(one = pvalloc(10)) % 4096 == 0 && malloc_usable_size(one) >= 4096);
    free(one);
    EXPECT((uintptr_t)(one = memalign(48, 10)) % 64 == 0);
    free(one);
    try_too_much();
    check_blocks();
}

static void try_misuse(const char *which)
{
    char *block = opaque(malloc(100)), *large = opaque(malloc(100000)), *after = opaque(malloc(100000));
    static char not_of_the_heap[64] __attribute__((aligned(16)));
    if (strcmp(which, "twice") == 0) {
        free(block);
        free(opaque(block));
    } else if (strcmp(which, "twice-later") == 0) {
        void *other = opaque(malloc(100));
        free(block);
        free(other);
        free(opaque(block));
    } else if (strcmp(which, "twice-large") == 0) {
        free(large);
        free(opaque(large));
    } else if (strcmp(which, "twice-joined") == 0) {
        free(large);
        free(after);
        free(opaque(after));
    } else if (strcmp(which, "foreign") == 0) {
        free(opaque(not_of_the_heap + 32));
    } else if (strcmp(which, "foreign-marked") == 0) {
        memset(not_of_the_heap, 0xff, sizeof not_of_the_heap);
        free(opaque(not_of_the_heap + 32));
    } else if (strcmp(which, "inside") == 0) {
        memset(block, 0, 100);
        free(opaque(block + 16));
    } else if (strcmp(which, "unaligned") == 0) {
        free(opaque(block + 4));
    } else if (strcmp(which, "realloc") == 0) {
        free(large);
        block = realloc(opaque(large), 7);
    }
}

static size_t field_of_statm(int index)
{
    unsigned long fields[2] = {0};
    FILE *stream = fopen("/proc/self/statm", "r");
    EXPECT(stream && fscanf(stream, "%lu %lu", &fields[0], &fields[1]) == 2);
    fclose(stream);
    return fields[index] * 4096;
}

/* Bytes that are resident. */
static size_t resident(void)
{
    return field_of_statm(1);
}

static void try_size_of_blocks(size_t size)
{
    const size_t all = (size_t)200 << 20;
    size_t count = all / size, before = resident();
    char **blocks = malloc(count * sizeof *blocks);
    for (size_t n = 0; n < count; n++) {
        blocks[n] = malloc(size);
        EXPECT(blocks[n]);
        memset(blocks[n], 1, size);
    }
    EXPECT(resident() > before + all / 2);
    for (size_t n = 0; n < count; n++)
        free(blocks[n]);
    free(blocks);
    EXPECT(resident() < before + all / 2);
}

static void try_memory(void)
{
    try_size_of_blocks(200);
    try_size_of_blocks(5000);
    try_size_of_blocks((size_t)1 << 20);
    try_size_of_blocks((size_t)40 << 20);
    size_t before = field_of_statm(0);
    for (int n = 0; n < 100; n++)
        free(opaque(aligned_alloc((size_t)8 << 20, (size_t)40 << 20)));
    EXPECT(field_of_statm(0) < before + ((size_t)16 << 20));
}

static void try_limit(void)
{
    enum { MOST = 100000 };
    static void *blocks[MOST];
    for (size_t size = 1000; size < (size_t)80 << 20; size *= 7) {
        struct rlimit limit = {field_of_statm(0) + ((size_t)64 << 20), RLIM_INFINITY};
        EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
        size_t count = 0;
        errno = 0;
        while (count < MOST && (blocks[count] = malloc(size)))
            count++;
        EXPECT(count < MOST && errno == ENOMEM);
        while (count)
            free(blocks[--count]);
        void *again = malloc(size < 1 << 20 ? size : 1000);
        EXPECT(again);
        free(again);
        limit.rlim_cur = RLIM_INFINITY;
        EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
    }
    check_blocks();
}

static void try_occupied(void)
{
    char *wall = CW_HEAP_BASE + ((size_t)3 << 20);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    EXPECT(mmap(wall, 4096, PROT_NONE, flags, -1, 0) == wall);
    uint64_t state = 7;
    for (int n = 0; n < 3; n++) {
        struct piece pieces[200] = {{0}};
        for (long step_number = 0; step_number < 20000; step_number++)
            step(&pieces[number(&state) % 200], &state);
        for (int at = 0; at < 200; at++)
            if (pieces[at].at)
                drop(&pieces[at]);
    }
    EXPECT(cw_heap.region_end <= wall);
}

/* What comes after that leaves small gaps alone, and takes large ones. */
static void try_saved(void)
{
    enum { COUNT = 400, SMALL = 2000, LARGE = 40000 };
    char *small[COUNT], *large[COUNT];
    for (int n = 0; n < COUNT; n++) {
        small[n] = malloc(SMALL);
        large[n] = malloc(LARGE);
        EXPECT(small[n] && large[n]);
        memset(small[n], n, SMALL);
    }
    for (int n = 1; n < COUNT; n += 2)
        free(small[n]);
    free(large[COUNT / 2]);
    cw_heap_scrub();
    check_blocks();
    for (size_t n = 0; n < LARGE; n++)
        EXPECT(large[COUNT / 2][n] == 0 || n < 32);
    char *new[COUNT];
    for (int n = 0; n < COUNT; n++) {
        new[n] = malloc(SMALL);
        EXPECT(new[n] > large[COUNT - 1] || (new[n] >= large[COUNT / 2] && new[n] < large[COUNT / 2] + LARGE));
    }
    EXPECT(new[0] == large[COUNT / 2]);
    for (int n = 0; n < COUNT; n += 2) {
        EXPECT(small[n][0] == (char)n && small[n][SMALL - 1] == (char)n);
        free(small[n]);
    }
    for (int n = 0; n < COUNT; n++)
        free(new[n]);
    check_blocks();
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    cw_heap_open();
    if (strcmp(how, "random") == 0 && argc == 4)
        try_random(strtoull(argv[2], NULL, 10), atol(argv[3]));
    else if (strcmp(how, "threads") == 0 && argc == 4)
        try_threads(strtoull(argv[2], NULL, 10), atol(argv[3]));
    else if (strcmp(how, "promises") == 0)
        try_promises();
    else if (strcmp(how, "misuse") == 0 && argc == 3)
        try_misuse(argv[2]);
    else if (strcmp(how, "memory") == 0)
        try_memory();
    else if (strcmp(how, "limit") == 0)
        try_limit();
    else if (strcmp(how, "occupied") == 0)
        try_occupied();
    else if (strcmp(how, "saved") == 0)
        try_saved();
    else
        return 2;
    return 0;
}
