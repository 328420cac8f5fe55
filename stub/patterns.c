/* Regular expressions that were compiled when the product was built. `re` compiles in Python, which is a
 * noticeable part of many programs' start.
 *
 * Each layer has a table: 32-bit count and 32 bits of nothing, then entries sorted by key, then what they refer
 * to. src/coachwhip/collect/patterns.py writes it. What is damaged is as good as missing: `re` compiles it then. */
#include "patterns.h"

#include <marshal.h>
#include <stdio.h>
#include <string.h>

#include "stub.h"
#include "xxh64.h"

#define FOLDER "lib/python" CW_PYTHON_VERSION "/_coachwhip_patterns"

struct entry {
    uint64_t key;
    uint64_t checksum; /* XXH64 of the bytes at offset */
    uint32_t offset;   /* in the table */
    uint32_t size;
};

/* Kind of text, flags and text, hashed. */
static uint64_t key_of(char kind, long flags, const char *text, Py_ssize_t size)
{
    char head[32];
    int head_size = snprintf(head, sizeof head, "%c%ld:", kind, flags);
    uint64_t parts[2] = {cw_xxh64(head, (size_t)head_size), cw_xxh64(text, (size_t)size)};
    return cw_xxh64(parts, sizeof parts);
}

/* The stored bytes for a key in one table. */
static struct cw_bytes find_in(struct cw_bytes table, uint64_t key)
{
    const struct cw_bytes none = {NULL, 0};
    uint32_t count;
    if (table.size < 8)
        return none;
    memcpy(&count, table.data, sizeof count);
    if (count > (table.size - 8) / sizeof(struct entry))
        return none;
    struct entry entry = {0};
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        memcpy(&entry, table.data + 8 + middle * sizeof entry, sizeof entry);
        if (entry.key == key)
            break;
        if (entry.key < key)
            low = middle + 1;
        else
            high = middle;
    }
    bool inside = entry.offset <= table.size && entry.size <= table.size - entry.offset;
    if (low >= high || !inside || cw_xxh64(table.data + entry.offset, entry.size) != entry.checksum)
        return none;
    return (struct cw_bytes){table.data + entry.offset, entry.size};
}

static struct cw_bytes find(uint64_t key)
{
    const struct cw_node *folder = cw_image_find(&cw_image, FOLDER, sizeof FOLDER - 1);
    const struct cw_node *node;
    struct cw_bytes found = {NULL, 0};
    for (uint32_t n = 0; folder && !found.data && (node = cw_image_child(&cw_image, folder, n)); n++)
        found = find_in(cw_image_unverified(&cw_image, &node->code), key);
    return found;
}

/* Stored is (pattern, flags, arguments of _sre.compile behind the pattern); two patterns may share a key. */
static PyObject *arguments_for(PyObject *stored, PyObject *pattern, PyObject *flags)
{
    if (!PyTuple_CheckExact(stored) || PyTuple_GET_SIZE(stored) != 3)
        return NULL;
    int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(stored, 0), pattern, Py_EQ);
    if (same > 0)
        same = PyObject_RichCompareBool(PyTuple_GET_ITEM(stored, 1), flags, Py_EQ);
    return same > 0 ? Py_NewRef(PyTuple_GET_ITEM(stored, 2)) : NULL;
}

PyObject *cw_pattern(PyObject *pattern, PyObject *flags)
{
    Py_ssize_t size;
    const char *text = NULL;
    long number = PyLong_AsLong(flags);
    char kind = PyUnicode_CheckExact(pattern) ? 's' : 'b';
    if (kind == 's')
        text = PyUnicode_AsUTF8AndSize(pattern, &size);
    else if (PyBytes_CheckExact(pattern)) {
        text = PyBytes_AS_STRING(pattern);
        size = PyBytes_GET_SIZE(pattern);
    }
    struct cw_bytes bytes = text ? find(key_of(kind, number, text, size)) : (struct cw_bytes){NULL, 0};
    PyErr_Clear();
    if (!bytes.data)
        return NULL;
    PyObject *stored = PyMarshal_ReadObjectFromString((const char *)bytes.data, (Py_ssize_t)bytes.size);
    PyObject *arguments = stored ? arguments_for(stored, pattern, flags) : NULL;
    Py_XDECREF(stored);
    PyErr_Clear();
    return arguments;
}
