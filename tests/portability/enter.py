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
    """Mount below `root`: `tmpfs` with options, `bind` of a path outside, `proc`, or `read-only`."""
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
    path = os.fsencode(spec["program"])
    program = os.open(path, os.O_RDONLY) if spec["by_descriptor"] else path
    become(spec["user"])
    for name, value in spec["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    for descriptor in spec["closed"]:
        os.close(descriptor)
    arguments = [os.fsencode(argument) for argument in spec["arguments"]]
    os.execve(program, arguments, spec["environment"])  # noqa: S606


main()
