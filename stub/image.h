/* The image format, version 1, as a C reader sees it. src/coachwhip/image/FORMAT.md is its description.
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
#define CW_VERSION 1u
#define CW_SEGMENT_TAG 0x31504857434f4143ull /* p_paddr of the image's program header */

enum cw_section_id {
    CW_NODES,    /* struct cw_node[], node 0 is the root directory */
    CW_STRINGS,  /* bytes that cw_string refers to */
    CW_PATHS,    /* uint32_t[], open-addressing hash table of node index + 1, 0 is free */
    CW_DEPS,     /* uint32_t[], node indices: native libraries that a native library needs */
    CW_LISTS,    /* struct cw_string[], that cw_list refers to */
    CW_SETTINGS, /* one struct cw_settings */
    CW_MANIFEST, /* JSON, UTF-8: what `coachwhip inspect` shows */
    CW_DATA,     /* blobs */
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
    CW_QUIET = 32, /* a library that nothing outside of the process notices */
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

#endif
