/* Functions that tell about files. Of the product's own they answer from the image. */
#define _GNU_SOURCE 1
#include <string.h>

#include "content.h"
#include "sys.h"
#include "wrap.h"

/* A device number that no file system has: "CW". */
enum { DEVICE = 0x4357, BLOCK = 4096, SECTOR = 512 };

static void describe_node(const struct cw_node *node, struct stat *info)
{
    bool directory = node->kind == CW_DIRECTORY;
    uint64_t size = directory ? BLOCK : node->data.raw;
    memset(info, 0, sizeof *info);
    info->st_dev = DEVICE;
    info->st_ino = cw_node_inode(node);
    info->st_mode = (directory ? S_IFDIR : S_IFREG) | cw_node_mode(node);
    info->st_nlink = directory ? 2 : 1;
    info->st_uid = geteuid();
    info->st_gid = getegid();
    info->st_size = (off_t)size;
    info->st_blksize = BLOCK;
    info->st_blocks = (blkcnt_t)((size + SECTOR - 1) / SECTOR);
    info->st_atim.tv_sec = info->st_mtim.tv_sec = info->st_ctim.tv_sec = CW_MTIME;
}

static int describe(const struct cw_path *at, struct stat *info)
{
    if (at->place == CW_MISSING)
        return cw_result(-at->fault);
    if (at->place == CW_SELF)
        return cw_result(sys_fstatat(AT_FDCWD, "/proc/self/exe", info, 0));
    describe_node(at->node, info);
    return 0;
}

static bool is_ours(struct cw_path *at, const char *path)
{
    cw_path_look(at, path);
    return !cw_leave_to_libc(at, CW_ONE);
}

static int raw_stat(const char *path, struct stat *info)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, info, 0);
}

static int raw_lstat(const char *path, struct stat *info)
{
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, info, AT_SYMLINK_NOFOLLOW);
}

static int raw_fstatat(int dir, const char *path, struct stat *info, int flags)
{
    return (int)syscall(SYS_newfstatat, dir, path, info, flags);
}

#define STAT(name, raw)                                                                                      \
    CW_NEXT_OR(name, raw, int, const char *, struct stat *)                                                  \
    static __attribute__((noinline)) int slow_##name(const char *path, struct stat *info)                    \
    {                                                                                                        \
        struct cw_path at;                                                                                   \
        return is_ours(&at, path) ? describe(&at, info) : next_##name()(at.real, info);                      \
    }                                                                                                        \
    int cw_##name(const char *path, struct stat *info) CW_EXPORT(name);                                      \
    int cw_##name(const char *path, struct stat *info)                                                       \
    {                                                                                                        \
        return cw_maybe_ours(path) ? slow_##name(path, info) : next_##name()(path, info);                    \
    }

STAT(stat, raw_stat)
STAT(stat64, raw_stat)
STAT(lstat, raw_lstat)
STAT(lstat64, raw_lstat)

/* The names until glibc 2.33, which newer ones keep for old programs, as this one is. */
static int raw_xstat(int version, const char *path, struct stat *info)
{
    (void)version;
    return raw_stat(path, info);
}

static int raw_lxstat(int version, const char *path, struct stat *info)
{
    (void)version;
    return raw_lstat(path, info);
}

static int raw_fxstatat(int version, int dir, const char *path, struct stat *info, int flags)
{
    (void)version;
    return raw_fstatat(dir, path, info, flags);
}

#define XSTAT(name, raw)                                                                                     \
    CW_NEXT_OR(name, raw, int, int, const char *, struct stat *)                                             \
    static __attribute__((noinline)) int slow_##name(int version, const char *path, struct stat *info)       \
    {                                                                                                        \
        struct cw_path at;                                                                                   \
        return is_ours(&at, path) ? describe(&at, info) : next_##name()(version, at.real, info);             \
    }                                                                                                        \
    int cw_##name(int version, const char *path, struct stat *info) CW_EXPORT(name);                         \
    int cw_##name(int version, const char *path, struct stat *info)                                          \
    {                                                                                                        \
        return cw_maybe_ours(path) ? slow_##name(version, path, info) : next_##name()(version, path, info);  \
    }

XSTAT(__xstat, raw_xstat)
XSTAT(__xstat64, raw_xstat)
XSTAT(__lxstat, raw_lxstat)
XSTAT(__lxstat64, raw_lxstat)

