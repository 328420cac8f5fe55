/* The loader of prelinked native libraries: they are mapped from the executable, everything else goes to the system's
 * loader. Libraries stay loaded until the end of the process, as with RTLD_NODELETE. */
#ifndef CW_NATIVES_H
#define CW_NATIVES_H

#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libraries.h"

/* A prelinked library in this process. Its handle is the address of `map`, as with ld.so. */
struct cw_native {
    struct link_map map;
    const struct cw_library *library;
    atomic_bool loaded; /* others may find it; its constructors may still run */
    atomic_bool global; /* opened with RTLD_GLOBAL */
    bool mapped;
};

/* All that the loader knows. What `all`, `order` and `atexit` point to comes from the heap. */
struct cw_natives {
    struct cw_native *all;     /* one for each library of the image, in their order */
    uint32_t *order;           /* numbers of the loaded ones, in the order of their constructors */
    atomic_uint loaded_count;
    bool unusable;             /* the addresses are taken, or it is not wanted: they are unpacked */
    bool reserved;             /* the addresses are ours in this process */
};
extern struct cw_natives cw_natives;

/* The part of the loader that a process starts with: argc, argv, environ for constructors. */
struct cw_arguments {
    int argc;
    char **argv, **envp;
};
extern struct cw_arguments cw_arguments;

/* Whether libraries can be loaded from the image in this process. Decided at the first call, with the lock held. */
bool cw_natives_usable(void);

/* Held while anything is loaded; recursive. */
void cw_natives_lock(void);
void cw_natives_unlock(void);

/* The library as it is in this process. */
static inline struct cw_native *cw_native_of(const struct cw_image *image, const struct cw_library *library)
{
    return cw_natives.all ? &cw_natives.all[library - image->libraries] : NULL;
}

/* What has this handle, or NULL. */
struct cw_native *cw_native_of_handle(const void *handle);

/* The loaded library that has an address, or NULL. Takes no lock. */
struct cw_native *cw_native_at(const void *address);

/* The loaded library number `n`, NULL behind the last one. Takes no lock. */
struct cw_native *cw_native_loaded(uint32_t n);

/* Loads the prelinked library of `node` with those that it needs, as dlopen. Returns its handle, or NULL with
 * a message for dlerror. `*elsewhere` tells that it is to be unpacked instead. */
void *cw_native_open(const struct cw_node *node, int mode, bool *elsewhere);

/* The loaded library that the system's loader would know under a bare name, or, for a library that calls dlopen, the
 * one that its DT_RUNPATH leads to; NULL. */
const struct cw_node *cw_native_named(const char *name, const void *caller);

/* The handle that dlopen(NULL) gives, and what the system's loader has for it; other handles are what they are. */
extern char cw_program;
void *cw_real_handle(void *handle);

/* --- parts of the loader --- */

/* Opens the executable's file for mapping; a descriptor, or a negated errno. */
int cw_natives_file(void);

/* Maps what libraries share, and reserves the addresses of all. A negated errno when that can't be done. */
int cw_natives_reserve(int fd);

/* Gives the addresses back. */
void cw_natives_unreserve(void);

/* Maps one library (writable where it is to be fixed up), makes it read-only where it has to be, takes it away. */
int cw_native_map(const struct cw_library *library, int fd);
int cw_native_protect(const struct cw_library *library);
void cw_native_unmap(const struct cw_library *library);

/* Makes the slots writable or not. */
int cw_slots_open(void);
int cw_slots_close(void);

/* Whether a slot that the library uses has not been filled: the slots must be made writable then. */
bool cw_native_has_open_slots(const struct cw_native *native);

/* Fills the slots that a library uses, and fixes up its data but for what its own functions have to tell.
 * `lazy`: functions that do not exist are no error until they are called. False with a message for dlerror. */
bool cw_native_bind(struct cw_native *native, bool lazy);

/* Writes what the library's resolver functions tell. */
void cw_native_resolve(struct cw_native *native);

/* Loads the libraries of the machine that it needs; false with a message for dlerror. */
bool cw_native_needs(struct cw_native *native);

/* The address of a symbol in the libraries of the machine that a loaded library needs, or NULL. */
void *cw_outside_symbol(const struct cw_native *native, const char *name, const char *version);

/* Forgets handles of the system's loader, which are of another process. */
void cw_outside_forget(void);

/* The same for the machine's unwinder. */
void cw_unwind_forget(void);

/* Runs exit handlers and destructors of all libraries. */
void cw_natives_end(void);

/* --- for saving and restoring a process --- */

/* Calls `range` for every run of memory of loaded libraries that differs from the file, or may do so later. */
void cw_natives_ranges(void range(void *context, void *start, size_t size), void *context);

/* In a process that is to be restored, before anything is put in place: takes the addresses. Returns the executable's
 * descriptor for the next step, or a negated errno when the addresses are not to be had or the file is not. */
int cw_natives_restore_begin(void);

/* Undoes that. */
void cw_natives_restore_undo(int fd);

/* Before anything of a library runs, once the stub's own data and the heap are back: maps the libraries that were
 * loaded as they are in the file. Then the ranges above are to be put in place (MAP_FIXED). 0 or a negated errno;
 * closes the descriptor, which is negative when there are none. */
int cw_natives_restore_map(int fd);

/* After that: fills slots and what refers to the outside anew, and gives the main thread its storage. No
 * constructor runs. The thread key of the storage must be back. A negated errno when a library of the machine, or
 * a symbol in it, is missing; dlerror tells which. */
int cw_natives_restored(void);

#endif
