#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
#include <wchar.h>

#include "arena.h"
#include "bake.h"
#include "gates.h"
#include "module.h"
#include "stub.h"

#define STDLIB CW_ROOT "/lib/python" CW_PYTHON_VERSION

/* libpython's own, called through --wrap. */
PyStatus __wrap__PyConfig_InitPathConfig(PyConfig *config, int compute);
PyStatus __wrap__PyImport_InitExternal(PyThreadState *thread);

static void check(PyStatus status)
{
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
}

static void set(PyConfig *config, wchar_t **field, const char *value)
{
    check(PyConfig_SetBytesString(config, field, value));
}

static void append(PyWideStringList *list, const char *value)
{
    wchar_t *wide = Py_DecodeLocale(value, NULL);
    if (!wide)
        check(PyStatus_NoMemory());
    check(PyWideStringList_Append(list, wide));
    PyMem_RawFree(wide);
}

static void append_all(PyWideStringList *list, struct cw_list items)
{
    struct cw_text item;
    for (uint32_t n = 0; (item = cw_image_item(&cw_image, items, n)).data; n++)
        append(list, item.data);
}

/* The -X options of the build that CPython looks at before it has a list of them. */
static void preset(PyPreConfig *config)
{
    struct cw_text option;
    for (uint32_t n = 0; (option = cw_image_item(&cw_image, cw_image.settings->xoptions, n)).data; n++)
        if (strcmp(option.data, "dev") == 0)
            config->dev_mode = 1;
    if (cw_chosen_utf8_mode() >= 0)
        config->utf8_mode = cw_chosen_utf8_mode();
}

/* The locale's encoding as `python` would use it, UTF-8 mode in the C locale included (PEP 540); but the
 * environment is not coerced (PEP 538): programs that the app starts inherit it as it was. */
static void preinitialize(const struct cw_start *start, bool environment)
{
    PyPreConfig config;
    PyPreConfig_InitPythonConfig(&config);
    config.coerce_c_locale = 0;
    config.coerce_c_locale_warn = 0;
    config.use_environment = environment;
    config.isolated = !environment && !start->interpreter;
    config.parse_argv = start->interpreter;
    preset(&config);
    if (start->interpreter)
        check(Py_PreInitializeFromBytesArgs(&config, start->argc, start->argv));
    else
        check(Py_PreInitialize(&config));
}

/* Where everything is, so that CPython need not look for it. */
static void set_paths(PyConfig *config)
{
    set(config, &config->program_name, CW_ROOT "/bin/python" CW_PYTHON_VERSION);
    set(config, &config->executable, CW_ROOT "/bin/python" CW_PYTHON_VERSION);
    set(config, &config->base_executable, CW_ROOT "/bin/python" CW_PYTHON_VERSION);
    set(config, &config->home, CW_ROOT);
    set(config, &config->prefix, CW_ROOT);
    set(config, &config->base_prefix, CW_ROOT);
    set(config, &config->exec_prefix, CW_ROOT);
    set(config, &config->base_exec_prefix, CW_ROOT);
    set(config, &config->stdlib_dir, STDLIB);
    set(config, &config->platlibdir, "lib");
    config->module_search_paths_set = 1;
    append(&config->module_search_paths, STDLIB);
    append(&config->module_search_paths, STDLIB "/site-packages");
}

/* An entry of $PYTHONPATH as an absolute path; NULL when there is no memory or no current directory. */
static wchar_t *absolute(const wchar_t *entry)
{
    char here[PATH_MAX];
    wchar_t *folder = *entry == L'/' ? Py_DecodeLocale("", NULL) : NULL;
    if (!folder && getcwd(here, sizeof here))
        folder = Py_DecodeLocale(here, NULL);
    size_t size = folder ? wcslen(folder) + wcslen(entry) + 2 : 0;
    wchar_t *path = folder ? PyMem_RawMalloc(size * sizeof *path) : NULL;
    if (path)
        swprintf(path, size, *folder && *entry ? L"%ls/%ls" : L"%ls%ls", folder, entry);
    PyMem_RawFree(folder);
    return path;
}

