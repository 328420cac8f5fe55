/* Changes a valid snapshot's head at random, checksum put right again, and has the reader look at it: as one in a
 * product's file, and as one that was made on this machine. Arguments: SEED ROUNDS. The sanitizers that this is
 * compiled with end it at the first access that is not allowed.
 */
#include "../../stub/snapshot_view.c"

#include <inttypes.h>
#include <stdio.h>

static char data_pages[3 * CW_PAGE] __attribute__((aligned(4096)));
static char locals[64];
static struct cw_header header = {.tables_checksum = 0x1234567890abcdef, .stub_id = {7, 8, 9}, .image_id = {4, 5, 6}};
struct cw_image cw_image = {.header = &header};

struct cw_extent cw_static_extent(void)
{
    return (struct cw_extent){data_pages, data_pages + sizeof data_pages};
}

struct cw_extent cw_live_extent(void)
{
    return (struct cw_extent){data_pages + 100, data_pages + 200};
}

struct cw_extent cw_local_extent(void)
{
    return (struct cw_extent){locals, locals + sizeof locals};
}

uint64_t cw_libraries_end(const struct cw_image *image)
{
    (void)image;
    return CW_FIRST_LIBRARY + 16 * CW_PAGE;
}

static void not_here(void)
{
    fputs("the reader goes too far\n", stderr);
    _Exit(1);
}

/* Memory that ranges may be mapped at. */
static void expect_allowed(char *at, size_t size)
{
    const uintptr_t from = (uintptr_t)at, end = from + size;
    const struct cw_snapshot_range places[] = {
        {(uintptr_t)CW_HEAP_BASE, (uintptr_t)CW_ARENA_BASE - (uintptr_t)CW_HEAP_BASE, 0},
        {(uintptr_t)CW_ARENA_BASE, UINTPTR_MAX - (uintptr_t)CW_ARENA_BASE, 0},
        {CW_FIRST_LIBRARY, 16 * CW_PAGE, 0},
        {(uintptr_t)data_pages, sizeof data_pages, 0},
    };
    for (size_t n = 0; n < sizeof places / sizeof *places; n++)
        if (size % CW_PAGE == 0 && from % CW_PAGE == 0 && end >= from && from >= places[n].address
            && end <= places[n].address + places[n].size)
            return;
    not_here();
}

/* The size of all runs that were visited. */
static uint64_t loaded;

static void visit_run(char *at, size_t size)
{
    expect_allowed(at, size);
    loaded += size;
}

static uint64_t state;

static uint64_t number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* The first pages of two ranges, and all of another. */
static const struct cw_page_run RUNS[] = {{8, 1}, {10, 2}, {14, 1}};
enum { RANGES = 5, BODY = 11 * CW_PAGE, PLAN = 100, SET = sizeof RUNS, ALL = CW_SNAPSHOT_ROOM + BODY + SET + PLAN };

static void make(char *snapshot, enum cw_origin origin)
{
    static const char gates[] = "FIRST_VARIABLE\0SECOND\0";
    struct cw_snapshot_head *head = (void *)snapshot;
    struct cw_snapshot_range *range = (void *)(head + 1);
    memcpy(head->magic, CW_SNAPSHOT_MAGIC, sizeof head->magic);
    memcpy(head->stub_id, header.stub_id, sizeof head->stub_id);
    if (origin == CW_OF_MACHINE)
        memcpy(head->image_id, header.image_id, sizeof head->image_id);
    head->size = ALL;
    head->plan_size = PLAN;
    head->working_set_size = SET;
    head->tables_checksum = header.tables_checksum;
    head->heap_end = (uintptr_t)CW_HEAP_BASE + 64 * CW_PAGE;
    head->arenas_end = (uintptr_t)CW_ARENA_BASE + 64 * CW_PAGE;
    head->ranges = RANGES;
    head->locals_size = sizeof locals;
    head->gates_size = sizeof gates - 1;
    const uint64_t at = CW_SNAPSHOT_ROOM;
    range[0] = (struct cw_snapshot_range){(uintptr_t)CW_HEAP_BASE, 2 * CW_PAGE, at};
    range[1] = (struct cw_snapshot_range){(uintptr_t)CW_HEAP_BASE + 60 * CW_PAGE, 4 * CW_PAGE, at + 2 * CW_PAGE};
    range[2] = (struct cw_snapshot_range){(uintptr_t)CW_ARENA_BASE, CW_PAGE, at + 6 * CW_PAGE};
    range[3] = (struct cw_snapshot_range){CW_FIRST_LIBRARY, CW_PAGE, at + 7 * CW_PAGE};
    range[4] = (struct cw_snapshot_range){(uintptr_t)data_pages, sizeof data_pages, at + 8 * CW_PAGE};
    memcpy((char *)(range + RANGES) + sizeof locals, gates, sizeof gates - 1);
    memcpy(snapshot + CW_SNAPSHOT_ROOM + BODY, RUNS, sizeof RUNS);
    head->checksum = cw_xxh64(snapshot, CW_SNAPSHOT_ROOM);
}

