#include "module.h"

#include <marshal.h>
#include <string.h>

#include "constants.h"
#include "content.h"
#include "finalizers.h"
#include "find.h"
#include "imports.h"
#include "libraries.h"
#include "openssl.h"
#include "paths.h"
#include "patterns.h"
#include "say.h"
#include "stub.h"
#include "unpack.h"
#include "variables.h"

const char *cw_below_root(const char *path, Py_ssize_t *size)
{
    const Py_ssize_t root = sizeof CW_ROOT - 1;
    if (*size < root || memcmp(path, CW_ROOT, (size_t)root) != 0)
        return NULL;
    if (*size == root) {
        *size = 0;
        return path + root;
    }
    if (path[root] != '/')
        return NULL;
    *size -= root + 1;
    return path + root + 1;
}

const struct cw_node *cw_node_at(PyObject *path)
{
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(path, &size);
    if (!text) {
        PyErr_Clear(); /* lone surrogates: no such path in an image */
        return NULL;
    }
    const char *rest = cw_below_root(text, &size);
    return rest ? cw_image_find(&cw_image, rest, (size_t)size) : NULL;
}

PyObject *cw_damaged(const struct cw_node *node)
{
    struct cw_text path = cw_image_text(&cw_image, node->path);
    return PyErr_Format(PyExc_ImportError, "this program's file is damaged: %s; copy or download it again",
                        path.data ? path.data : "?");
}

static PyObject *missing(PyObject *path)
{
    errno = ENOENT;
    return PyErr_SetFromErrnoWithFilenameObject(PyExc_FileNotFoundError, path);
}

/* Damaged code ends the program: an ImportError would often be taken for a module that is not installed, and
 * the program would go on as another one. */
_Noreturn static void die_of_damage(const struct cw_node *node)
{
    struct cw_text path = cw_image_text(&cw_image, node->path);
    const char *name = path.data ? path.data : "its index";
    cw_die(CW_EXIT_DAMAGED, cw_self_path(), "this file is damaged (%s); copy or download it again", name);
}

PyObject *cw_node_code(const struct cw_node *node)
{
    struct cw_bytes stored = cw_image_blob(&cw_image, &node->code);
    if (!stored.data || stored.size > PY_SSIZE_T_MAX)
        die_of_damage(node);
    PyObject *code = PyMarshal_ReadObjectFromString((const char *)stored.data, (Py_ssize_t)stored.size);
    if (code && !PyCode_Check(code))
        die_of_damage(node);
    return code;
}

static PyObject *node_data(const struct cw_node *node)
{
    struct cw_bytes stored = cw_image_blob(&cw_image, &node->data);
    if (!stored.data || node->data.raw > PY_SSIZE_T_MAX)
        return cw_damaged(node);
    if (!(node->flags & CW_DATA_ZSTD))
        return PyBytes_FromStringAndSize((const char *)stored.data, (Py_ssize_t)stored.size);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)node->data.raw);
    if (!bytes)
        return NULL;
    if (!cw_decode_content(node, PyBytes_AS_STRING(bytes), stored)) {
        Py_DECREF(bytes);
        return cw_damaged(node);
    }
    return bytes;
}

PyDoc_STRVAR(code_doc, "code(path) -> the code object of the module at path; None when it has none.");

static PyObject *module_code(PyObject *self, PyObject *path)
{
    (void)self;
    const struct cw_node *node = cw_node_at(path);
    if (!node || !(node->flags & CW_HAS_CODE))
        Py_RETURN_NONE;
    return cw_node_code(node);
}

PyDoc_STRVAR(read_doc, "read(path) -> the bytes of the file at path. Raises FileNotFoundError.");

static PyObject *module_read(PyObject *self, PyObject *path)
{
    (void)self;
    const struct cw_node *node = cw_node_at(path);
    if (!node || !(node->flags & CW_HAS_DATA))
        return missing(path);
    return node_data(node);
}

PyDoc_STRVAR(listdir_doc, "listdir(path) -> [(name, is_directory), ...] of the directory at path, sorted.\n"
                          "Raises FileNotFoundError.");

