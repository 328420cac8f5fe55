"""What the products of these tests are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.products.building import make_wheel
from tests.products.extensions import SUFFIX, WHEEL_TAG

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CONFIGURED", "ENDING", "NATIVE", "PARALLEL", "STRICT", "probe_wheels"]

#: An extension module inside a package, with a type whose objects do something when they end.
NATIVE = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

static PyObject *answer(PyObject *self, PyObject *unused)
{
    return PyLong_FromLong(42);
}

struct closer {
    PyObject_HEAD
    char *path;
};

static int closer_init(PyObject *self, PyObject *args, PyObject *named)
{
    const char *path;
    if (!PyArg_ParseTuple(args, "s", &path))
        return -1;
    ((struct closer *)self)->path = strdup(path);
    return 0;
}

static void closer_dealloc(PyObject *self)
{
    FILE *file = fopen(((struct closer *)self)->path, "w");
    fputs("closed", file);
    fclose(file);
    free(((struct closer *)self)->path);
    Py_TYPE(self)->tp_free(self);
}

static PyTypeObject closer_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "probe._native.Closer",
    .tp_basicsize = sizeof(struct closer),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = closer_init,
    .tp_dealloc = closer_dealloc,
};

static int fill(PyObject *module)
{
    return PyModule_AddType(module, &closer_type);
}

static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, "The answer."}, {NULL}};
static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", "Written in C.", 0, methods, slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&module);
}
"""

_CLI = """\
import sys


def main():
    code = compile(sys.argv.pop(1), "<probe>", "exec")
    exec(code, {"__name__": "__main__", "__builtins__": __builtins__})
"""

_WORK = '''\
"""Work for other processes."""

import os


class Thing:
    """Something to pickle."""

    def __init__(self, value):
        self.value = value

    def double(self):
        # The value, twice.
        return Thing(self.value * 2)


def square(number):
    return number * number


def put(queue, number):
    queue.put((number, os.getpid()))


def wrong(number):
    return 1 / number  # the line that tracebacks show
'''

_PROBE: dict[str, str | bytes] = {
    "probe/__init__.py": '"""A package."""\n\nloads = globals().get("loads", 0) + 1\n',
    "probe/__main__.py": 'import sys\n\nprint("probe as", __name__, sys.argv[1:])\n',
    "probe/cli.py": _CLI,
    "probe/work.py": _WORK,
    "probe/latin.py": '# coding: latin-1\nname = "é"\n'.encode("latin-1"),
    "probe/data/hello.txt": "hello\n",
    "math.py": "raise ImportError('the built-in module comes first')\n",
    "probe/data/deep/er.bin": b"\0\1\2",
    "probe/inner/__init__.py": "from probe.inner import leaf\n",
    "probe/inner/leaf.py": "from .. import work\nfrom . import __name__ as above\n",
    "override_me.py": "where = 'inside'\n",
    "spread/one.py": "number = 1\n",
    "spread/data/one.txt": "one\n",
    "extended/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
    "extended/inside.py": "",
    "unfinished.py": "def broken(:\n",
}
_ENTRY_POINTS = """\
[console_scripts]
probe = probe.cli:main

[probe.plugins]
square = probe.work:square
"""
_SPREAD_TWO = {
    "spread/two.py": "from spread import one\nnumber = one.number + 1\n",
    "spread/data/two.txt": "two\n",
}
_LINES_OF_PTH = {
    "lines.pth": "# a comment\nby_path_line\nimport sys; sys.by_import_line = __name__\n",
    "by_path_line/found_by_path_line.py": "",
}


def probe_wheels(folder: Path, native: bytes) -> Path:
    """Write the wheels of the app `probe` into `folder` and return that of the app itself."""
    make_wheel(
        folder, "spread_two", "2.0", _SPREAD_TWO, entry_points="[probe.plugins]\ntwo = spread.two:number\n"
    )
    make_wheel(folder, "lines_of_pth", "3.0", _LINES_OF_PTH)
    files: dict[str, str | bytes] = {**_PROBE, f"probe/_native{SUFFIX}": native}
    metadata = "Summary: All kinds of things\nRequires-Dist: spread-two>=2\n"
    return make_wheel(
        folder, "probe", "1.0", files, metadata=metadata, entry_points=_ENTRY_POINTS, tag=WHEEL_TAG
    )


