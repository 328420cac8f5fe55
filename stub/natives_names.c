/* Prelinked libraries by bare names, as dlopen("libx.so.1") means them. */
#define _GNU_SOURCE 1
#include <string.h>

#include "natives.h"
#include "paths.h"

static const struct cw_node *node_of(const struct cw_library *library)
{
    return cw_image_node(cw_paths_image(), library->node);
}

static bool is_called(const struct cw_library *library, const char *name)
{
    const struct cw_image *image = cw_paths_image();
    struct cw_text soname = cw_image_text(image, library->soname);
    struct cw_text file = cw_image_name(image, node_of(library));
    return (soname.size && strcmp(soname.data, name) == 0) || (file.data && strcmp(file.data, name) == 0);
}

/* In the directories that the calling library names in DT_RUNPATH. */
static const struct cw_node *beside(const struct cw_library *library, const char *name)
{
    const struct cw_image *image = cw_paths_image();
    struct cw_text folder;
    for (uint32_t n = 0; (folder = cw_image_item(image, library->folders, n)).data; n++) {
        char path[PATH_MAX];
        size_t size = strlen(name);
        if (folder.size + size + 2 > sizeof path)
            continue;
        memcpy(path, folder.data, folder.size);
        path[folder.size] = '/';
        memcpy(path + folder.size + 1, name, size + 1);
        const struct cw_node *node = cw_image_find(image, path, folder.size + 1 + size);
        if (node && node->flags & CW_NATIVE)
            return node;
    }
    return NULL;
}

const struct cw_node *cw_native_named(const char *name, const void *caller)
{
    struct cw_native *native;
    for (uint32_t n = 0; (native = cw_native_loaded(n)); n++)
        if (is_called(native->library, name))
            return node_of(native->library);
    native = cw_native_at(caller);
    return native ? beside(native->library, name) : NULL;
}