static uint64_t interesting(void)
{
    const uint64_t values[] = {
        0, 1, 7, CW_PAGE, CW_PAGE - 1, CW_SNAPSHOT_ROOM, ALL, ALL - 1, ALL + CW_PAGE, INT32_MAX, UINT32_MAX, INT64_MAX,
        UINT64_MAX, UINT64_MAX - CW_PAGE + 1, (uintptr_t)CW_HEAP_BASE, (uintptr_t)CW_ARENA_BASE, (uintptr_t)data_pages,
        CW_FIRST_LIBRARY, (uint64_t)1 << 47, (uint64_t)1 << 63, (uintptr_t)locals,
    };
    return values[number() % (sizeof values / sizeof *values)];
}

static void change(char *snapshot)
{
    const size_t head = sizeof(struct cw_snapshot_head) + RANGES * sizeof(struct cw_snapshot_range) + 128;
    size_t at = number() % 4 ? number() % head : CW_SNAPSHOT_ROOM + BODY + number() % (SET - 8);
    uint64_t value = interesting() + (number() % 4 ? 0 : number() % 3 - 1);
    switch (number() % 4) {
    case 0:
        snapshot[at] ^= (char)(1u << number() % 8);
        break;
    case 1:
        at &= ~(size_t)3;
        memcpy(snapshot + at, &value, sizeof(uint32_t));
        break;
    default:
        at &= ~(size_t)7;
        memcpy(snapshot + at, &value, sizeof value);
    }
}

/* What the rest of the reader relies on. */
static void expect_good(const struct cw_view *view, uint64_t size, enum cw_origin origin)
{
    const struct cw_snapshot_head *head = view->head;
    uint64_t end = head->size - head->plan_size - head->working_set_size;
    bool good = head->size <= size && end <= head->size && head->locals_size == sizeof locals;
    good = good && (origin == CW_OF_PRODUCT || head->size == size) && head->heap_end <= (uintptr_t)CW_ARENA_BASE;
    good = good && memcmp(head->stub_id, header.stub_id, sizeof head->stub_id) == 0;
    for (uint32_t n = 0; n < view->head->ranges && good; n++) {
        const struct cw_snapshot_range *range = &view->ranges[n];
        good = range->offset >= CW_SNAPSHOT_ROOM && range->size <= end && range->offset <= end - range->size
            && (n == 0 || range->offset >= range[-1].offset + range[-1].size)
            && range->address % CW_PAGE == 0 && range->size % CW_PAGE == 0 && range->address + range->size >= range->address;
    }
    good = good && view->gates + view->head->gates_size <= view->start + CW_SNAPSHOT_ROOM;
    if (!good)
        not_here();
    (void)cw_view_is_gated(view);
    (void)cw_view_has_natives(view);
    (void)cw_view_data(view);
    cw_view_each_run(view, visit_run);
}

/* Its own memory, to the byte: pages of a file behind its end can't be read either. */
static char *copy_of(const char *original, uint64_t size)
{
    char *copy = aligned_alloc(CW_PAGE, (size + CW_PAGE) & ~(uint64_t)(CW_PAGE - 1));
    memcpy(copy, original, size);
    return copy;
}

static int round_of(const char *original, enum cw_origin origin)
{
    uint64_t size = number() % 8 ? ALL : number() % ALL;
    char *snapshot = copy_of(original, size);
    for (uint64_t changes = number() % 4; changes; changes--)
        if (size == ALL)
            change(snapshot);
    if (number() % 16 && size >= CW_SNAPSHOT_ROOM) {
        struct cw_snapshot_head *head = (void *)snapshot;
        head->checksum = 0;
        head->checksum = cw_xxh64(snapshot, CW_SNAPSHOT_ROOM);
    }
    struct cw_view view;
    struct cw_bytes bytes = {(const uint8_t *)snapshot, size};
    bool opened = !cw_view_open(&view, bytes, origin);
    if (opened)
        expect_good(&view, size, origin);
    struct cw_bytes plan = cw_snapshot_plan(bytes);
    for (uint64_t n = 0; n < plan.size; n++)
        opened += plan.data[n] == 1; /* touched; there is none */
    free(snapshot);
    return opened;
}

int main(int argc, char **argv)
{
    static char originals[2][CW_SNAPSHOT_ROOM + BODY + CW_PAGE] __attribute__((aligned(4096)));
    if (argc != 3)
        return 2;
    make(originals[CW_OF_PRODUCT], CW_OF_PRODUCT);
    make(originals[CW_OF_MACHINE], CW_OF_MACHINE);
    struct cw_view view;
    struct cw_bytes valid = {(const uint8_t *)originals[CW_OF_PRODUCT], ALL};
    if (cw_view_open(&view, valid, CW_OF_PRODUCT))
        not_here();
    cw_view_each_run(&view, visit_run);
    if (loaded != 4 * CW_PAGE) /* as it is, all runs are seen */
        not_here();
    state = strtoull(argv[1], NULL, 10) * 2654435761u + 1;
    long rounds = atol(argv[2]), opened[2] = {0, 0}, mistaken = 0;
    for (long n = 0; n < rounds; n++) {
        enum cw_origin origin = n % 2 ? CW_OF_MACHINE : CW_OF_PRODUCT;
        opened[origin] += round_of(originals[origin], origin);
        mistaken += n < 100 && round_of(originals[!origin], origin);
    }
    printf("%ld %ld %ld\n", opened[CW_OF_PRODUCT], opened[CW_OF_MACHINE], mistaken);
    return 0;
}