#: Uses `multiprocessing` as a script of one file does; its first argument is the start method.
PARALLEL = """\
import concurrent.futures
import multiprocessing
import os
import sys
from multiprocessing import shared_memory


class Thing:
    def __init__(self, value):
        self.value = value


def square(number):
    return number * number


def put(queue, thing):
    queue.put((thing.value, os.getpid() != os.getppid(), __name__))


def fill(name):
    block = shared_memory.SharedMemory(name)
    block.buf[:5] = b"hello"
    block.close()


def main(method):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        print(pool.map(square, range(5)))
    queue = context.Queue()
    process = context.Process(target=put, args=(queue, Thing(7)), name="worker")
    process.start()
    print(queue.get()[:2])
    process.join()
    print(process.exitcode)
    with context.Manager() as manager:
        shared = manager.dict(a=1)
        shared["b"] = 2
        print(sorted(shared.items()))
    block = shared_memory.SharedMemory(create=True, size=5)
    process = context.Process(target=fill, args=(block.name,))
    process.start()
    process.join()
    print(bytes(block.buf[:5]))
    block.close()
    block.unlink()
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        print(list(executor.map(square, [3, 4])))
    process = context.Process(target=sys.exit, args=(3,))
    process.start()
    process.join()
    print(process.exitcode)


if __name__ == "__main__":
    main(sys.argv[1])
"""

#: Ends in many ways; the same text runs under the plain interpreter.
ENDING = """\
import atexit
import gc
import os
import signal
import sys
import threading
import time
import weakref


class Noisy:
    def __init__(self, name, other=None):
        self.name = name
        self.other = other

    def __del__(self):
        print("end of", self.name, flush=True)


class Holder:
    pass


how = sys.argv[1]
if how == "globals":
    first = Noisy("first")
    second = Noisy("second")
    Holder.thing = Noisy("held by a class")
elif how == "cycles":
    one = Noisy("one")
    two = Noisy("two", one)
    one.other = two
    del one, two
    kept = Noisy("kept")
    kept.other = kept
elif how == "atexit":
    atexit.register(print, "registered first")
    atexit.register(print, "registered second")
    atexit.register(lambda: 1 / 0)
elif how == "finalize":
    thing = Holder()
    weakref.finalize(thing, print, "finalized")
elif how == "files":
    in_module = open(sys.argv[2], "w")
    in_module.write("in module\\n")
    Holder.file = open(sys.argv[3], "w")
    Holder.file.write("in class\\n")
    hidden = [open(sys.argv[4], "w")]
    hidden[0].write("in a cycle\\n")
    hidden.append(hidden)
elif how == "threads":
    def late():
        time.sleep(0.2)
        print("the thread ends", flush=True)

    threading.Thread(target=late).start()
    atexit.register(print, "exit handler")
    print("main ends", flush=True)
elif how == "daemon":
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
elif how == "generator":
    def steps():
        try:
            yield
        finally:
            print("generator closed", flush=True)

    running = steps()
    next(running)
elif how == "garbage":
    gc.set_debug(gc.DEBUG_STATS)
    gc.set_debug(0)
    made = [Noisy(str(n)) for n in range(3)]
    for thing in made:
        thing.other = made
    del made, thing
    print(gc.collect() > 0, flush=True)
elif how == "exit":
    sys.exit(eval(sys.argv[2]))
elif how == "raise":
    raise eval(sys.argv[2])
elif how == "hook":
    sys.excepthook = lambda *error: print("hook:", error[0].__name__)
    raise ValueError
elif how == "_exit":
    atexit.register(print, "never")
    os._exit(7)
elif how == "signal":
    signal.raise_signal(int(sys.argv[2]))
elif how == "at end":
    class Late:
        def __del__(self):
            import json
            print("finalizing", sys.is_finalizing(), json.dumps([1]), flush=True)

    sys.late = Late()
elif how == "thread error":
    thread = threading.Thread(target=lambda: 1 / 0, name="T")
    thread.start()
    thread.join()
elif how == "unraisable":
    class Bad:
        def __del__(self):
            raise ValueError("in del")

    bad = Bad()
    del bad
print("last line")
"""

STRICT = """\
# /// script
# [tool.coachwhip]
# sources = false
# interpreter = false
# ///
import inspect
import multiprocessing
import subprocess
import sys


def square(number):
    return number * number


def fail():
    raise ValueError("no lines")


if __name__ == "__main__":
    if sys.argv[1:] == ["fail"]:
        fail()
    if sys.argv[1:] == ["source"]:
        inspect.getsource(fail)
    if sys.argv[1:] == ["parallel"]:
        for method in ("spawn", "forkserver"):
            with multiprocessing.get_context(method).Pool(1) as pool:
                print(pool.map(square, [1, 2]))
    elif sys.argv[1:] == ["again"]:
        print(subprocess.run([sys.executable, "once"], capture_output=True, text=True).stdout, end="")
    else:
        print("strict", sys.argv[1:])
"""

CONFIGURED = """\
# /// script
# [tool.coachwhip]
# environment = true
# xoptions = ["dev", "utf8=1"]
# warnings = ["error::ResourceWarning"]
# optimize = 1
# ///
import sys

exec(sys.argv[1])
"""
