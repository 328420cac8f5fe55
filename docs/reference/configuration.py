"""Writes `configuration.md` beside this file from the table of keys in `coachwhip.config`.

Run it after changing that table; a unit test fails while the page is stale.
"""  # noqa: INP001

from __future__ import annotations

import json
from pathlib import Path

from coachwhip.config import Config
from coachwhip.config.keys import KEYS, Key
from coachwhip.model import SnapshotWish

PAGE = Path(__file__).with_suffix(".md")

_HEAD = """\
<!-- Written by configuration.py from the table of keys in coachwhip.config. Do not edit by hand. -->

# Configuration

Coachwhip reads the table `[tool.coachwhip]` of the project's `pyproject.toml`, or of the inline metadata
(PEP 723) of a script. Every key is optional. A key that does not exist is refused, and the nearest one that
does is named. Options of `coachwhip build` win over the file; where a key is a list, options are added to it.

```toml
[tool.coachwhip]
script = "myapp"
exclude = ["**.tests", "*.pyi"]
```

| key | value | default |
| --- | --- | --- |
"""

_PATTERNS = """\

## Patterns

`exclude` and `include` are lists of patterns, each of one of three kinds, told apart by how it is written:

| written | kind | matches |
| --- | --- | --- |
| with a `/` | path | the path below the directory that modules are imported from (`site-packages`, or the \
standard library); for other files the path below the product's root |
| beginning with `*.` and with nothing else special | file name ending | every file whose name ends so, \
wherever it is |
| otherwise | module | a module or package by its full dotted name |

Whatever matches takes everything below it along: a package its modules and its data files, a directory its
content. Within one name `*` stands for any characters and `?` for one; `**` as a whole name stands for any
number of names, none included.

| pattern | leaves out |
| --- | --- |
| `tkinter` | the top-level package `tkinter` |
| `numpy.tests` | the package `numpy.tests` |
| `**.tests` | every package called `tests`, at any depth |
| `*.pyi` | all type stubs |
| `numpy/_core/include` | that directory |
| `**/locale/*/LC_MESSAGES/*.po` | sources of translations |

A pattern that matches nothing is reported by the build.

These parts of the standard library are left out by default and come back with `include`: the test suites
(`test`), `idlelib`, `tkinter`, `turtle`, `turtledemo`, `ensurepip`.
"""


def page() -> str:
    """Return the whole page."""
    rows = "".join(f"| [`{key.name}`](#{key.name}) | {key.kind.label} | {_default(key)} |\n" for key in KEYS)
    return _HEAD + rows + "".join(_section(key) for key in KEYS) + _PATTERNS


def _section(key: Key) -> str:
    return f"\n## {key.name}\n\n{key.doc}\n\n```toml\n{key.name} = {key.example}\n```\n"


def _default(key: Key) -> str:
    value = getattr(Config(), key.attribute)
    if isinstance(value, SnapshotWish):
        return '`"auto"`'
    if value is None:
        return "see below"
    if isinstance(value, tuple) and value:
        return f'`"{value[0]}.{value[1]}"`'
    if isinstance(value, tuple):
        return "`[]`"
    return f"`{json.dumps(value)}`" if value != "" else ""


if __name__ == "__main__":
    PAGE.write_text(page())
