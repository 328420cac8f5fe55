"""Finds the regular expressions of a module and compiles them; runs with `worker.py` in the runtime's Python.

Only expressions that are written out count: `re.compile("...", re.I)` and the like, with constants or names
that are assigned a constant once at the module's top level. What is missed is compiled when it is used.
"""

from __future__ import annotations

import ast
import marshal
import re
import warnings
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["compiled_patterns"]

_Constant: TypeAlias = "str | bytes | int | None"

#: Functions of `re` and the position of their flags.
_FLAGS_AT = {
    "compile": 1,
    "findall": 2,
    "finditer": 2,
    "fullmatch": 2,
    "match": 2,
    "search": 2,
    "split": 3,
    "sub": 4,
    "subn": 4,
}
_MODULES = ("re", "_re")
#: A cheap sign that parsing the source a second time may be of use.
_SIGN = re.compile(rb"\b_?re\.(?:%s)\(" % "|".join(_FLAGS_AT).encode())


def compiled_patterns(source: bytes) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """Yield kind, flags, text and compiled form of a module's regular expressions, see `patterns.py`.

    Args:
        source: of a module that compiles.
    """
    if not _SIGN.search(source):
        return
    tree = ast.parse(source)
    names = _constants(tree)
    seen = set()
    for node in ast.walk(tree):
        call = _regex_call(node, names)
        if call is None or call in seen:
            continue
        seen.add(call)
        pattern, flags = call
        text = _encoded(pattern)
        stored = _compile(pattern, flags) if text is not None else None
        if text is not None and stored is not None:
            kind = b"s" if isinstance(pattern, str) else b"b"
            yield kind, str(flags).encode(), text, stored


def _encoded(pattern: str | bytes) -> bytes | None:
    """A pattern as the table has it; None for one with lone surrogates, which no UTF-8 has."""
    if isinstance(pattern, bytes):
        return pattern
    try:
        return pattern.encode()
    except UnicodeEncodeError:
        return None


def _constants(tree: ast.Module) -> dict[str, _Constant]:
    """Names that are bound once at the top level, to an expression that `_value` understands."""
    names: dict[str, _Constant] = {}
    rebound = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name):
                if target.id in names:
                    rebound.add(target.id)
                names[target.id] = _value(statement.value, names)
    return {name: value for name, value in names.items() if name not in rebound and value is not None}


def _value(node: ast.expr, names: dict[str, _Constant]) -> _Constant:
    """A constant text, bytes or flags; None for everything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes, int)):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _MODULES:
        flag = getattr(re, node.attr, None)
        return int(flag) if isinstance(flag, re.RegexFlag) else None
    if isinstance(node, ast.BinOp):
        return _operation(node, _value(node.left, names), _value(node.right, names))
    return None


def _operation(node: ast.BinOp, left: _Constant, right: _Constant) -> _Constant:
    """Texts put together, flags united; None for everything else."""
    if isinstance(node.op, ast.BitOr) and isinstance(left, int) and isinstance(right, int):
        return left | right
    if isinstance(node.op, ast.Add):
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(left, bytes) and isinstance(right, bytes):
            return left + right
    return None


def _regex_call(node: ast.AST, names: dict[str, _Constant]) -> tuple[str | bytes, int] | None:
    """Pattern and flags of a call of a function of `re`; None when it is none or they are not constant."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return None
    module = node.func.value
    if not (isinstance(module, ast.Name) and module.id in _MODULES and node.func.attr in _FLAGS_AT):
        return None
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    pattern = _value(node.args[0], names)
    position = _FLAGS_AT[node.func.attr]
    given = node.args[position : position + 1] + [k.value for k in node.keywords if k.arg in ("flags", None)]
    flags = _value(given[0], names) if given else 0
    if isinstance(pattern, (str, bytes)) and isinstance(flags, int):
        return pattern, flags
    return None


def _compile(pattern: str | bytes, flags: int) -> bytes | None:
    """Do what `re._compiler.compile` does, up to the call of `_sre.compile`.

    None for what is wrong, prints or warns: that has to happen where the program compiles it.
    """
    # What `re.compile` calls itself; there is no public way to its halves.
    compiler = re._compiler  # type: ignore[attr-defined]  # noqa: SLF001
    if flags & re.DEBUG:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parsed = compiler._parser.parse(pattern, flags)  # noqa: SLF001
            code = [int(word) for word in compiler._code(parsed, flags)]  # noqa: SLF001
        groups = dict(parsed.state.groupdict)
        names: list[str | None] = [None] * parsed.state.groups
        for name, number in groups.items():
            names[number] = name
        arguments = (int(flags | parsed.state.flags), code, parsed.state.groups - 1, groups, tuple(names))
        stored = marshal.dumps((pattern, flags, arguments))
    except Exception:  # noqa: BLE001  whatever it is, it is the program's to find out
        return None
    # As for code objects: how often an object is referenced decides how marshal writes it.
    return marshal.dumps(marshal.loads(stored))  # noqa: S302  written in the lines above
