/* The image format, version 2, as a C reader sees it. src/coachwhip/image/FORMAT.md is its description.
 *
 * Everything here is little-endian and comes from a file that may be damaged or hostile: nothing
 * outside image.c follows an offset of these structures.
 */
#ifndef CW_IMAGE_H
#define CW_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CW_MAGIC "CWIMAGE\0"
#define CW_VERSION 2u
#define CW_SEGMENT_TAG 0x31504857434f4143ull /* p_paddr of the image's program header */

enum cw_section_id {
    CW_NODES,    /* struct cw_node[], node 0 is the root directory */
    CW_STRINGS,  /* bytes that cw_string refers to */
    CW_PATHS,    /* uint32_t[], open-addressing hash table of node index + 1, 0 is free */
    CW_DEPS,     /* uint32_t[], node indices: native libraries that a native library needs */
    CW_LISTS,    /* struct cw_string[], that cw_list refers to */
    CW_SETTINGS, /* one struct cw_settings */
    CW_MANIFEST, /* JSON, UTF-8: what `coachwhip inspect` shows */
    CW_LIBRARIES, /* struct cw_library[], ascending by node and by address */
    CW_PIECES,    /* struct cw_piece[]; the first two are the jump stubs' and the slots' */
    CW_NEEDS,     /* struct cw_need[] */
    CW_SLOTS,     /* struct cw_slot[] */
    CW_USES,      /* uint32_t[], slots that a library calls through */
    CW_FIXUPS,    /* struct cw_fixup[] */
    CW_DATA,     /* blobs */
    CW_PAGES,    /* content of pieces, in whole pages */
    CW_SNAPSHOT, /* memory of the started program, see snapshot.h; may be empty */
    CW_SECTIONS
};

struct cw_range {
    uint64_t offset; /* from the image's first byte */
    uint64_t size;
};

struct cw_header {
    char magic[8];
    uint32_t version;
    uint32_t header_size;
    uint64_t image_size;
    uint64_t file_size; /* of the whole executable */
    uint8_t image_id[32];
    uint8_t stub_id[32];
    struct cw_range sections[CW_SECTIONS];
    uint64_t tables_checksum; /* XXH64 of everything between the header and CW_DATA */
    uint64_t header_checksum; /* XXH64 of the header up to this field */
};

struct cw_string {
    uint32_t offset; /* in CW_STRINGS */
    uint32_t size;   /* without the NUL that follows */
};

struct cw_list {
    uint32_t first; /* in CW_LISTS */
    uint32_t count;
};

struct cw_blob {
    uint64_t offset; /* in CW_DATA */
    uint64_t stored;
    uint64_t raw;
    uint64_t checksum; /* XXH64 of the stored bytes */
};

enum cw_node_kind { CW_DIRECTORY, CW_FILE };

enum cw_node_flag {
    CW_HAS_DATA = 1,
    CW_HAS_CODE = 2,
    CW_DATA_ZSTD = 4,
    CW_EXECUTABLE = 8,
    CW_NATIVE = 16,
    CW_QUIET = 32,           /* a library that nothing outside of the process notices */
    CW_DATA_DIFFERENCE = 64, /* to the memory of the prelinked library that was made of it */
};

struct cw_node {
    struct cw_string path; /* below the app root, "" for the root itself */
    uint32_t parent;
    uint32_t first_child; /* children are contiguous and sorted by name */
    uint32_t child_count;
    uint32_t first_dep; /* in CW_DEPS, transitive, dependencies before dependents */
    uint32_t dep_count;
    uint16_t kind;
    uint16_t flags;
    struct cw_blob data;
    struct cw_blob code;
};

enum cw_settings_flag {
    CW_INTERPRETER = 1,
    CW_ENVIRONMENT = 2,
    CW_REBAKE = 4, /* `--coachwhip-bake` and what it makes */
};

struct cw_settings {
    uint32_t flags;
    uint32_t optimize;
    uint32_t entry; /* node whose code runs as __main__ */
    uint32_t reserved;
    struct cw_string name;
    struct cw_string version;
    struct cw_string python; /* "3.13" */
    struct cw_string entry_module; /* imported before the entry runs; may be empty */
    struct cw_list xoptions;
    struct cw_list warnings;
    struct cw_list path_lines;
};

/* A run of records in another section. */
struct cw_span {
    uint32_t first;
    uint32_t count;
};

/* A native library that is mapped from the image. Addresses are those that it has in every run; those of its
 * tables lie between start and start + size, or are 0. */
