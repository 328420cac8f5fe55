/* A C extension as small as can be: one function. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *add(PyObject *Py_UNUSED(module), PyObject *args)
{
    long a, b, sum;

    if (!PyArg_ParseTuple(args, "ll", &a, &b)) {
        return NULL;
    }
    if (__builtin_add_overflow(a, b, &sum)) {
        PyErr_SetString(PyExc_OverflowError, "the sum does not fit into a C long");
        return NULL;
    }
    return PyLong_FromLong(sum);
}

static PyMethodDef methods[] = {
    {"add", add, METH_VARARGS, PyDoc_STR("add(a, b)\n--\n\nReturn the sum of two integers.")},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "myextension",
    .m_doc = PyDoc_STR("The part of myapp that is written in C."),
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_myextension(void)
{
    return PyModuleDef_Init(&definition);
}
