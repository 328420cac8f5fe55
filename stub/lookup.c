/* Takes the place of libpython's _PyDict_GetItemRef_KnownHash for small dictionaries whose keys are texts.
 *
 * For each class that is made, libpython looks for some ninety special methods in the class and all its bases: hundreds
 * of thousands of look-ups at a start, nearly all of them in vain. This does in a few instructions what libpython's
 * general look-up does in seventy. */
#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter" /* in a header of this one's */
#include <internal/pycore_dict.h>
#pragma GCC diagnostic pop

#if PY_VERSION_HEX < 0x030d0000 || PY_VERSION_HEX >= 0x030e0000
#error "compare with Objects/dictobject.c of this version"
#endif

/* Tables of at least 2^BYTE_SIZED places have indices of more than one byte. */
enum { BYTE_SIZED = 8, PERTURB_SHIFT = 5 };

/* libpython's own, called through --wrap. */
int __real__PyDict_GetItemRef_KnownHash(PyDictObject *dict, PyObject *key, Py_hash_t hash, PyObject **result);
int __wrap__PyDict_GetItemRef_KnownHash(PyDictObject *dict, PyObject *key, Py_hash_t hash, PyObject **result);

int __wrap__PyDict_GetItemRef_KnownHash(PyDictObject *dict, PyObject *key, Py_hash_t hash, PyObject **result)
{
    PyDictKeysObject *keys = dict->ma_keys;
    bool simple = keys->dk_kind == DICT_KEYS_UNICODE && DK_LOG_SIZE(keys) < BYTE_SIZED && PyUnicode_CheckExact(key);
    if (!simple)
        return __real__PyDict_GetItemRef_KnownHash(dict, key, hash, result);
    const int8_t *indices = (const int8_t *)keys->dk_indices;
    size_t mask = (size_t)DK_SIZE(keys) - 1, perturb = (size_t)hash, place = (size_t)hash & mask;
    for (;; perturb >>= PERTURB_SHIFT, place = (place * 5 + perturb + 1) & mask) {
        int index = indices[place];
        if (index == DKIX_EMPTY) {
            *result = NULL;
            return 0;
        }
        if (index < 0)
            continue;
        const PyDictUnicodeEntry *entry = &DK_UNICODE_ENTRIES(keys)[index];
        if (entry->me_key == key) {
            *result = Py_NewRef(entry->me_value);
            return 1;
        }
        if (((PyASCIIObject *)entry->me_key)->hash == hash)
            return __real__PyDict_GetItemRef_KnownHash(dict, key, hash, result);
    }
}
