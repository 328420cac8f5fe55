"""Compiles modules inside the runtime's interpreter; started as a script by `coachwhip.collect.compiler`.

Standard library and `regexes.py` only: it runs under another Python.

Input, one frame after the other on descriptor 0: the optimisation level (one byte, no frame), then per
module the file name for its code objects and its source. Output on descriptor 1: one frame that describes
this interpreter (JSON), then per module a status byte and three frames: marshalled code, what it imports and
its regular expressions (`regexes.py`), or a JSON description of the error and nothing twice. A frame is its
length (32 bits, little endian) and its bytes.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import marshal
import opcode
import os
import struct
import sys
import warnings

# The child of a fork must end without running what its parent has yet to run.
from os import _exit as end_child
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["compiled", "imported_names", "main"]

# The only sibling that this program has; it is started with a search path that lacks its own directory.
sys.path.append(str(Path(__file__).parent))
from regexes import compiled_patterns

_LENGTH = struct.Struct("<I")
_LOAD_CONST = opcode.opmap["LOAD_CONST"]
_LOAD_SMALL_INT = opcode.opmap.get("LOAD_SMALL_INT", -1)
_IMPORT_NAME = opcode.opmap["IMPORT_NAME"]
_EXTENDED_ARG = opcode.EXTENDED_ARG
_STDLIB = sys.stdlib_module_names
_DYNAMIC = frozenset(
    {"__import__", "import_module", "_import_module", "find_spec", "resolve_name", "exec", "eval"}
)


def compiled(name: str, source: bytes, optimize: int) -> tuple[bytes, list[str]]:
    """Compile one module.

    Returns:
        Its marshalled code, and the names that it may import, see `imported_names`.

    Raises:
        SyntaxError, ValueError, OverflowError, MemoryError, RecursionError: it is no Python.
    """
    code = compile(source, name, "exec", dont_inherit=True, optimize=optimize)
    # How often an object is referenced decides how marshal writes it, and the compiler leaves references
    # behind. An object that was just loaded has none but those of its tree.
    stored = marshal.dumps(marshal.loads(marshal.dumps(code)))  # noqa: S302  written in the same line
    return stored, sorted(set(imported_names(code)))


def imported_names(code: CodeType) -> Iterator[str]:
    """Yield what a code object and those in it may import from the standard library.

    Absolute names as they are, relative ones with their leading dots; names of a `from` list both as
    modules and not. Texts that equal a standard module's name come with `=` before them, for
    `import_module` and such; `!` says that a function of that kind is mentioned.
    """
    yield from _import_statements(code)
    if not _DYNAMIC.isdisjoint(code.co_names):
        yield "!"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from imported_names(constant)
        else:
            yield from _module_texts(constant)


def _module_texts(constant: object) -> Iterator[str]:
    if isinstance(constant, str):
        if constant.partition(".")[0] in _STDLIB and constant.replace(".", "_").isidentifier():
            yield f"={constant}"
    elif isinstance(constant, (tuple, frozenset)):
        for item in constant:
            yield from _module_texts(item)


def _import_statements(code: CodeType) -> Iterator[str]:
    operations = code.co_code
    if _IMPORT_NAME not in operations[::2]:
        return
    argument = 0
    loaded: tuple[Any, Any] = (None, None)
    for position in range(0, len(operations), 2):
        operation, argument = operations[position], argument << 8 | operations[position + 1]
        if operation == _EXTENDED_ARG:
            continue
        if operation == _LOAD_CONST:
            loaded = loaded[1], code.co_consts[argument]
        elif operation == _LOAD_SMALL_INT:
            loaded = loaded[1], argument
        elif operation == _IMPORT_NAME:
            yield from _statement(code.co_names[argument], *loaded)
        argument = 0


def _statement(name: str, level: object, members: tuple[str, ...] | None) -> Iterator[str]:
    """Names for `import name` or `from name import members`; the compiler loads level and members before."""
    dots = "." * level if isinstance(level, int) else ""
    if not dots and name.partition(".")[0] not in _STDLIB:
        return
    if name:
        yield dots + name
    for member in members or ():
        yield f"{dots}{name}.{member}" if name else dots + member


def _description() -> dict[str, object]:
    return {
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "builtins": sorted(sys.builtin_module_names),
        "stdlib": sorted(_STDLIB),
    }


def _problem(error: BaseException) -> dict[str, object]:
    return {
        "line": getattr(error, "lineno", None) or 0,
        "text": getattr(error, "text", None) or "",
        "message": getattr(error, "msg", None) or str(error) or type(error).__name__,
    }


def _frame(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload


def _failure(error: BaseException) -> bytes:
    return b"\1" + _frame(json.dumps(_problem(error)).encode()) + _frame(b"") + _frame(b"")


def _answer(name: bytes, source: bytes, optimize: int) -> bytes:
    try:
        code, names = compiled(name.decode(), source, optimize)
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        return _failure(error)
    patterns = b"".join(_frame(field) for fields in compiled_patterns(source) for field in fields)
    return b"\0" + _frame(code) + _frame("\n".join(names).encode("utf-8", "replace")) + _frame(patterns)


def _write(payload: bytes) -> None:
    view = memoryview(payload)
    while view:
        view = view[os.write(1, view) :]


def _read_frame(requests: BinaryIO) -> bytes | None:
    length = requests.read(_LENGTH.size)
    return requests.read(_LENGTH.unpack(length)[0]) if length else None


def main(requests: BinaryIO) -> None:
    """Answer all requests.

    Each module is compiled in a child of its own: which texts are interned, and so which constants are one
    object, depends on all that a process compiled before, and marshal writes that down.
    """
    optimize = requests.read(1)[0]
    _write(_frame(json.dumps(_description()).encode()))
    while (name := _read_frame(requests)) is not None:
        source = _read_frame(requests) or b""
        child = os.fork()
        if child == 0:
            _write(_answer(name, source, optimize))
            end_child(0)
        if os.waitpid(child, 0)[1] != 0:
            _write(_failure(RuntimeError("the compiler crashed")))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    # Deeply nested expressions (tables in generated code) need more than the default.
    sys.setrecursionlimit(20_000)
    gc.disable()
    with open(0, "rb") as stream:
        main(stream)
