"""The keys of `[tool.coachwhip]`: their names, types, and what they do.

The only table of them: `coachwhip.config` checks values with it, and the reference page of the
documentation is made of it (`docs/reference/configuration.py`). Defaults are those of `Config`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coachwhip.model import SnapshotWish

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KEYS", "OLDEST_GLIBC", "Key", "Kind", "file_name", "split_entry"]

OLDEST_GLIBC = (2, 17)

_HIGHEST_OPTIMIZE = 2


def split_entry(text: str) -> tuple[str, str]:
    """`package.module:function` -> its two parts; the second is empty for a module alone.

    Raises:
        ValueError: it is neither.
    """
    module, colon, attribute = text.strip().partition(":")
    names = [*module.split("."), *(attribute.split(".") if colon else ())]
    if not all(name.isidentifier() for name in names):
        raise ValueError(f"{text!r} is not module:function")
    return module, attribute


@dataclass(frozen=True)
class Kind:
    """A type of value.

    Attributes:
        label: how it is called in messages and documentation, `a list of texts`.
        parse: a TOML value to the value in `Config`; raises ValueError with what is wrong, or an empty
            text when it is simply not such a value.
    """

    label: str
    parse: Callable[[object], object]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004  the one exception by which a Kind refuses a value
    if not value.strip():
        raise ValueError("it is empty")
    return value.strip()


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError  # noqa: TRY004
    return tuple(_text(item) for item in value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004
    return value


def _optimize(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _HIGHEST_OPTIMIZE:
        raise ValueError
    return value


def _version(value: object) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", _text(value), re.ASCII)
    if match is None:
        raise ValueError
    return int(match[1]), int(match[2])


def _python(value: object) -> tuple[int, int]:
    version = _version(value)
    if version[0] != 3:  # noqa: PLR2004  the only major version there is
        raise ValueError("only Python 3 can be shipped")
    return version


def _glibc(value: object) -> tuple[int, int]:
    version = _version(value)
    if version < OLDEST_GLIBC:
        raise ValueError("products need at least glibc 2.17")
    return version


def file_name(value: object) -> str:
    """Return the name of a product.

    Raises:
        ValueError: it is no plain file name.
    """
    name = _text(value)
    if "/" in name or name.startswith(("-", ".")) or not name.isprintable():
        raise ValueError("it must be a plain file name")
    return name


def _entry(value: object) -> str:
    text = _text(value)
    split_entry(text)
    return text


_SNAPSHOT_KEYS = ("train", "allow", "deny", "gate", "rebake")


def _snapshot(value: object) -> SnapshotWish:
    if value in ("auto", "off"):
        return SnapshotWish(wanted=value == "auto")
    if not isinstance(value, Mapping):
        raise ValueError  # noqa: TRY004
    for name in value:
        if name not in _SNAPSHOT_KEYS:
            raise ValueError(f"it has no {name!r}, only {', '.join(_SNAPSHOT_KEYS)}")
    wish: dict[str, Any] = {name: _SNAPSHOT_KINDS.get(name, _texts)(value[name]) for name in value}
    return SnapshotWish(**wish)


def _command_lines(value: object) -> tuple[tuple[str, ...], ...]:
    """An empty one runs the app without arguments."""
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise ValueError
    return tuple(tuple(shlex.split(line)) for line in value)


_SNAPSHOT_KINDS: Mapping[str, Callable[[object], object]] = {"train": _command_lines, "rebake": _flag}

_TEXT = Kind("a text", _text)
_TEXTS = Kind("a list of texts", _texts)
_FLAG = Kind("true or false", _flag)


@dataclass(frozen=True)
class Key:
    """One key of `[tool.coachwhip]`.

    Attributes:
        name: as written in TOML.
        kind: what its value must be.
        example: a value as it would be written in TOML.
        doc: what it does, in Markdown.
    """

    name: str
    kind: Kind
    example: str
    doc: str

    @property
    def attribute(self) -> str:
        """The attribute of `Config`."""
        return "with_" if self.name == "with" else self.name.replace("-", "_")

    @property
    def many(self) -> bool:
        """Whether it is a list: values from the command line are then added and do not replace."""
        return self.kind is _TEXTS


_PATTERNS = "See [patterns](#patterns)."

#: Every key there is, in the order of the reference page.
KEYS: tuple[Key, ...] = (
    Key(
        "script",
        _TEXT,
        '"http"',
        "The console script to ship, by its name in `[project.scripts]` or in the wheel. Needed only where "
        "there are several and none has the project's name. Not together with `entry`.",
    ),
    Key(
        "entry",
        Kind("`module:function` or `module`", _entry),
        '"myapp.cli:main"',
        "What to run instead of a console script: a function, which is called without arguments and whose "
        "result becomes the exit status, or a module, which is run as `python -m` would run it.",
    ),
    Key(
        "name",
        Kind("a file name", file_name),
        '"myapp"',
        "File name of the product. Without it: the name of the console script, of the script file, or of the "
        "entry's top-level module.",
    ),
    Key(
        "python",
        Kind('a Python version such as "3.13"', _python),
        '"3.13"',
        "The Python that the product carries.",
    ),
    Key(
        "glibc",
        Kind('a glibc version such as "2.17"', _glibc),
        '"2.28"',
        "The newest glibc that the product may need, strictly: a release without a wheel for it is passed "
        "over or refused. Without this key 2.17 is preferred, and a release that has wheels for newer "
        "systems only raises it, as little as possible; the build says so.",
    ),
    Key(
        "extras",
        _TEXTS,
        '["speedups"]',
        "Extras of the project to install with it.",
    ),
    Key(
        "with",
        _TEXTS,
        '["rich>=13", "uvloop"]',
        "More requirements to put into the product, for example plugins that nothing depends on.",
    ),
    Key(
        "index-url",
        _TEXT,
        '"https://pypi.example.com/simple"',
        "The package index to use instead of the one that uv and pip are configured for on this machine.",
    ),
    Key(
        "extra-index-urls",
        _TEXTS,
        '["https://wheels.example.com/simple"]',
        "Package indexes to ask before that one.",
    ),
    Key(
        "find-links",
        _TEXTS,
        '["wheelhouse"]',
        "Directories, relative to the file that this stands in, or pages with more wheels to choose from.",
    ),
    Key(
        "exclude",
        _TEXTS,
        '["**.tests", "*.pyi", "numpy/_core/include"]',
        f"Modules and files to leave out. {_PATTERNS}",
    ),
    Key(
        "include",
        _TEXTS,
        '["numpy.testing.tests"]',
        "Modules and files to keep although `exclude` names them, and parts of the standard library that are "
        f"left out by default. `include` always wins. {_PATTERNS}",
    ),
    Key(
        "sources",
        _FLAG,
        "false",
        "Keep the text of Python modules, compressed, so that tracebacks show lines and `inspect` works.",
    ),
    Key(
        "prune",
        _FLAG,
        "true",
        "Leave out extension modules of the standard library that nothing in the product can import, as far "
        "as import statements and texts that equal module names tell. A module whose name is put together "
        "at run time is not seen; name it in `include`.",
    ),
    Key(
        "interpreter",
        _FLAG,
        "false",
        "Whether `COACHWHIP_INTERPRETER=1 ./app` may act as a Python interpreter.",
    ),
    Key(
        "environment",
        _FLAG,
        "true",
        "Honour `PYTHON*` environment variables. Otherwise the product ignores them.",
    ),
    Key(
        "xoptions",
        _TEXTS,
        '["utf8", "faulthandler"]',
        "`-X` options that the product starts with.",
    ),
    Key(
        "warnings",
        _TEXTS,
        '["ignore::DeprecationWarning"]',
        "`-W` filters that the product starts with.",
    ),
    Key(
        "optimize",
        Kind("0, 1 or 2", _optimize),
        "1",
        "1 drops `assert` statements as `python -O` does, 2 documentation strings as well.",
    ),
    Key(
        "snapshot",
        Kind('"auto", "off" or a table', _snapshot),
        '"off"',
        "Whether starts go on from a [snapshot](../explanation/snapshots.md), where one can be made. "
        "As a table, `[tool.coachwhip.snapshot]`: `train`, command lines that the app is run with to learn "
        'what it imports, by default `["--help", "--version"]`; `allow`, modules that are taken whatever '
        "they look at; `deny`, modules that stay out; `gate`, environment variables that must not be set "
        "for the snapshot to be used; `rebake = false`, if `./app --coachwhip-bake` is not to give users a "
        "snapshot of their own.",
    ),
    Key(
        "pie",
        _FLAG,
        "true",
        "Make a [hardened product](../explanation/hardening.md): interpreter, heap and all libraries are at "
        "other addresses in each process. It has no snapshot, whatever `snapshot` says, and its native "
        "libraries are unpacked when they are first used. It is made of a runtime of its own, which the "
        "first such build installs.",
    ),
)
