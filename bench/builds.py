"""Have a tool build an app, keep the result for the next run, and check that it does what it should."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Program
from bench.model import App, Built, Result
from bench.tools import Job, Tool, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["make"]


def make(app: App, tool: Tool, python: Path, work: Path, *, rebuild: bool) -> tuple[Result, Program | None]:
    """Return what is known before any measurement, and the program to measure; None when there is none.

    Args:
        app: what to build.
        tool: what to build it with.
        python: the interpreter to build for.
        work: each app and tool gets a folder in it.
        rebuild: build although an earlier run has built it.
    """
    place = work / app.name / tool.name
    result = Result(app.name, tool.name)
    try:
        built, result.version = _build(app, tool, python, place, rebuild=rebuild)
        program = Program([*built.command, *app.arguments], place / "home", python.parent)
        _check(program, app)
    except ToolError as error:
        result.failure = str(error)
        return result, None
    result.size = sum(_size(path) for path in built.ships)
    if built.ships:
        result.build, result.again = built.seconds, built.again
    return result, program


def _build(app: App, tool: Tool, python: Path, place: Path, *, rebuild: bool) -> tuple[Built, str]:
    record = place / "built.json"
    if not rebuild and record.exists():
        known = json.loads(record.read_text(encoding="utf-8"))
        known["ships"] = tuple(Path(path) for path in known["ships"])
        version = known.pop("version")
        return Built(**known | {"command": tuple(known["command"])}), version
    if place.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True)
    built = tool.build(Job(app, python, place, place / "log.txt"))
    version = _version(tool, [place / "venv" / "bin" / "python", place / "tool" / "bin" / "python"])
    document = asdict(built) | {"ships": [str(path) for path in built.ships], "version": version}
    record.write_text(json.dumps(document), encoding="utf-8")
    return built, version


def _check(program: Program, app: App) -> None:
    """Run the program once.

    Raises:
        ToolError: it does not print what it should.
    """
    done = subprocess.run(
        program.command,
        env=program.environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0 or app.expect not in done.stdout:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ToolError(f"exit code {done.returncode}: {said[-1] if said else 'no output'}")


def _version(tool: Tool, interpreters: Sequence[Path]) -> str:
    """Return the version of a tool as one of these interpreters sees it, empty when none does."""
    if tool.package == "coachwhip":
        import coachwhip  # noqa: PLC0415  (only when it is measured)

        return coachwhip.__version__
    code = f"import importlib.metadata as m; print(m.version({tool.package!r}))"
    for python in interpreters:
        if tool.package and python.exists():
            done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout.strip()
    return ""


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(item.lstat().st_size for item in path.rglob("*") if not item.is_dir() or item.is_symlink())