/* Puts the directories in $PYTHONPATH before the product's own, and forgets about it. */
static PyStatus add_python_path(PyConfig *config)
{
    wchar_t *all = config->pythonpath_env, *rest = NULL;
    PyStatus status = PyStatus_Ok();
    config->pythonpath_env = NULL;
    Py_ssize_t place = 0;
    for (wchar_t *entry = all; entry && !PyStatus_Exception(status); entry = rest) {
        rest = wcschr(entry, L':');
        if (rest)
            *rest++ = L'\0';
        wchar_t *path = absolute(entry);
        if (path)
            status = PyWideStringList_Insert(&config->module_search_paths, place++, path);
        PyMem_RawFree(path);
    }
    PyMem_RawFree(all);
    return status;
}

/* Takes the place of the search for the standard library and for pyvenv.cfg: all paths are known but those
 * of the environment, which CPython has read only where it is to be honoured. */
PyStatus __wrap__PyConfig_InitPathConfig(PyConfig *config, int compute)
{
    (void)compute;
    return add_python_path(config);
}

/* What python(1) would have been called with, were the product a script: `[sys.executable, *sys.orig_argv[1:]]` has to
 * start the app again. */
static void set_orig_argv(PyConfig *config, const struct cw_start *start)
{
    append(&config->orig_argv, CW_ROOT "/bin/python" CW_PYTHON_VERSION);
    for (int n = 0; n < start->argc; n++)
        append(&config->orig_argv, start->argv[n]);
}

static void configure(PyConfig *config, const struct cw_start *start, bool environment)
{
    const struct cw_settings *settings = cw_image.settings;
    PyConfig_InitPythonConfig(config);
    config->isolated = !environment && !start->interpreter;
    config->use_environment = environment;
    config->safe_path = !start->interpreter;
    config->user_site_directory = 0;
    config->site_import = 0;
    config->pathconfig_warnings = 0;
    config->optimization_level = (int)settings->optimize;
    config->parse_argv = start->interpreter;
    append_all(&config->xoptions, settings->xoptions);
    append_all(&config->warnoptions, settings->warnings);
    if (cw_bake_plan() && cw_bake_here() < 0) { /* as random as the program's content */
        config->use_hash_seed = 1;
        config->hash_seed = (unsigned long)(cw_image.header->tables_checksum & 0xffffffff);
    }
    if (!start->interpreter)
        set_orig_argv(config, start);
    check(PyConfig_SetBytesArgv(config, start->argc, start->argv));
    set_paths(config);
}

/* PyImport_ExecCodeModule needs importlib's outer half, which this code prepares. */
static PyObject *run_boot_code(PyObject *code)
{
    PyObject *module = PyImport_AddModuleRef("_coachwhip_boot");
    if (!module)
        return NULL;
    PyObject *scope = PyModule_GetDict(module);
    PyObject *result = NULL;
    if (PyDict_SetItemString(scope, "__builtins__", PyEval_GetBuiltins()) == 0)
        result = PyEval_EvalCode(code, scope, scope);
    Py_DECREF(module);
    return result;
}

/* Takes the place of setting up the imports of files, in the main and in every other interpreter: up to here only
 * built-in and frozen modules can be imported, from here on those of the image. */
PyStatus __wrap__PyImport_InitExternal(PyThreadState *thread)
{
    static const char path[] = "lib/python" CW_PYTHON_VERSION "/_coachwhip_boot.py";
    (void)thread;
    const struct cw_node *node = cw_image_find(&cw_image, path, sizeof path - 1);
    PyObject *code = node ? cw_node_code(node) : NULL;
    PyObject *result = code ? run_boot_code(code) : NULL;
    Py_XDECREF(code);
    if (!result) {
        PyErr_Print();
        return PyStatus_Error("the program's file is damaged: its start code does not run");
    }
    Py_DECREF(result);
    return PyStatus_Ok();
}

void cw_initialize(const struct cw_start *start)
{
    /* The environment of a setuid program is not its user's to choose. */
    bool environment = (cw_image.settings->flags & CW_ENVIRONMENT) && !getauxval(AT_SECURE);
    cw_use_huge_arenas();
    if (PyImport_AppendInittab("_coachwhip", PyInit__coachwhip) < 0)
        check(PyStatus_NoMemory());
    preinitialize(start, environment);
    PyConfig config;
    configure(&config, start, environment);
    check(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
}
