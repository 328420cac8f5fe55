/* Takes the place of libpython's _PyCode_Quicken: prepares a new code object's inline caches.
 *
 * libpython's looks at each instruction as if it could have been instrumented, which one of a new code object
 * never is; at a start thousands of code objects are new. */
#define Py_BUILD_CORE_MODULE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <internal/pycore_backoff.h>
#include <internal/pycore_code.h>
#include <internal/pycore_opcode_metadata.h>
#include <opcode.h>

#if PY_VERSION_HEX < 0x030d0000 || PY_VERSION_HEX >= 0x030e0000
#error "compare with Python/specialize.c of this version"
#endif

/* The start value of a branch's history: taken and not taken in turn. */
enum { EVEN_HISTORY = 0x5555 };

void __wrap__PyCode_Quicken(PyCodeObject *code);

void __wrap__PyCode_Quicken(PyCodeObject *code)
{
    _Py_CODEUNIT *end = _PyCode_CODE(code) + Py_SIZE(code);
    for (_Py_CODEUNIT *at = _PyCode_CODE(code); at < end; at++) {
        int opcode = at->op.code;
        int caches = _PyOpcode_Caches[opcode];
        if (!caches)
            continue;
        switch (opcode) {
        case JUMP_BACKWARD:
            at[1].counter = initial_jump_backoff_counter();
            break;
        case POP_JUMP_IF_FALSE:
        case POP_JUMP_IF_TRUE:
        case POP_JUMP_IF_NONE:
        case POP_JUMP_IF_NOT_NONE:
            at[1].cache = EVEN_HISTORY;
            break;
        default:
            at[1].counter = adaptive_counter_warmup();
        }
        at += caches;
    }
}
