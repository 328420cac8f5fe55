"""A product in a folder of its own, run to see what it does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from coachwhip.effects.process import start
from coachwhip.errors import BuildError
from coachwhip.snapshot.model import Ending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["TRAIN_SECONDS", "Place", "Run"]

_BAKE_SECONDS = 120.0
#: What processes say that the program has started with its `sys.executable`; see `gates.c`.
_OF_INTERPRETERS = b": it acts as a Python interpreter\n"
#: How long one training run may take; what it has imported by then is not learned.
TRAIN_SECONDS = 10.0
_PAGES = "pages"


@dataclass(frozen=True)
class Run:
    """How the product ended; and its report, None when it wrote none."""

    ending: Ending
    report: Any


@dataclass(frozen=True)
class Place:
    """A product, and the folder that it lies and runs in."""

    product: Path

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.product.parent

    def run(self, plan: dict[str, Any], arguments: Sequence[str] = (), seconds: float = _BAKE_SECONDS) -> Run:
        """Run the product with a plan."""
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        (self.folder / "plan.json").write_text(json.dumps({**plan, "report": report.name}))
        # The memory is made in the C locale, which every machine has. Programs are used in others, and some
        # refuse to run in that one.
        locale = "C.UTF-8" if plan["task"] == "train" else "C"
        ending = self._run({"COACHWHIP_BAKE": "plan.json", "LC_ALL": locale}, arguments, seconds)
        return Run(ending, json.loads(report.read_text()) if report.exists() else None)

    def watch_pages(self, arguments: Sequence[str]) -> tuple[Ending, bytes]:
        """Run the product as a user would, from its snapshot.

        Return how it ended, and which pages of the snapshot it has touched: numbers as `stub/working_set.h`
        describes them; empty when the program ended in a way that leaves nobody time to look.

        Raises:
            BuildError: it could not go on from its snapshot, and has started without.
        """
        report = self.folder / _PAGES
        report.unlink(missing_ok=True)
        ending = self.use(arguments, variables={"COACHWHIP_WORKING_SET": _PAGES})
        return ending, report.read_bytes() if report.exists() else b""

    def use(
        self,
        arguments: Sequence[str],
        *,
        snapshot: bool = True,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> Ending:
        """Run the product as a user would, from its snapshot or without it.

        Raises:
            BuildError: it could not go on from its snapshot, and has started without.
        """
        environment = {
            "LC_ALL": "C.UTF-8",
            "COACHWHIP_SNAPSHOT": str(int(snapshot)),
            "COACHWHIP_WHY": "1",
            **variables,
        }
        ending = self._run(environment, arguments, TRAIN_SECONDS)
        said = f"{self.product.name}: started ".encode()
        lines = ending.printed.splitlines(keepends=True)
        without = [
            line
            for line in lines
            if line.startswith(said + b"without") and not line.endswith(_OF_INTERPRETERS)
        ]
        if snapshot and without:
            reason = without[0].decode(errors="replace").partition(": ")[2].strip()
            raise BuildError(f"the program can't go on from its snapshot: {reason}")
        return Ending(ending.status, b"".join(line for line in lines if not line.startswith(said)))

    def _run(self, variables: dict[str, str], arguments: Sequence[str], seconds: float) -> Ending:
        # As little as possible: what is not there can't get into the snapshot. Names are relative, as the
        # folder's own differs from build to build.
        environment = {**variables, "HOME": "/dev/null", "PATH": os.defpath}
        with (self.folder / "messages").open("a+b") as messages:
            before = messages.seek(0, os.SEEK_END)
            process = start(
                [f"./{self.product.name}", *arguments],
                cwd=self.folder,
                env=environment,
                output=messages,
                own_session=True,
            )
            status = _wait(process, seconds)
            messages.seek(before)
            return Ending(status, messages.read())


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Wait for a process for some time, then end it with all that it started; return its own status."""
    status = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return status
