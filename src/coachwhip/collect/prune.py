"""Which extension modules of the standard library can be imported. Pure.

The standard library's modules are nodes of a graph; its edges are what each of them may import: import
statements anywhere in it and, where it imports by name, texts that equal a standard module's name. Walked
is what can be reached from the app (import statements, texts, names in native code), and from what an
interpreter needs of its own. It errs towards too much; too little it can be where a program puts a
module's name together at run time, or takes it from a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachwhip.collect.filters import relative_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["CONSOLE", "mentioned_names", "needed_builtins"]

#: Imported by the interpreter itself, by its C code: start, tracebacks, warnings, codecs, huge numbers,
#: identifiers that are not ASCII, `-m`. Codecs are chosen by data, so all of them count.
_INTERPRETER = (
    "__main__",
    "_pylong",
    "_sitebuiltins",
    "copyreg",
    "encodings.*",
    "faulthandler",
    "importlib",
    "io",
    "linecache",
    "runpy",
    "site",
    "struct",
    "threading",
    "traceback",
    "typing",
    "unicodedata",
    "warnings",
    "zipimport",
)

#: What a console needs on top, when a product may act as an interpreter.
CONSOLE = ("_pyrepl.main", "pydoc", "readline", "rlcompleter")

#: Imports inside the standard library that do not happen in a program that does not ask for them by
#: itself: consoles, self-tests, `help()`, and fallbacks for what is always there.
_NOT_FOLLOWED = {
    "_sitebuiltins": ("pydoc",),
    "importlib._bootstrap_external": ("importlib.metadata",),
    "random": ("hashlib", "statistics"),
    "site": ("_pyrepl", "readline", "rlcompleter"),
}
_SELF_TESTS = ("doctest", "unittest", "test")

#: Linked whatever is reached: CPython's own bootstrap list (`Modules/Setup.bootstrap`) and what its core
#: makes without a file.
_BOOTSTRAP = frozenset(
    {"_abc", "_ast", "_codecs", "_collections", "_functools", "_imp", "_io", "_locale", "_opcode"}
    | {"_operator", "_signal", "_sre", "_stat", "_string", "_suggestions", "_symtable", "_sysconfig"}
    | {"_thread", "_tokenize", "_tracemalloc", "_typing", "_warnings", "_weakref", "atexit", "builtins"}
    | {"errno", "faulthandler", "gc", "itertools", "marshal", "posix", "pwd", "sys", "time"}
)

#: Imports made by the C code of extension modules, which no scan of Python code sees.
_FROM_C = {
    "_asyncio": ("asyncio.*",),
    "_ctypes": ("ctypes",),
    "_curses": ("curses",),
    "_datetime": ("_strptime", "time"),
    "_decimal": ("_pydecimal", "collections.abc", "numbers"),
    "_elementtree": ("copy", "pyexpat", "xml.etree.ElementPath"),
    "_interpchannels": ("test.support.interpreters.channels",),
    "_interpqueues": ("test.support.interpreters.queues",),
    "_operator": ("functools",),
    "_pickle": ("_compat_pickle", "codecs", "copyreg", "functools"),
    "_sqlite3": ("functools", "sqlite3.dump"),
    "_sre": ("re",),
    "_zoneinfo": ("io", "pickle", "weakref", "zoneinfo._common", "zoneinfo._tzpath"),
    "array": ("collections.abc",),
    "pyexpat": ("xml.parsers.expat",),
    "time": ("_strptime",),
    **{f"_codecs_{name}": ("_multibytecodec",) for name in ("cn", "hk", "iso2022", "jp", "kr", "tw")},
}


def needed_builtins(
    stdlib: Mapping[str, tuple[str, ...]], roots: Iterable[str], builtins: Iterable[str]
) -> frozenset[str]:
    """Choose from the built-in modules those that can be imported.

    Args:
        stdlib: imports of each module of the standard library in the product, by the path of its file.
        roots: names that the app may import, as `worker.imported_names` gives them.
        builtins: names of all built-in modules there are.
    """
    known = set(builtins)
    edges: dict[str, tuple[str, ...]] = {name: _FROM_C.get(name, ()) for name in known}
    for path, imports in stdlib.items():
        name, package = _module(path)
        edges[name] = tuple(_followed(name, (_absolute(item, name, package=package) for item in imports)))
    children: dict[str, list[str]] = {}
    for name in edges:
        children.setdefault(name.rpartition(".")[0], []).append(name)
    reached: set[str] = set()
    # In the app every text counts: it may go to anybody's `import_module`.
    waiting = [*_INTERPRETER, *(name.removeprefix("=") for name in roots)]
    while waiting:
        for name in _meant(waiting.pop(), children):
            if name in edges and name not in reached:
                reached.add(name)
                waiting.extend(edges[name])
    return frozenset(known & (reached | _BOOTSTRAP))


def mentioned_names(native: bytes, modules: Iterable[str]) -> Iterator[str]:
    """Yield the modules whose names native code contains anywhere; Rust ends no text with a zero byte."""
    found: set[str] = set()
    for name in sorted(modules):
        parent = name.rpartition(".")[0]
        if (not parent or parent in found) and name.encode() in native:
            found.add(name)
            yield name


def _module(path: str) -> tuple[str, bool]:
    """Dotted name of a module file, and whether it is a package."""
    name = relative_path(path).rpartition(".")[0].replace("/", ".")
    return name.removesuffix(".__init__"), name.endswith(".__init__")


def _absolute(name: str, module: str, *, package: bool) -> str:
    dots = len(name) - len(name.lstrip("."))
    if not dots:
        return name
    parts = module.split(".")
    base = parts[: len(parts) - dots + (1 if package else 0)]
    return ".".join([*base, name[dots:]]).rstrip(".")


def _followed(module: str, imports: Iterable[str]) -> Iterator[str]:
    """Choose from a standard module's imports those that a program causes."""
    names = list(imports)
    dynamic = "!" in names
    idle = _NOT_FOLLOWED.get(module, ())
    if module.partition(".")[0] not in _SELF_TESTS:
        idle += _SELF_TESTS
    for name in names:
        plain = name.removeprefix("=")
        if (dynamic or plain == name) and not any(
            plain == item or plain.startswith(f"{item}.") for item in idle
        ):
            yield plain


def _meant(name: str, children: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield a name and those of its packages, which are imported before it."""
    if name.endswith(".*"):
        name = name[:-2]
        yield from children.get(name, ())
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        yield ".".join(parts[:length])