static PyObject *module_listdir(PyObject *self, PyObject *path)
{
    (void)self;
    const struct cw_node *node = cw_node_at(path);
    if (!node || node->kind != CW_DIRECTORY)
        return missing(path);
    PyObject *list = PyList_New(0);
    const struct cw_node *child;
    for (uint32_t n = 0; list && (child = cw_image_child(&cw_image, node, n)); n++) {
        struct cw_text name = cw_image_name(&cw_image, child);
        PyObject *item = Py_BuildValue("(s#O)", name.data, (Py_ssize_t)name.size,
                                       child->kind == CW_DIRECTORY ? Py_True : Py_False);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

PyDoc_STRVAR(find_doc, "find(directory, name) -> None, or (kind, origin, cached, is_package) of a module.\n"
                       "kind is 's' (code), 'x' (extension module) or 'n' (a directory: a namespace portion).");

PyDoc_STRVAR(path_lines_doc, "path_lines() -> [line, ...] of the .pth files of the installed projects.");

static PyObject *module_path_lines(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    PyObject *list = PyList_New(0);
    struct cw_text line;
    for (uint32_t n = 0; list && (line = cw_image_item(&cw_image, cw_image.settings->path_lines, n)).data; n++) {
        PyObject *item = PyUnicode_DecodeUTF8(line.data, line.size, "surrogateescape");
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

PyDoc_STRVAR(pattern_doc, "pattern(pattern, flags) -> arguments for _sre.compile behind the pattern, or None.");

static PyObject *module_pattern(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "pattern() takes 2 arguments");
    PyObject *arguments = cw_pattern(args[0], args[1]);
    return arguments ? arguments : Py_NewRef(Py_None);
}

PyDoc_STRVAR(reads_doc,
    "reads() -> how often the time of day was asked for, the kernel for randomness, and local time.");

static PyObject *module_reads(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return Py_BuildValue("kkk", cw_clock_reads(), cw_random_reads(), cw_zone_reads());
}

PyDoc_STRVAR(hold_constant_doc, "hold_constant(): let time and the process's number be constant.");

static PyObject *module_hold_constant(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    cw_hold_constant();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(hold_randomness_doc, "hold_randomness(): let randomness be constant.");

static PyObject *module_hold_randomness(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    cw_hold_randomness();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(configure_openssl_doc, "configure_openssl(): have OpenSSL read this machine's configuration.");

static PyObject *module_configure_openssl(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    cw_openssl_configure();
    Py_RETURN_NONE;
}

PyDoc_STRVAR(is_prelinked_doc, "is_prelinked(path) -> whether a native library can be part of a snapshot.");

static PyObject *module_is_prelinked(PyObject *self, PyObject *path)
{
    (void)self;
    const struct cw_node *node = cw_node_at(path);
    return PyBool_FromLong(node && cw_library_of(&cw_image, node));
}

PyDoc_STRVAR(variables_doc, "variables() -> names that native code has asked the environment for since the last call.");

static PyObject *module_variables(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    cw_variables_watch();
    return PyUnicode_DecodeFSDefault(cw_variables_take());
}

PyDoc_STRVAR(finalizers_doc, "finalizers() -> how many objects with a __del__ in Python were found up to now.\n"
                             "Freezes what it has looked at.");

static PyObject *module_finalizers(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    long count = cw_count_finalizers();
    return count < 0 ? NULL : PyLong_FromLong(count);
}

PyDoc_STRVAR(exec_doc, "exec_module(loader, module): run the code at loader.path in the module.");

static PyMethodDef EXEC_MODULE = {"exec_module", (PyCFunction)(void (*)(void))cw_exec_module, METH_FASTCALL,
                                  exec_doc};

/* Adds exec_module in the form that a class can have as its method. */
static int add_method(PyObject *module)
{
    PyObject *function = PyCFunction_New(&EXEC_MODULE, NULL);
    PyObject *method = function ? PyInstanceMethod_New(function) : NULL;
    Py_XDECREF(function);
    return PyModule_Add(module, EXEC_MODULE.ml_name, method);
}

static PyMethodDef METHODS[] = {
    {"find", (PyCFunction)(void (*)(void))cw_find, METH_FASTCALL, find_doc},
    {"code", module_code, METH_O, code_doc},
    {"read", module_read, METH_O, read_doc},
    {"listdir", module_listdir, METH_O, listdir_doc},
    {"pattern", (PyCFunction)(void (*)(void))module_pattern, METH_FASTCALL, pattern_doc},
    {"configure_openssl", module_configure_openssl, METH_NOARGS, configure_openssl_doc},
    {"is_prelinked", module_is_prelinked, METH_O, is_prelinked_doc},
    {"variables", module_variables, METH_NOARGS, variables_doc},
    {"finalizers", module_finalizers, METH_NOARGS, finalizers_doc},
    {"hold_constant", module_hold_constant, METH_NOARGS, hold_constant_doc},
    {"hold_randomness", module_hold_randomness, METH_NOARGS, hold_randomness_doc},
    {"reads", module_reads, METH_NOARGS, reads_doc},
    {"path_lines", module_path_lines, METH_NOARGS, path_lines_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef_Slot SLOTS[] = {
    {Py_mod_exec, add_method},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, NULL},
};

static struct PyModuleDef DEFINITION = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_coachwhip",
    .m_doc = "The image of this product.",
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyObject *PyInit__coachwhip(void)
{
    return PyModuleDef_Init(&DEFINITION);
}
