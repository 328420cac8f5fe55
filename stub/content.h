/* From a node's stored bytes to a file. */
#ifndef CW_CONTENT_H
#define CW_CONTENT_H

#include <sys/types.h>

#include "image.h"

/* 1980-01-01 00:00 UTC, the modification time of every file of a product. */
enum { CW_MTIME = 315532800 };

/* Permission bits of a node. */
unsigned cw_node_mode(const struct cw_node *node);

/* The number that stands for a node where an inode's is asked for. */
ino_t cw_node_inode(const struct cw_node *node);

/* Decompresses the content of `node`, which its flags say to be compressed, from its stored bytes; data.raw bytes. */
bool cw_decode_content(const struct cw_node *node, void *to, struct cw_bytes stored);

/* Writes the checked content of `node` to the empty file `fd`. Returns 0 or a negated errno: EBADMSG when
 * the image is damaged. */
int cw_write_content(const struct cw_node *node, int fd);

/* Whether what is at `below` in the directory `root` is `node`, unpacked completely. */
bool cw_is_present(int root, const char *below, const struct cw_node *node);

/* Makes `node` appear, complete, at `below` in root/ of the directory `app`. Returns 0 or a negated errno. */
int cw_place(int app, int root, const char *below, const struct cw_node *node);

/* Makes a link to `target` appear at `below` in root/, in the place of another one. */
int cw_place_link(int app, int root, const char *below, const char *target);

/* Removes what killed processes left in .tmp/ of the directory `app`. For the holder of the lock only. */
void cw_clear_temporaries(int app);

#endif
