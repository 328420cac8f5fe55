#include "bake.h"
#include "config.h"
#include "collector.h"
#include "interrupts.h"
#include "lifetime.h"
#include "module.h"
#include "paths.h"
#include "resume.h"
#include "say.h"
#include "stub.h"

/* Calls a function of the boot module; -1 with an exception set when it fails. */
static int call_boot(const char *function, PyObject *argument)
{
    PyObject *boot = PyImport_ImportModule("_coachwhip_boot");
    PyObject *result = boot ? PyObject_CallMethod(boot, function, "O", argument) : NULL;
    Py_XDECREF(boot);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int import_entry_module(void)
{
    struct cw_text module = cw_image_text(&cw_image, cw_image.settings->entry_module);
    return module.size ? cw_import_entry(module.data) : 0;
}

/* Runs the entry's code in `__main__`, as `python SCRIPT` would. */
static PyObject *run_entry(void)
{
    const struct cw_node *node = cw_image_node(&cw_image, cw_image.settings->entry);
    struct cw_text path = node ? cw_image_text(&cw_image, node->path) : (struct cw_text){NULL, 0};
    if (!path.data)
        cw_die(CW_EXIT_DAMAGED, cw_self_path(), "this file is damaged (its entry is missing)");
    PyObject *file = PyUnicode_FromFormat("%s/%s", CW_ROOT, path.data);
    bool ready = file && call_boot("prepare_main", file) == 0;
    cw_allow_interrupts();
    ready = ready && import_entry_module() == 0;
    PyObject *code = ready ? cw_node_code(node) : NULL;
    PyObject *module = code ? PyImport_AddModuleRef("__main__") : NULL;
    PyObject *scope = module ? PyModule_GetDict(module) : NULL;
    PyObject *result = scope ? PyEval_EvalCode(code, scope, scope) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(code);
    Py_XDECREF(file);
    return result;
}

_Noreturn static void run_app(void)
{
    int status = 0;
    PyObject *result = run_entry();
    if (!result) {
        bool interrupted = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
        PyErr_Print(); /* ends the process on SystemExit */
        status = interrupted ? CW_STATUS_SIGINT : 1;
    }
    Py_XDECREF(result);
    cw_exit(status);
}

static int start_python(const struct cw_start *start)
{
    cw_initialize(start);
    if (call_boot("prepare", start->interpreter ? Py_True : Py_False) == 0)
        return 0;
    PyErr_Print();
    return -1;
}

int cw_run(const struct cw_start *start)
{
    if (start_python(start) < 0)
        return CW_EXIT_START;
    if (cw_bake_plan())
        cw_bake(cw_bake_plan());
    if (!start->interpreter)
        run_app();
    cw_allow_interrupts();
    return Py_RunMain();
}

int cw_continue(const struct cw_start *start)
{
    cw_resume(start);
    run_app();
}
