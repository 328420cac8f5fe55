/* An extension module that uses streams of C++, with all that they know of the C locale. */
#include <Python.h>

#include <iomanip>
#include <iostream>
#include <locale>
#include <sstream>

static PyObject *shown(PyObject *, PyObject *)
{
    const auto &letters = std::use_facet<std::ctype<wchar_t>>(std::locale());
    const auto &bytes = std::use_facet<std::ctype<char>>(std::locale());
    std::ostringstream text;
    text << std::setprecision(3) << 1234.5678 << ' ' << letters.is(std::ctype_base::alpha, L'x')
         << letters.is(std::ctype_base::digit, L'x') << (letters.toupper(L'x') == L'X') << ' '
         << bytes.toupper('y') << bytes.is(std::ctype_base::space, ' ') << std::isxdigit('g', std::locale());
    std::cerr << std::flush;
    return PyUnicode_FromString(text.str().c_str());
}

static PyMethodDef functions[] = {{"shown", shown, METH_NOARGS, nullptr}, {}};
static PyModuleDef_Slot slots[] = {{}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "fluent", nullptr, 0, functions, slots, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit_fluent(void) { return PyModuleDef_Init(&definition); }