static bool is_ours_at(struct cw_path *at, int dir, const char *path)
{
    cw_touch_at(dir, path);
    return is_ours(at, path);
}

#define FSTATAT(name)                                                                                        \
    CW_NEXT_OR(name, raw_fstatat, int, int, const char *, struct stat *, int)                                \
    static __attribute__((noinline)) int slow_##name(int dir, const char *path, struct stat *info, int flags)\
    {                                                                                                        \
        struct cw_path at;                                                                                   \
        return is_ours_at(&at, dir, path) ? describe(&at, info) : next_##name()(dir, at.real, info, flags);  \
    }                                                                                                        \
    int cw_##name(int dir, const char *path, struct stat *info, int flags) CW_EXPORT(name);                  \
    int cw_##name(int dir, const char *path, struct stat *info, int flags)                                   \
    {                                                                                                        \
        if (cw_maybe_ours_at(dir, path))                                                                     \
            return slow_##name(dir, path, info, flags);                                                      \
        return next_##name()(dir, path, info, flags);                                                        \
    }

FSTATAT(fstatat)
FSTATAT(fstatat64)

#define FXSTATAT(name)                                                                                       \
    CW_NEXT_OR(name, raw_fxstatat, int, int, int, const char *, struct stat *, int)                          \
    static __attribute__((noinline)) int slow_##name(int version, int dir, const char *path, struct stat *info,\
                                                     int flags)                                              \
    {                                                                                                        \
        struct cw_path at;                                                                                   \
        if (is_ours_at(&at, dir, path))                                                                      \
            return describe(&at, info);                                                                      \
        return next_##name()(version, dir, at.real, info, flags);                                            \
    }                                                                                                        \
    int cw_##name(int version, int dir, const char *path, struct stat *info, int flags) CW_EXPORT(name);     \
    int cw_##name(int version, int dir, const char *path, struct stat *info, int flags)                      \
    {                                                                                                        \
        if (cw_maybe_ours_at(dir, path))                                                                     \
            return slow_##name(version, dir, path, info, flags);                                             \
        return next_##name()(version, dir, path, info, flags);                                               \
    }

FXSTATAT(__fxstatat)
FXSTATAT(__fxstatat64)

static int raw_statx(int dir, const char *path, int flags, unsigned mask, struct statx *info)
{
    return (int)syscall(SYS_statx, dir, path, flags, mask, info);
}

static void convert(const struct stat *from, struct statx *to)
{
    memset(to, 0, sizeof *to);
    to->stx_mask = STATX_BASIC_STATS;
    to->stx_blksize = (uint32_t)from->st_blksize;
    to->stx_nlink = (uint32_t)from->st_nlink;
    to->stx_uid = from->st_uid;
    to->stx_gid = from->st_gid;
    to->stx_mode = (uint16_t)from->st_mode;
    to->stx_ino = from->st_ino;
    to->stx_size = (uint64_t)from->st_size;
    to->stx_blocks = (uint64_t)from->st_blocks;
    to->stx_atime.tv_sec = from->st_atim.tv_sec;
    to->stx_mtime.tv_sec = from->st_mtim.tv_sec;
    to->stx_ctime.tv_sec = from->st_ctim.tv_sec;
    to->stx_dev_major = (uint32_t)(from->st_dev >> 8);
    to->stx_dev_minor = (uint32_t)(from->st_dev & 255);
}

CW_NEXT_OR(statx, raw_statx, int, int, const char *, int, unsigned, struct statx *)
static __attribute__((noinline)) int slow_statx(int dir, const char *path, int flags, unsigned mask,
                                                struct statx *info)
{
    struct cw_path at;
    struct stat plain;
    if (!is_ours_at(&at, dir, path))
        return next_statx()(dir, at.real, flags, mask, info);
    int result = describe(&at, &plain);
    if (result == 0)
        convert(&plain, info);
    return result;
}

int cw_statx(int dir, const char *path, int flags, unsigned mask, struct statx *info) CW_EXPORT(statx);
int cw_statx(int dir, const char *path, int flags, unsigned mask, struct statx *info)
{
    if (cw_maybe_ours_at(dir, path))
        return slow_statx(dir, path, flags, mask, info);
    return next_statx()(dir, path, flags, mask, info);
}
