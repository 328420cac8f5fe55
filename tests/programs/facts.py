"""What is found out about the programs that are tried: what is in their snapshots, how fast they start."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from coachwhip.cli.places import default_cache
from coachwhip.image import read_image
from coachwhip.inputs import Given
from coachwhip.pipeline import Request, build_product
from coachwhip.progress import Silent
from coachwhip.resolve import Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Settings", "build", "compare", "keep", "table", "way_of_starting"]

#: A table of `programs.toml`.
Settings = dict[str, Any]
#: How often each of the two is started to time it, after a first time that fills caches.
RUNS = 5
#: How many modules that are left out, for a reason of their own, are named.
NAMED = 3


def keep(folder: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Add to what is known of a program."""
    path = folder / "facts" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**_known(path), **facts}, indent=1))


def _known(path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return facts


def build(name: str, settings: Settings, output: Path) -> dict[str, Any]:
    """Build a program as `coachwhip build` does; returns what there is to tell of it."""
    keys: dict[str, Any] = {}
    for option, value in _pairs(settings):
        key = option.removeprefix("--")
        keys[key] = (*keys.get(key, ()), value) if key == "with" else value
    request = Request(Given(name, keys, ()), output, Options(environ=os.environ), default_cache())
    product = build_product(request, Silent())
    records = {item.name: item.version for item in read_image(output).manifest.distributions}
    facts = {"version": records.get(name, ""), "size": product.size, "glibc": product.floor}
    choice = product.snapshot
    if choice is None:
        return {**facts, "inside": 0, "outside": 0, "waiting": 0, "causes": []}
    causes = [
        (left.name, left.reason, 1 + sum(other.because == left.name for other in choice.left_out))
        for left in choice.left_out
        if not left.because
    ]
    return {
        **facts,
        "inside": len(choice.modules),
        "outside": len(choice.left_out),
        "waiting": len(choice.waiting),
        "causes": sorted(causes, key=lambda cause: -cause[2]),
    }


def _quick(settings: Settings) -> list[str]:
    quick: list[str] = settings.get("quick", ["--version"])
    return quick


def _environment(home: Path) -> dict[str, str]:
    home.mkdir(parents=True, exist_ok=True)
    return {"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8"}


def way_of_starting(product: Path, settings: Settings, folder: Path) -> str:
    """Say how a product starts, in its own words."""
    done = subprocess.run(
        [product, *_quick(settings)],
        env={**_environment(folder / "timed"), "COACHWHIP_WHY": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if line.startswith(f"{product.name}: started ")]
    return said[-1].partition(": started ")[2] if said else done.stderr


def compare(name: str, settings: Settings, product: Path, folder: Path, python: Path) -> dict[str, Any]:
    """Start a product and the same program in a virtual environment in turns.

    Returns the least processor times in milliseconds, which other work on the machine changes little, and
    whether both print the same.
    """
    plain = _plain(name, settings, folder / "venv" / name, python)
    commands = {"product": [str(product), *_quick(settings)], "plain": [*plain, *_quick(settings)]}
    environment = _environment(folder / "timed")
    best = dict.fromkeys(commands, float("inf"))
    printed = {}
    for number in range(1 + RUNS):
        for which, command in commands.items():
            printed[which], took = _timed(command, environment)
            if number:
                best[which] = min(best[which], took)
    shutil.rmtree(folder / "venv" / name)
    return {**best, "same": printed["product"] == printed["plain"]}


def _timed(command: Sequence[str], environment: Mapping[str, str]) -> tuple[bytes, float]:
    """Run a command; return what it prints, and its processor time in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, 1000 * took


def _plain(name: str, settings: Settings, venv: Path, python: Path) -> list[str]:
    """Make a virtual environment with a program; returns the command that runs it there."""
    shutil.rmtree(venv, ignore_errors=True)
    options = dict(_pairs(settings))
    more = [value for option, value in _pairs(settings) if option == "--with"]
    uv = [sys.executable, "-m", "uv", "-q"]
    subprocess.run([*uv, "venv", "--python", str(python), str(venv)], check=True)
    install = [*uv, "pip", "install", "--python", f"{venv}/bin/python"]
    subprocess.run([*install, name, *more], check=True)
    if "plain" in settings:
        return [f"{venv}/bin/python", *settings["plain"]]
    return [f"{venv}/bin/{options.get('--script', settings.get('script', name))}"]


def _pairs(settings: Settings) -> Iterator[tuple[str, str]]:
    words = iter(settings.get("build", ()))
    return zip(words, words, strict=False)


def table(programs: Mapping[str, Settings], folder: Path) -> str:
    """Return what is known of programs, as rows of a table in Markdown."""
    rows = []
    for name, settings in programs.items():
        facts = _known(folder / "facts" / f"{name}.json")
        if facts:
            rows.append("| " + " | ".join(_cells(name, settings, facts)) + " |")
    return "\n".join(rows)


def _cells(name: str, settings: Settings, facts: Mapping[str, Any]) -> Sequence[str]:
    options = " ".join(settings.get("build", ()))
    all_modules = facts["inside"] + facts["outside"]
    modules = f"{facts['inside']} of {all_modules}" if facts["outside"] else str(all_modules)
    return (
        f"{name} {facts['version']}",
        f"`{options}`" if options else "",
        settings["kind"],
        settings["done"] if facts["works"] else "FAILS",
        f"{facts['size'] / 1e6:.0f}",
        modules,
        f"{facts['product'] / facts['plain']:.2f}" if "plain" in facts else "",
        "; ".join(_causes(facts["causes"])),
    )


def _causes(causes: Sequence[tuple[str, str, int]]) -> Iterator[str]:
    """Say why modules are not in a snapshot: those with the same reason together, the most important ones."""
    together: dict[str, list[tuple[str, int]]] = {}
    for name, reason, count in causes:
        together.setdefault(reason, []).append((name, count))
    for reason, modules in list(together.items())[:NAMED]:
        more = f" and {len(modules) - 1} more" if len(modules) > 1 else ""
        yield f"`{modules[0][0]}`{more} {reason} ({sum(count for _, count in modules)})"
    if len(together) > NAMED:
        yield f"{len(together) - NAMED} smaller reasons"
