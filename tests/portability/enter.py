"""Start a program in another root, in circumstances given as JSON. Run by `machine.py`, as root.

Everything is done here and not in the root, which need not even have a shell.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from typing import Any


def mount(root: str, kind: str, target: str, detail: str) -> None:
    """Mount below `root`: a `tmpfs` with options, a `bind` of a path outside, `proc`, or turn it read-only."""
    place = root + target
    commands = {
        "tmpfs": [["-t", "tmpfs", "-o", detail or "mode=1777", "tmpfs", place]],
        "bind": [["--bind", detail, place]],
        "proc": [["-t", "proc", "proc", place]],
        "read-only": [["--bind", place, place], ["-o", "remount,bind,ro", place]],
    }
    for arguments in commands[kind]:
        subprocess.run(["mount", *arguments], check=True)


def descend(directory: str, *, removed: bool) -> None:
    """Change the working directory, to one that no longer exists if wanted."""
    os.chdir(directory)
    if removed:
        os.mkdir("gone")  # noqa: PTH102
        os.chdir("gone")
        os.rmdir(os.getcwd())  # noqa: PTH106, PTH109


def become(user: int) -> None:
    """Give up root's rights."""
    if user != 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def main() -> None:
    """Do it."""
    spec: dict[str, Any] = json.loads(sys.argv[1])
    for entry in spec["mounts"]:
        mount(spec["root"], *entry)
    os.chroot(spec["root"])
    descend(spec["directory"], removed=spec["directory_removed"])
    os.umask(spec["umask"])
    program: str | int = os.fsencode(spec["program"])  # type: ignore[assignment]
    if spec["by_descriptor"]:
        program = os.open(program, os.O_RDONLY)
    become(spec["user"])
    for name, value in spec["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    for descriptor in spec["closed"]:
        os.close(descriptor)
    os.execve(program, [os.fsencode(argument) for argument in spec["arguments"]], spec["environment"])


main()
