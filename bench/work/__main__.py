"""`python -m bench.work`: measure whether started programs work as fast in a product as in plain Python."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.work.measure import Commands, Counter, measure
from bench.work.model import PLAIN, Figure, load
from bench.work.product import make
from bench.work.report import as_markdown
from coachwhip.cli.places import default_cache
from coachwhip.progress import Silent
from coachwhip.runtime import install_runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.work.model import Program

_HERE = Path(__file__).resolve().parent
#: Callgrind counts only these: products of native code start in another way below it.
_COUNTABLE = "pure"


def main() -> int:
    """Measure what the command line asks for."""
    programs = load()
    options = _parser(list(programs)).parse_args()
    chosen = [programs[name] for name in options.programs or programs]
    commands = _commands(chosen, list(programs.values()), options.work)
    options.output.mkdir(parents=True, exist_ok=True)
    figures: dict[str, dict[str, Figure]] = _known(options.output / "work.json")
    for program in chosen:
        print(program.name, file=sys.stderr, flush=True)
        found = figures.setdefault(program.name, {})
        if options.rounds:
            for variant, figure in measure(program, commands[program.product], options.rounds).items():
                found.setdefault(variant, Figure()).times = figure.times
        if options.count and program.product == _COUNTABLE:
            counter = Counter(commands[program.product])
            for variant in (PLAIN, "product"):
                found.setdefault(variant, Figure()).instructions = counter.count(program, variant)
        # After each one: an interrupted run is not lost.
        _write(options.output, list(programs), figures)
    print((options.output / "work.md").read_text(encoding="utf-8"))
    return 0


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.work", description=__doc__)
    parser.add_argument(
        "--programs",
        nargs="+",
        choices=names,
        metavar="NAME",
        help=f"measure only these of {', '.join(names)}",
    )
    parser.add_argument("--rounds", type=int, default=5, help="processes of each program and way to start it")
    parser.add_argument(
        "--count",
        action="store_true",
        help="count instructions by callgrind as well, of programs without native libraries; takes long",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=_HERE.parents[1] / "build" / "bench-work",
        help="folder for the products; those in it are used as they are",
    )
    parser.add_argument("--output", type=Path, default=_HERE.parent / "results")
    return parser


def _commands(chosen: Sequence[Program], programs: Sequence[Program], place: Path) -> dict[str, Commands]:
    """How to start the programs of each product, which is built when it is missing."""
    runtime = install_runtime(None, cache=default_cache(), environ=os.environ, progress=Silent())
    home = place.resolve() / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    found = {}
    for name in sorted({program.product for program in chosen}):
        parts = [program for program in programs if program.product == name]
        product, packages = make(name, parts, place.resolve())
        plain = (str(runtime.interpreter), "-s", str(packages / f"work_{name}.py"))
        found[name] = Commands(product, plain, packages, home)
    return found


def _known(path: Path) -> dict[str, dict[str, Figure]]:
    """What earlier runs have measured."""
    if not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    return {
        program: {variant: Figure(**figure) for variant, figure in variants.items()}
        for program, variants in document.items()
    }


def _write(folder: Path, names: Sequence[str], figures: dict[str, dict[str, Figure]]) -> None:
    ordered = {name: figures[name] for name in names if name in figures}
    document = {
        program: {variant: asdict(figure) for variant, figure in variants.items()}
        for program, variants in ordered.items()
    }
    (folder / "work.json").write_text(json.dumps(document) + "\n", encoding="utf-8")
    (folder / "work.md").write_text(as_markdown(ordered), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
