"""`coachwhip inspect`: what is inside a product, and whether it is intact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from coachwhip.cli.report import Report, report
from coachwhip.cli.ui import Ui, pass_ui, size
from coachwhip.effects.files import translated_os_errors
from coachwhip.errors import ImageError, InputError
from coachwhip.image import read_image

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["inspect"]


@click.command(
    epilog="""\b
Examples:
  coachwhip inspect dist/myapp
  coachwhip inspect --json dist/myapp | jq .glibc
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@pass_ui
def inspect(ui: Ui, file: Path, *, as_json: bool) -> None:
    """Show what is inside FILE, a product of `coachwhip build`, and check that it is intact.

    Shown are its target and Python, the oldest glibc it runs on with the library that asks for it,
    and its sizes by part, by package and by native library. Every checksum is verified; a damaged
    file ends the command with exit code 9.
    """
    found = _examine(file)
    if as_json:
        ui.result(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
    else:
        for part in _render(found):
            ui.show(part)
    if not found.intact:
        raise ImageError(f"{file}: {found.damage}", hint="copy it again, or build it again")


def _examine(file: Path) -> Report:
    try:
        with translated_os_errors("read the product"):
            if not file.is_file():
                raise InputError(
                    f"{file} {_what_is_there(file)}", hint="name a file that `coachwhip build` has written"
                )
            return report(file, read_image(file))
    except ImageError as error:
        raise ImageError(f"{file}: {error.message}", hint=error.hint) from error


def _what_is_there(file: Path) -> str:
    if file.is_dir():
        return "is a folder"
    return "is no ordinary file" if file.exists() else "does not exist"


def _render(report: Report) -> list[RenderableType]:
    parts: list[RenderableType] = [_facts(report), "", _sizes(report), "", _distributions(report)]
    if report.manifest.natives:
        parts += ["", _natives(report)]
    return parts


def _facts(report: Report) -> RenderableType:
    manifest = report.manifest
    major, minor, *_ = manifest.python.split(".")
    state = "intact, every checksum matches" if report.intact else f"DAMAGED: {report.damage}"
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (
        ("file", f"{report.file}, {size(report.size)}"),
        ("state", state),
        ("app", f"{manifest.app} {manifest.version}".rstrip()),
        ("starts", manifest.entry),
        ("Python", f"CPython {manifest.python}, runtime {manifest.runtime}"),
        ("target", manifest.target),
        ("glibc", f"{report.floor} or newer, because of {_short(report.floor_set_by, f'{major}.{minor}')}"),
        *_system(report),
        ("addresses", _addresses(report)),
        ("image", report.image),
        ("made by", f"coachwhip {manifest.builder}"),
    ):
        table.add_row(name, value)
    return table


def _system(report: Report) -> list[tuple[str, str]]:
    """A row about the libraries of the machine, if any is needed."""
    python = ".".join(report.manifest.python.split(".")[:2])
    needs = [f"{item.name} (for {_short(item.needed_by, python)})" for item in report.manifest.system]
    return [("also needs", ", ".join(needs))] if needs else []


def _addresses(report: Report) -> str:
    """Whether memory errors are harder to exploit than in other products, and what is missing for that."""
    found = report.hardening
    if not found.position_independent:
        return "the interpreter's, its heap's and its libraries' are fixed"
    lacks = f" but for {', '.join(found.lacks)}" if found.lacks else ""
    return f"other ones in each process; hardened{lacks}"


def _sizes(report: Report) -> RenderableType:
    table = _table("part", "size", "share")
    for part, stored in report.parts.items():
        table.add_row(part, size(stored), f"{stored / report.size:.0%}")
    return table


def _distributions(report: Report) -> RenderableType:
    table = _table("package", "files", "size", "unpacked", version=True)
    for item in sorted(report.manifest.distributions, key=lambda item: (-item.stored, item.name)):
        table.add_row(item.name, item.version, str(item.files), size(item.stored), size(item.raw))
    return table


def _natives(report: Report) -> RenderableType:
    table = _table("native library", "size", "glibc", "loaded by")
    python = ".".join(report.manifest.python.split(".")[:2])
    for item in sorted(report.manifest.natives, key=lambda item: (-item.stored, item.path)):
        way = f"mapping at {item.address:#x}" if item.mapped else "unpacking"
        table.add_row(_short(item.path, python), size(item.stored), item.glibc or "-", way)
    return table


def _table(first: str, *numbers: str, version: bool = False) -> Table:

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(first, overflow="fold", min_width=16)
    if version:
        table.add_column("version", overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _short(path: str, python: str) -> str:
    """Leave out the folder that all packages share."""
    return path.removeprefix(f"lib/python{python}/site-packages/")
