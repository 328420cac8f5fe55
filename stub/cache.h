/* The directories that files of the product are unpacked to: which one, is it safe, can it be used. */
#ifndef CW_CACHE_H
#define CW_CACHE_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "candidates.h"

/* What a directory is needed for. */
enum cw_use {
    CW_FOR_DATA,
    CW_FOR_CODE, /* files are mapped executable or executed */
};

/* A directory of this product:
 *   .lock   held while something is unpacked      .tmp/   unfinished files
 *   .used   held while a process uses it          root/   files, laid out as below the app root
 *   snapshot  made on this machine, see machine.h
 */
struct cw_store {
    atomic_int fault;      /* errno why it can't be used; 0 if it can */
    bool runs;             /* files in it can be executed */
    atomic_bool held;      /* .used is locked by this process */
    atomic_bool refreshed; /* .used has been touched by this process */
    _Atomic unsigned char *done; /* per node: the cw_scope bits that are known to be unpacked */
    size_t size;                 /* of `root` */
    char root[PATH_MAX];
};

/* The directory to use now, or NULL: cw_cache_fault tells why. Chosen at the first call. */
struct cw_store *cw_cache_store(enum cw_use use);

/* `store` turned out not to work (a negated errno): the next candidate takes its place. */
void cw_cache_spent(enum cw_use use, const struct cw_store *store, int fault);

/* Opens the directory of `store` (the one that holds root/), checked and made again if it has gone. Returns a
 * descriptor or a negated errno. */
int cw_cache_enter(const struct cw_store *store);

/* Opens the directory of this product below a candidate, checked, and made if it is missing. Returns a descriptor or a
 * negated errno: EPERM when somebody else could change what is in it. */
int cw_cache_open(const struct cw_candidate *candidate);

/* The path of something in that directory; returns its length or a negated errno. */
int cw_cache_path(const struct cw_candidate *candidate, const char *last, char to[PATH_MAX]);

/* Why nothing can be unpacked: one sentence without a full stop, static storage. */
const char *cw_cache_fault(void);

/* The errno to report when nothing can be unpacked. */
int cw_cache_errno(void);

#endif
