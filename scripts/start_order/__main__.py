"""Write `stub/start.order`: which functions a start executes, so that they can lie together in the file.

    python -m scripts.start_order

Needs valgrind, and a runtime. Functions are listed in this order: those of a start from a snapshot, those of
work that programs do first, those of an ordinary start. Names of functions that are gone do no harm.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from coachwhip.cli.main import main as coachwhip
from coachwhip.pipeline import build
from coachwhip.runtime.stub import build_stub, stub_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPICAL = Path(__file__).with_name("typical.py")
_HEAD = "# Functions that starts execute; made by `python -m scripts.start_order`.\n"
#: Arguments and variables of runs, in the order of their importance.
_RUNS: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = (
    (("--help",), {}),
    (("run", "name"), {}),
    (("--help",), {"COACHWHIP_SNAPSHOT": "0"}),
)
#: In what callgrind writes: a function is named where it appears first.
_FUNCTION = re.compile(r"^c?fn=\(\d+\) ([A-Za-z_]\w*)(?:'\d+)?$", re.MULTILINE)


def _build(product: Path) -> None:
    """Build the typical program, with the names of its functions."""
    with mock.patch.object(build, "build_stub", functools.partial(build_stub, strip=False)):
        if coachwhip(["build", str(_TYPICAL), "-o", str(product)]) != 0:
            sys.exit("the typical program can't be built")


def _called(product: Path, arguments: tuple[str, ...], variables: Mapping[str, str]) -> list[str]:
    """Run a product, and return the names of the functions that it calls."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "callgrind")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", product, *arguments]
        subprocess.run(command, env={**os.environ, **variables}, check=True, capture_output=True)
        return _FUNCTION.findall(output.read_text())


def _functions(product: Path) -> set[str]:
    """Return the names of a product's own functions; the rest is libc's."""
    listed = subprocess.run(["nm", product], check=True, capture_output=True, text=True)
    return set(re.findall(r"^[0-9a-f]+ [tTwW] (\S+)$", listed.stdout, re.MULTILINE))


def main() -> None:
    """Build the typical program, run it, and write the list."""
    names: dict[str, None] = {}
    with tempfile.TemporaryDirectory() as folder:
        product = Path(folder, "typical")
        _build(product)
        for arguments, variables in _RUNS:
            names |= dict.fromkeys(_called(product, arguments, variables))
        own = _functions(product)
    (stub_sources() / "start.order").write_text(_HEAD + "".join(f"{name}\n" for name in names if name in own))


if __name__ == "__main__":
    main()
