/* Regular expressions that were compiled when the product was built. `re` compiles in Python, which is a
 * noticeable part of many programs' start. */
#include "patterns.h"

#include <marshal.h>
#include <stdio.h>
#include <string.h>

#include "module.h"
#include "stub.h"
#include "xxh64.h"

#define FOLDER "lib/python" CW_PYTHON_VERSION "/_coachwhip_patterns/"

/* The key of src/coachwhip/collect/patterns.py: kind of text, flags, text. */
static uint64_t key_of(char kind, long flags, const char *text, Py_ssize_t size)
{
    char head[32];
    int head_size = snprintf(head, sizeof head, "%c%ld:", kind, flags);
    uint64_t parts[2] = {cw_xxh64(head, (size_t)head_size), cw_xxh64(text, (size_t)size)};
    return cw_xxh64(parts, sizeof parts);
}

static const struct cw_node *node_of(uint64_t key)
{
    char path[sizeof FOLDER + 16];
    int size = snprintf(path, sizeof path, FOLDER "%016llx", (unsigned long long)key);
    const struct cw_node *node = cw_image_find(&cw_image, path, (size_t)size);
    return node && node->flags & CW_HAS_CODE ? node : NULL;
}

/* Stored is (pattern, flags, arguments of _sre.compile behind the pattern); two patterns may share a key. */
static PyObject *arguments_for(PyObject *stored, PyObject *pattern, PyObject *flags)
{
    if (!PyTuple_CheckExact(stored) || PyTuple_GET_SIZE(stored) != 3)
        return NULL;
    int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(stored, 0), pattern, Py_EQ);
    if (same > 0)
        same = PyObject_RichCompareBool(PyTuple_GET_ITEM(stored, 1), flags, Py_EQ);
    if (same < 0)
        PyErr_Clear();
    return same > 0 ? Py_NewRef(PyTuple_GET_ITEM(stored, 2)) : NULL;
}

PyObject *cw_pattern(PyObject *pattern, PyObject *flags)
{
    Py_ssize_t size;
    char *text;
    long number = PyLong_AsLong(flags);
    const struct cw_node *node = NULL;
    if (PyUnicode_CheckExact(pattern)) {
        if ((text = (char *)PyUnicode_AsUTF8AndSize(pattern, &size)))
            node = node_of(key_of('s', number, text, size));
    } else if (PyBytes_CheckExact(pattern) && PyBytes_AsStringAndSize(pattern, &text, &size) == 0)
        node = node_of(key_of('b', number, text, size));
    PyErr_Clear();
    struct cw_bytes bytes = node ? cw_image_blob(&cw_image, &node->code) : (struct cw_bytes){NULL, 0};
    if (!bytes.data)
        return NULL;
    PyObject *stored = PyMarshal_ReadObjectFromString((const char *)bytes.data, (Py_ssize_t)bytes.size);
    PyObject *arguments = stored ? arguments_for(stored, pattern, flags) : NULL;
    Py_XDECREF(stored);
    PyErr_Clear();
    return arguments;
}