struct cw_library {
    uint32_t node;
    uint32_t tls_module; /* from 1; 0: it has no thread-local storage */
    uint64_t base;       /* what the addresses in its own tables count from */
    uint64_t start;
    uint64_t size;
    struct cw_string soname;
    struct cw_list folders; /* DT_RUNPATH, below the app root */
    struct cw_span pieces;
    struct cw_span needs;
    struct cw_span uses;
    struct cw_span fixups;
    uint64_t dynamic;
    uint64_t headers; /* of its ELF program headers */
    uint32_t header_count;
    uint32_t symbol_count;
    uint64_t symbols;
    uint64_t strings;
    uint64_t strings_size;
    uint64_t hash; /* DT_GNU_HASH */
    uint64_t versions;
    uint64_t definitions;
    uint64_t init;
    uint64_t fini;
    uint64_t init_array;
    uint64_t fini_array;
    uint32_t init_count;
    uint32_t fini_count;
    uint64_t frames; /* .eh_frame_hdr */
    uint64_t tls_image;
    uint64_t tls_size;
    uint64_t tls_room;
    uint64_t tls_alignment;
    int64_t tls_offset; /* from the thread pointer; 0: blocks come from the heap */
};

enum cw_protection { CW_READ = 1, CW_WRITE = 2, CW_EXECUTE = 4, CW_RELRO = 8 };

#define CW_NO_CONTENT UINT64_MAX

struct cw_piece {
    uint64_t address;
    uint64_t size;
    uint64_t offset; /* in CW_PAGES; CW_NO_CONTENT: starts as zeros */
    uint32_t protection;
    uint32_t reserved;
};

#define CW_NO_NODE UINT32_MAX

struct cw_need {
    struct cw_string name;
    uint32_t node; /* CW_NO_NODE: not packaged */
    uint32_t reserved;
};

enum cw_slot_flag { CW_WEAK = 1 };

struct cw_slot {
    struct cw_string name;
    struct cw_string version; /* empty: any */
    uint64_t fallback;        /* for when there is no such symbol; 0 is none */
    uint32_t flags;
    uint32_t reserved;
};

enum cw_fixup_kind { CW_FIX_DATA, CW_FIX_WEAK_CALL, CW_FIX_RESOLVED };

struct cw_fixup {
    uint64_t address;
    uint32_t kind;
    uint32_t slot;
    int64_t value;
};

/* A checked view of an image in memory. */
struct cw_image {
    const uint8_t *base;
    const struct cw_header *header;
    const struct cw_node *nodes;
    uint32_t node_count;
    const char *strings;
    uint64_t strings_size;
    const uint32_t *paths;
    uint32_t path_mask;
    const uint32_t *deps;
    uint32_t dep_count;
    const struct cw_string *lists;
    uint32_t list_count;
    const struct cw_settings *settings;
    const uint8_t *data;
    uint64_t data_size;
    const struct cw_library *libraries;
    uint32_t library_count;
    const struct cw_piece *pieces;
    uint32_t piece_count;
    const struct cw_need *needs;
    uint32_t need_count;
    const struct cw_slot *slots;
    uint32_t slot_count;
    const uint32_t *uses;
    uint32_t use_count;
    const struct cw_fixup *fixups;
    uint32_t fixup_count;
    uint64_t pages_offset; /* from the image's first byte */
    uint64_t pages_size;
};

struct cw_bytes {
    const uint8_t *data;
    uint64_t size;
};

struct cw_text {
    const char *data; /* NUL-terminated, and no NUL inside */
    uint32_t size;
};

/* Checks an image of `size` bytes at `base` and fills `image`. Returns NULL or what is wrong with it. */
const char *cw_image_open(struct cw_image *image, const void *base, uint64_t size);

/* The text of a string; {NULL, 0} when the reference is out of bounds. */
struct cw_text cw_image_text(const struct cw_image *image, struct cw_string string);

/* Item `index` of a list; {NULL, 0} when there is none. */
struct cw_text cw_image_item(const struct cw_image *image, struct cw_list list, uint32_t index);

/* The node at a path below the app root ("" is the root, no slash at either end), or NULL. */
const struct cw_node *cw_image_find(const struct cw_image *image, const char *path, size_t size);

/* Node by index, NULL when out of bounds. */
const struct cw_node *cw_image_node(const struct cw_image *image, uint32_t index);

/* Child `index` of a directory; NULL when there is none. */
const struct cw_node *cw_image_child(const struct cw_image *image, const struct cw_node *node, uint32_t index);

/* Dependency `index` of a native library; NULL when there is none. */
const struct cw_node *cw_image_dep(const struct cw_image *image, const struct cw_node *node, uint32_t index);

/* The last part of a node's path. */
struct cw_text cw_image_name(const struct cw_image *image, const struct cw_node *node);

/* Stored bytes of a blob, bounds and checksum verified; {NULL, 0} when damaged. */
struct cw_bytes cw_image_blob(const struct cw_image *image, const struct cw_blob *blob);

/* The same without its checksum verified, for what has checksums inside. */
struct cw_bytes cw_image_unverified(const struct cw_image *image, const struct cw_blob *blob);

/* The snapshot's bytes, none when the size is 0; nothing in them was checked. */
struct cw_bytes cw_image_snapshot(const struct cw_image *image);

#endif
