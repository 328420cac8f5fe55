"""Imports modules and notes what they look at that is not the program's: the machine, the user, the moment.

Only for a process that is thrown away: functions of the standard library are replaced by ones that take
notes.
"""

import _weakref
import builtins
import gc
import importlib
import os
import posix
import sys
import time

import _coachwhip
import _coachwhip_boot
import _coachwhip_later
import _coachwhip_spies

_ROOT = _coachwhip_boot.ROOT
_NULL = os.devnull

#: Stands for the code in `.pth` files; `coachwhip.snapshot.choose` knows it, too.
_PATH_LINES = "(.pth)"

#: Names of the modules that are being executed, the innermost last.
_stack = []
#: Module -> its notes and what it imports.
_report = {}
#: Notes that count when an object is still there in the end: (weak reference, module, note).
_pending = []


def _note(kind, detail, about=None):
    """Add to the notes of the innermost module whose body runs; it counts if `about`, an object, lives on."""
    name = _stack[-1] if _stack else None
    if name is None or (kind == "effect" and name.partition(".")[0] in sys.stdlib_module_names):
        return
    entry = _entry(name, kind, detail)
    if about is not None:
        _pending.append((_weakref.ref(about), name, entry))
    elif entry not in _report[name]["notes"]:
        _report[name]["notes"].append(entry)


def _entry(name, kind, detail):
    frame = sys._getframe(2)
    through = {}
    line = 0  # of the innermost statement that stands in the module itself, or in a class of it
    while frame is not None and frame.f_code.co_name != "<module>":
        through[frame.f_globals.get("__name__", "")] = None
        line = 0 if frame.f_code.co_flags & _coachwhip_later.OF_FUNCTION else line or frame.f_lineno
        frame = frame.f_back
    place = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
    own = frame is not None and frame.f_code.co_filename == _report[name].get("origin")
    return [kind, str(detail), place, list(through), (line or frame.f_lineno) if own else 0]


def _note_survivors():
    """Note what was to be noted of objects that are still there."""
    gc.collect()
    for reference, name, entry in _pending:
        if reference() is not None and entry not in _report[name]["notes"]:
            _report[name]["notes"].append(entry)


def _is_foreign(path):
    if isinstance(path, int):
        return False
    text = os.fsdecode(path) if isinstance(path, (str, bytes)) or hasattr(path, "__fspath__") else ""
    # `<string>` and the like stand for code that is in no file; `linecache` looks for them all the same.
    named = text.startswith("<") and text.endswith(">")
    return bool(text) and not named and not text.startswith(_ROOT) and text != _NULL


def _telling(kind, name, function):
    def spy(*args, **kwargs):
        _note(kind, name)
        return function(*args, **kwargs)

    return spy


def _of_file(name, function):
    def spy(path=".", *args, **kwargs):
        if _is_foreign(path):
            _note("file", os.fsdecode(path))
        return function(path, *args, **kwargs)

    spy.__wrapped__ = function
    return spy


def _replace_functions(module):
    """Have the telling functions of a module take notes."""
    for kind, names in _coachwhip_spies.TELLING.items():
        for name in names:
            function = getattr(module, name, None)
            if function is not None and not hasattr(function, "__wrapped__"):
                spy = _telling(kind, name, function)
                spy.__wrapped__ = function
                setattr(module, name, spy)


def _replace_all():
    gc.get_objects = _coachwhip_spies.of_all(gc.get_objects)
    for module in (time, posix, os):
        _replace_functions(module)
    for name in _coachwhip_spies.OF_FILES:
        spy = _of_file(name, getattr(posix, name))
        setattr(posix, name, spy)
        setattr(os, name, spy)
    os.environ._data = os.environb._data = posix.environ = _coachwhip_spies.variables(posix.environ, _note)
    _coachwhip_spies.replace_early(_note)
    sys.addaudithook(_audit)


def _audit(event, arguments):
    if not _stack:
        return
    if event in ("open", "sqlite3.connect"):
        in_memory = event == "sqlite3.connect" and arguments[0] == ":memory:"
        if _is_foreign(arguments[0]) and not in_memory:
            _note("file", arguments[0])
    elif event in ("ctypes.dlopen", "ctypes.dlsym", "ctypes.create_callback"):
        _note("library", arguments[0] if arguments else event)
    elif event in _coachwhip_spies.OF_EVENTS:
        _note(*_coachwhip_spies.OF_EVENTS[event])
    elif event.startswith("socket."):
        _note("network", event)
    elif event.startswith(_coachwhip_spies.STATE) and event not in _coachwhip_spies.LISTING:
        _note("state", event)


_LATER = {"pwd", "_socket", "_locale", "resource", "signal", "_signal"}


class _Running:
    """Makes the notes of a block of code a module's, what it leaves behind included."""

    #: Descriptors and threads that are there because of blocks that have ended, or of the product itself.
    _known = (0, 0)

    def __init__(self, name):
        self._name = name

    @staticmethod
    def _own():
        counts = sum(not _is_ours(name) for name in _entries("fd")), len(_entries("task"))
        return tuple(count - known for count, known in zip(counts, _Running._known, strict=True))

    def __enter__(self):
        _report.setdefault(self._name, {"notes": [], "imports": []})
        if _stack:
            _add_import(self._name)
        _note_changes()
        _stack.append(self._name)
        self._before = self._own()
        return self

    def forget(self):
        """Take what is there now as not left behind by this block."""
        left = [now - before for now, before in zip(self._own(), self._before, strict=True)]
        _Running._known = tuple(known + more for known, more in zip(_Running._known, left, strict=True))

    def __exit__(self, *_):
        _note_changes()
        for note, now, before in zip(_LEFT, self._own(), self._before, strict=True):
            if now != before:
                _note(*note)
        self.forget()
        _stack.pop()


