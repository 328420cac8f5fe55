"""Finds the regular expressions of a module and compiles them; runs with `worker.py` in the runtime's Python.

Only expressions that are known without running the module count: `re.compile("...", re.I)` and the like,
with constants, what is made of them by formatting and joining, and names that are bound to such once, in the
module or in the class. What is missed is compiled when it is used; what is mistaken for one is not asked for.
"""

from __future__ import annotations

import ast
import marshal
import re
import string
import warnings
from types import SimpleNamespace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["compiled_patterns"]

_Constant: TypeAlias = "str | bytes | int | tuple[object, ...] | list[object] | dict[object, object]"

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
_SIGN = re.compile(rb"\b_?re\.(?:%s)\(|\bfrom re import\b" % "|".join(_FLAGS_AT).encode())

#: What expressions may consist of: nothing that could run for long or do anything but make a value.
_HARMLESS = (
    *(ast.Constant, ast.Name, ast.Load, ast.Store, ast.JoinedStr, ast.Tuple, ast.List, ast.Dict),
    *(ast.Subscript, ast.Slice, ast.UnaryOp, ast.USub, ast.BinOp, ast.Add, ast.Mod, ast.BitOr),
    *(ast.ListComp, ast.GeneratorExp, ast.comprehension, ast.keyword),
)
_METHODS = ("join", "format", "replace", "strip", "lower", "upper")
#: What expressions may use of modules.
_RE = SimpleNamespace(
    escape=re.escape, **{name: int(flag) for name, flag in re.RegexFlag.__members__.items()}
)
_TEXTS = {name: value for name in string.__all__ if isinstance(value := getattr(string, name), str)}
_KNOWN_MODULES = {**dict.fromkeys(_MODULES, _RE), "string": SimpleNamespace(**_TEXTS)}
#: A width in a format, by which a short text could become one of any length.
_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\d{4}|\*)|\{[^{}]*:[^{}]*(?:\d{4}|\{)")
_LONGEST = 20_000


def compiled_patterns(source: bytes) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
    """Yield kind, flags, text and compiled form of a module's regular expressions, see `patterns.py`.

    Args:
        source: of a module that compiles.
    """
    if not _SIGN.search(source):
        return
    seen = set()
    for call in _calls(ast.parse(source)):
        if call in seen:
            continue
        seen.add(call)
        pattern, flags = call
        text = _encoded(pattern)
        stored = _compile(pattern, flags) if text is not None else None
        if text is not None and stored is not None:
            kind = b"s" if isinstance(pattern, str) else b"b"
            yield kind, str(flags).encode(), text, stored


def _calls(tree: ast.Module) -> Iterator[tuple[str | bytes, int]]:
    """Pattern and flags of the calls of functions of `re`, where they are known."""
    scope = _Scope(tree.body)
    for node in ast.walk(tree):
        call = scope.regex_call(node)
        if call is not None:
            yield call
        if isinstance(node, ast.ClassDef):
            inner = _Scope(node.body, scope)
            for statement in node.body:
                if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr)):
                    calls = (inner.regex_call(below) for below in ast.walk(statement))
                    yield from (call for call in calls if call is not None)


def _encoded(pattern: str | bytes) -> bytes | None:
    """A pattern as the table has it; None for one with lone surrogates, which no UTF-8 has."""
    if isinstance(pattern, bytes):
        return pattern
    try:
        return pattern.encode()
    except UnicodeEncodeError:
        return None


class _Scope:
    """Names of a module or class that are bound once, to a known value, and those of functions of `re`."""

    def __init__(self, body: list[ast.stmt], outer: _Scope | None = None) -> None:
        self.names: dict[str, _Constant] = dict(outer.names) if outer else {}
        self.functions: dict[str, str] = dict(outer.functions) if outer else {}
        bound = set()
        for statement in body:
            if isinstance(statement, ast.ImportFrom) and statement.module == "re" and not statement.level:
                self._import(statement)
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if isinstance(target, ast.Name):
                    value = self.value(statement.value) if target.id not in bound else None
                    self.names.pop(target.id, None)
                    if value is not None:
                        self.names[target.id] = value
                    bound.add(target.id)

    def _import(self, statement: ast.ImportFrom) -> None:
        for alias in statement.names:
            name = alias.asname or alias.name
            flag = getattr(_RE, alias.name, None)
            if isinstance(flag, int):
                self.names[name] = flag
            elif alias.name in _FLAGS_AT:
                self.functions[name] = alias.name

    def value(self, node: ast.expr) -> _Constant | None:
        """What an expression evaluates to; None for one that is not known, or has no plain value."""
        parts = list(ast.walk(node))
        targets = (part.target for part in parts if isinstance(part, ast.comprehension))
        local = {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        known = {*self.names, *_KNOWN_MODULES, *local}
        if not all(_is_harmless(part, known) for part in parts) or self._is_wide(parts):
            return None
        try:
            code = compile(ast.Expression(node), "pattern", "eval")
            value = eval(code, {"__builtins__": {}, **_KNOWN_MODULES, **self.names})  # noqa: S307  harmless
        except Exception:  # noqa: BLE001  whatever it is, it is the program's to find out
            return None
        plain = isinstance(value, (str, bytes, int, tuple, list, dict))
        return value if plain and (isinstance(value, int) or len(value) <= _LONGEST) else None

    def _is_wide(self, parts: list[ast.AST]) -> bool:
        """Whether something is formatted that might become very long."""
        if not any(isinstance(part, ast.Mod) or getattr(part, "attr", "") == "format" for part in parts):
            return False
        values: list[object] = [part.value for part in parts if isinstance(part, ast.Constant)]
        values += [self.names.get(part.id) for part in parts if isinstance(part, ast.Name)]
        return any(_WIDE.search(text) for value in values for text in _texts(value))

    def regex_call(self, node: ast.AST) -> tuple[str | bytes, int] | None:
        """Pattern and flags of a call of a function of `re`; None when it is none or they are not known."""
        function = self._function(node.func) if isinstance(node, ast.Call) and node.args else None
        if not isinstance(node, ast.Call) or function is None:
            return None
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            return None
        pattern = self.value(node.args[0])
        position = _FLAGS_AT[function]
        named = [keyword.value for keyword in node.keywords if keyword.arg in ("flags", None)]
        given = [*node.args[position : position + 1], *named]
        flags = self.value(given[0]) if given else 0
        if isinstance(pattern, (str, bytes)) and isinstance(flags, int):
            return pattern, flags
        return None

    def _function(self, node: ast.expr) -> str | None:
        """The name in `re` of what is called."""
        if isinstance(node, ast.Name):
            return self.functions.get(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.attr if node.value.id in _MODULES and node.attr in _FLAGS_AT else None
        return None


def _texts(value: object) -> Iterator[str]:
    """The texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, (tuple, list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _is_harmless(node: ast.AST, known: set[str]) -> bool:  # noqa: PLR0911  (a table)
    """Whether a part of an expression may be evaluated, if its own parts may."""
    match node:
        case ast.Name():
            return node.id in known
        case ast.Attribute(value=ast.Name(id=module)) if module in _KNOWN_MODULES:
            return hasattr(_KNOWN_MODULES[module], node.attr)
        case ast.Attribute():
            return node.attr in _METHODS
        case ast.Call():
            return isinstance(node.func, ast.Attribute)
        case ast.FormattedValue():
            return node.format_spec is None
        case ast.ListComp() | ast.GeneratorExp():
            return len(node.generators) == 1
        case _:
            return isinstance(node, _HARMLESS)


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
