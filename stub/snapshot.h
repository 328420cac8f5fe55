/* Snapshots: the memory of a program that has started, saved when the product is built, or on the machine of use, with
 * which every later start goes on. Format, in pages of 4096 bytes, everything little-endian:
 *
 *   struct cw_snapshot_head, struct cw_snapshot_range[ranges], the thread-locals' bytes, the gates: names of
 *   environment variables that must not be set, each with a NUL; from CW_SNAPSHOT_ROOM on the ranges' bytes; and, only
 *   in a product's own file, the working set, struct cw_page_run[], and the plan, by which it can be made again (JSON).
 */
#ifndef CW_SNAPSHOT_H
#define CW_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"
#include "image.h"

#define CW_SNAPSHOT_MAGIC "CWSNAP\0\3"

enum { CW_SNAPSHOT_ROOM = 32768 };

/* A part of memory, whole pages. What lies between the parts of a region is zero. */
struct cw_snapshot_range {
    uint64_t address;
    uint64_t size;
    uint64_t offset; /* of its bytes, from the snapshot's start */
};

/* Pages that every start needs a copy of. Runs are in the order of the file. */
struct cw_page_run {
    uint32_t first; /* counted from the snapshot's start */
    uint32_t count;
};

struct cw_snapshot_head {
    char magic[8];
    uint64_t size; /* of the whole snapshot */
    /* What it belongs to: the stub, the whole product if it is a machine's and else zeros, and the image's tables. */
    uint8_t stub_id[32];
    uint8_t image_id[32];
    uint64_t tables_checksum;
    uint64_t heap_end, arenas_end; /* where the regions ended */
    uint32_t ranges;
    uint32_t locals_size;
    uint64_t gates_size;
    uint64_t plan_size;
    uint64_t working_set_size;
    uint32_t cpu[CW_CPU_WORDS]; /* what the processor could do, where native libraries are in it; else zero */
    uint64_t checksum; /* XXH64 of what is before the ranges' bytes, with this field 0 */
};

/* Where a snapshot lies: in the product's file, or in one of its own that was made on this machine. */
enum cw_origin { CW_OF_PRODUCT, CW_OF_MACHINE };

/* Saves the calling program into a file, with its gates. Returns NULL or what went wrong. */
const char *cw_snapshot_save(int fd, enum cw_origin origin, struct cw_bytes gates);

/* Whether a snapshot is one of this very product and in order, as far as that shows without reading all of it. Returns
 * NULL or what is wrong. */
const char *cw_snapshot_check(struct cw_bytes snapshot, enum cw_origin origin);

/* Why there is none to go on with, where there is none. */
extern const char cw_no_snapshot[];

/* Has the process go on with the memory of a snapshot. Returns NULL, or why it can't be; then nothing has changed. */
const char *cw_snapshot_restore(struct cw_bytes snapshot, enum cw_origin origin);

/* The plan in a product's snapshot; none when the size is 0. */
struct cw_bytes cw_snapshot_plan(struct cw_bytes snapshot);

/* The parts of memory that make up the program's state. */
struct cw_extent {
    char *from, *to;
};
enum { CW_STATIC, CW_HEAP_REGION, CW_ARENA_REGION, CW_REGIONS };

/* The executable's writable data, whole pages. */
struct cw_extent cw_static_extent(void);

/* Of it, what describes the process and is never saved. */
struct cw_extent cw_live_extent(void);

/* The calling thread's thread-locals of the executable. */
struct cw_extent cw_local_extent(void);

#endif