class _Execution:
    """Wraps a loader's `exec_module`: the notes belong to the module that is executed."""

    def __init__(self, function, kind):
        self._function = function
        self._kind = kind

    def __get__(self, loader, owner=None):
        def execute(module):
            name = module.__spec__.name
            with _Running(name):
                _report[name]["origin"] = module.__spec__.origin if self._kind == "code" else ""
                _report[name]["package"] = module.__spec__.submodule_search_locations is not None
                if self._kind == "native":
                    mapped = _coachwhip.is_prelinked(module.__spec__.origin)
                    _note("mapped" if mapped else "native", module.__spec__.origin)
                if name == "readline":
                    _note("terminal", "readline")
                bound = (
                    self._function.__get__(loader, owner)
                    if loader is not None
                    else self._function.__get__(owner)
                )
                try:
                    bound(module)
                except BaseException as error:
                    _report[name]["fault"] = f"{type(error).__name__}: {error}"
                    raise
            if name in _LATER:
                _replace_functions(module)
            _coachwhip_spies.replace_later(name, module, _note)

        return execute


def _create(function):
    """Wrap `create_module`, which executes native modules of one phase: they have looked around then."""

    def create(loader, spec):
        known = set(sys.modules)
        with _Running(spec.name) as running:
            module = function(loader, spec)
            running.forget()  # where it was unpacked
        # Modules that it has made, or imported without asking anybody, as compiled ones of one library do.
        for name in [name for name in sys.modules if name not in known and name not in _report]:
            if sys.modules[name] is not None:
                _report[name] = {"notes": [], "imports": [spec.name]}
                _report[spec.name]["imports"].append(name)
        return module

    return create


#: How it was when last looked at.
_before = ()


def _now():
    """How often clock, randomness and time zone were read; the program's state."""
    return (*_coachwhip.reads(), _coachwhip_spies.program_state())


def _note_changes():
    """Note what only shows afterwards; what an inner module did has been noted by then."""
    global _before
    now = _now()
    for name in _coachwhip.variables().split():
        _note("variable", name)
    for (kind, detail), old, new in zip(_SHOWN, _before, now, strict=False):
        if old != new:
            _note(kind, detail)
    for detail, old in _before[-1].items():
        if old != now[-1][detail] and old != ():
            _note("effect", detail)
    _before = now


_SHOWN = (
    ("time", "clock"),
    ("random", "seed"),
    ("time", "time zone"),
)
_LEFT = (("descriptor", "leaves one open"), ("thread", "runs"))


def _entries(name):
    return posix.listdir.__wrapped__(f"/proc/self/{name}")


def _is_ours(descriptor):
    """Whether a descriptor is the product's own, which keeps its unpacked files from being removed."""
    try:
        path = posix.readlink.__wrapped__(f"/proc/self/fd/{descriptor}")
    except OSError:
        return False
    return "/coachwhip" in path and path.endswith("/.used")


def _add_import(name):
    imports = _report[_stack[-1]]["imports"]
    if name not in imports:
        imports.append(name)


def _spy_import(function):
    def spy(name, globals=None, locals=None, fromlist=(), level=0):  # noqa: A002  (as `__import__` has them)
        if _stack:
            package = (globals or {}).get("__package__") or (globals or {}).get("__name__") or ""
            full = importlib.util.resolve_name("." * level + name, package) if level else name
            parts = full.split(".")
            for n in range(len(parts)):
                _add_import(".".join(parts[: n + 1]))
            for item in fromlist or ():
                if f"{full}.{item}" in sys.modules:
                    _add_import(f"{full}.{item}")
        result = function(name, globals, locals, fromlist, level)
        if _stack:
            for item in fromlist or ():
                if f"{full}.{item}" in sys.modules:
                    _add_import(f"{full}.{item}")
        return result

    return spy


def watch(names):
    """Import modules in their order.

    Return module -> {notes: [kind, detail, place, through], imports, fault}.
    """
    import importlib.machinery
    import importlib.util

    global _before
    _replace_all()
    image, native = _coachwhip_boot.ImageLoader, importlib.machinery.ExtensionFileLoader
    image.exec_module = _Execution(image.__dict__["exec_module"], "code")
    native.exec_module = _Execution(native.__dict__["exec_module"], "native")
    for importer in (importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter):
        importer.exec_module = _Execution(importer.__dict__["exec_module"], "builtin")
    native.create_module = _create(native.create_module)
    builtins.__import__ = _spy_import(builtins.__import__)
    streams = _coachwhip_spies.streams()
    _coachwhip.variables()
    _before = _now()
    _run_path_lines()
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:
            _report.setdefault(name, {"notes": [], "imports": []})["fault"] = (
                f"{type(error).__name__}: {error}"
            )
        if _coachwhip_spies.streams() != streams:
            streams = _coachwhip_spies.streams()
            _report.setdefault(name, {"notes": [], "imports": []})["notes"].append(
                ["state", "changes sys.stdout", "", [], 0]
            )
    _note_survivors()
    return _report


def _run_path_lines():
    """Run the code in `.pth` files again, as if it were a module of its own."""
    with _Running(_PATH_LINES):
        try:
            for line in _coachwhip.path_lines():
                if line.startswith(("import ", "import\t")):
                    exec(line, {"__builtins__": builtins})
        except BaseException as error:
            _report[_PATH_LINES]["fault"] = f"{type(error).__name__}: {error}"
