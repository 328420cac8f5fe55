"""Machines that products are run on: a root, and circumstances as data."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NOBODY", "Circumstances", "Machine", "Mount", "Outcome"]

NOBODY = 65534
PRODUCTS = "/opt"


@dataclass(frozen=True)
class Mount:
    """Something mounted before the start; see `enter.mount`."""

    kind: str
    target: str
    detail: str = ""


#: What an ordinary machine has, on a root that stays read-only.
USUAL = (
    Mount("proc", "/proc"),
    Mount("tmpfs", "/home"),
    Mount("tmpfs", "/tmp"),
    Mount("tmpfs", "/var/tmp"),
    Mount("tmpfs", "/dev/shm"),
)


@dataclass(frozen=True)
class Circumstances:
    """How a program is started.

    Attributes:
        mounts: in order; the root itself is always read-only.
        namespaces: options of unshare(1) beside `--mount`.
        environment: all of it.
        user: numeric user and group; 0 stays root.
        directory: working directory, which is removed beneath the program if `directory_removed`.
        limits: names of `resource.RLIMIT_*` and their values.
        closed: descriptors that are closed.
        by_descriptor: start by fexecve(3).
    """

    mounts: tuple[Mount, ...] = USUAL
    namespaces: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: {"HOME": "/home", "PATH": "/usr/bin:/bin"})
    user: int = NOBODY
    directory: str = "/"
    directory_removed: bool = False
    umask: int = 0o022
    limits: Mapping[str, int] = field(default_factory=dict)
    closed: tuple[int, ...] = ()
    by_descriptor: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a program ended: negative codes are signals."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True)
class Machine:
    """A root, and a folder of products that appears in it as /opt."""

    root: Path
    products: Path
    circumstances: Circumstances = field(default_factory=Circumstances)

    def having(self, circumstances: Circumstances) -> Machine:
        """The same machine in other circumstances."""
        return replace(self, circumstances=circumstances)

    def command(self, name: str, *arguments: str, argv0: str = "") -> list[str]:
        """The command that runs a product of the folder, or a program of the machine by its path."""
        program = name if name.startswith("/") else f"{PRODUCTS}/{name}"
        base = (Mount("read-only", "/"), Mount("bind", PRODUCTS, str(self.products)))
        spec = asdict(self.circumstances) | {
            "mounts": [
                (mount.kind, mount.target, mount.detail) for mount in (*base, *self.circumstances.mounts)
            ],
            "root": str(self.root),
            "program": program,
            "arguments": [argv0 or program, *arguments],
        }
        enter = [sys.executable, "-I", "-S", str(Path(__file__).with_name("enter.py")), json.dumps(spec)]
        return ["unshare", "--mount", *self.circumstances.namespaces, *enter]

    def run(self, name: str, *arguments: str, argv0: str = "") -> Outcome:
        """Run a product to its end."""
        command = self.command(name, *arguments, argv0=argv0)
        done = subprocess.run(
            command, check=False, capture_output=True, timeout=120, stdin=subprocess.DEVNULL
        )
        texts = (stream.decode(errors="surrogateescape") for stream in (done.stdout, done.stderr))
        return Outcome(done.returncode, *texts)
