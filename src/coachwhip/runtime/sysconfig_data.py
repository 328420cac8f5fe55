"""Makes the interpreter's `sysconfig` data relocatable and free of the building machine's paths. Pure."""

from __future__ import annotations

import ast
import pprint
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BUILTIN_TABLE", "builtin_table", "clean_variables", "parse_variables", "relocatable_module"]

BUILTIN_TABLE = re.compile(r'\{"(\w+)",\s*(\w+)\}')
_ASSIGNMENT = "build_time_vars"
#: Words of compiler command lines that only had a meaning where the interpreter was built.
_BUILD_ONLY = re.compile(r"-[IL]\S*|\S*\.\./\S*|\S*\.o|-l(?:ssl|crypto|z|bz2|lzma|ffi)")
_WITH_BUILD_PATHS = re.compile(r"\.\./")


def parse_variables(text: str) -> dict[str, object]:
    """Read the variables of a `_sysconfigdata_*.py` file.

    Raises:
        ValueError: it has no such dictionary.
    """
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == _ASSIGNMENT:
            value = ast.literal_eval(node.value)
            if isinstance(value, dict):
                return value
    raise ValueError(f"there is no dictionary called {_ASSIGNMENT}")


def clean_variables(variables: Mapping[str, object], build_directory: str) -> dict[str, object]:
    """Drop what points into the directories of the build; keep what describes the interpreter."""

    def clean(value: object) -> object:
        if not isinstance(value, str):
            return value
        if _WITH_BUILD_PATHS.search(value):
            value = " ".join(word for word in value.split() if not _BUILD_ONLY.fullmatch(word))
        return "" if build_directory in value else value

    return {name: clean(value) for name, value in variables.items()}


def relocatable_module(variables: Mapping[str, object], prefix: str) -> str:
    """Return the text of a `_sysconfigdata_*.py` that puts `sys.base_prefix` where `prefix` stood."""
    table = pprint.pformat(dict(variables), width=110, sort_dicts=True)
    return (
        "# system configuration made when this Python was compiled; see the `sysconfig` module\n"
        "import sys\n\n"
        f"{_ASSIGNMENT} = {table}\n\n"
        f"for _name, _value in {_ASSIGNMENT}.items():\n"
        "    if isinstance(_value, str):\n"
        f"        {_ASSIGNMENT}[_name] = _value.replace({prefix!r}, sys.base_prefix)\n"
    )


def builtin_table(config_c: str) -> list[tuple[str, str]]:
    """Read the table of built-in modules of `Modules/config.c`: name and init function, or an empty text."""
    return [(name, "" if init == "NULL" else init) for name, init in BUILTIN_TABLE.findall(config_c)]
