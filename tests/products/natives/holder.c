/* An extension module that keeps an address inside of libc which no symbol has. */
#define _GNU_SOURCE 1
#include <Python.h>
#include <locale.h>

static struct lconv *kept;

static PyObject *is_right(PyObject *self, PyObject *unused)
{
    return PyBool_FromLong(kept == localeconv());
}

static PyMethodDef methods[] = {
    {"is_right", is_right, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "holder", .m_methods = methods};

PyMODINIT_FUNC PyInit_holder(void)
{
    kept = localeconv();
    return PyModuleDef_Init(&definition);
}
