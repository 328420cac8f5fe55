#include "find.h"

#include <stdbool.h>
#include <string.h>

#include "module.h"
#include "stub.h"

/* The endings of modules, in the order in which CPython's FileFinder tries them. */
static const struct ending {
    const char *text;
    int kind;
} ENDINGS[] = {
    {".cpython-" CW_PYTHON_TAG "-x86_64-linux-gnu.so", 'x'},
    {".abi3.so", 'x'},
    {".so", 'x'},
    {".py", 's'},
    {".pyc", 's'},
};

/* Room for a path below the root with an ending; longer names are in no image. */
enum { LONGEST = 4096 };

struct candidate {
    char path[LONGEST];
    size_t stem; /* length without the ending */
};

static const struct cw_node *with_ending(struct candidate *at, int *kind)
{
    for (size_t n = 0; n < sizeof ENDINGS / sizeof *ENDINGS; n++) {
        size_t size = strlen(ENDINGS[n].text);
        if (at->stem + size >= LONGEST)
            continue;
        memcpy(at->path + at->stem, ENDINGS[n].text, size);
        const struct cw_node *node = cw_image_find(&cw_image, at->path, at->stem + size);
        if (node && node->flags & (CW_HAS_CODE | CW_HAS_DATA)) {
            *kind = ENDINGS[n].kind;
            return node;
        }
    }
    return NULL;
}

/* A package, then a module, then a directory that may be a part of a namespace package: FileFinder's order. */
static const struct cw_node *find_module(struct candidate *at, int *kind, bool *package)
{
    static const char init[] = "/__init__";
    const struct cw_node *folder = cw_image_find(&cw_image, at->path, at->stem);
    *package = false;
    if (folder && folder->kind == CW_DIRECTORY && at->stem + sizeof init < LONGEST) {
        memcpy(at->path + at->stem, init, sizeof init - 1);
        at->stem += sizeof init - 1;
        const struct cw_node *node = with_ending(at, kind);
        if (node) {
            *package = true;
            return node;
        }
        at->stem -= sizeof init - 1;
    }
    const struct cw_node *node = with_ending(at, kind);
    if (node)
        return node;
    *kind = 'n';
    return folder && folder->kind == CW_DIRECTORY ? folder : NULL;
}

static PyObject *find_result(const struct cw_node *node, int kind, bool package)
{
    struct cw_text path = cw_image_text(&cw_image, node->path);
    struct cw_text name = cw_image_name(&cw_image, node);
    if (!path.data || !name.data)
        return cw_damaged(node);
    PyObject *origin = PyUnicode_FromFormat("%s/%s", CW_ROOT, path.data);
    bool sourceless = name.size < 3 || strcmp(name.data + name.size - 3, ".py") != 0;
    if (kind != 's' || sourceless)
        return Py_BuildValue("(CNOO)", kind, origin, Py_None, package ? Py_True : Py_False);
    PyObject *cached =
        PyUnicode_FromFormat("%s/%.*s__pycache__/%.*s.cpython-%s.pyc", CW_ROOT, (int)(path.size - name.size),
                             path.data, (int)(name.size - 3), name.data, CW_PYTHON_TAG);
    return Py_BuildValue("(CNNO)", kind, origin, cached, package ? Py_True : Py_False);
}

PyObject *cw_find(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "find() takes 2 arguments");
    Py_ssize_t folder_size, name_size;
    const char *folder = PyUnicode_AsUTF8AndSize(args[0], &folder_size);
    const char *name = folder ? PyUnicode_AsUTF8AndSize(args[1], &name_size) : NULL;
    if (!name) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    const char *rest = cw_below_root(folder, &folder_size);
    if (!rest || folder_size + name_size + 2 > LONGEST)
        Py_RETURN_NONE;
    struct candidate at;
    at.stem = (size_t)folder_size;
    memcpy(at.path, rest, at.stem);
    if (at.stem)
        at.path[at.stem++] = '/';
    memcpy(at.path + at.stem, name, (size_t)name_size);
    at.stem += (size_t)name_size;
    int kind;
    bool package;
    const struct cw_node *node = find_module(&at, &kind, &package);
    if (!node)
        Py_RETURN_NONE;
    return find_result(node, kind, package);
}
