"""`coachwhip build`: an application in, one executable file out."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from packaging.utils import canonicalize_name

from coachwhip.cli.options import GroupedCommand, grouped_option
from coachwhip.cli.places import absolute_links, check_current_folder, default_cache
from coachwhip.cli.snapshot import explanation, snapshot_line
from coachwhip.cli.ui import Ui, pass_ui, size
from coachwhip.inputs import Given
from coachwhip.pipeline import Request, build_product
from coachwhip.resolve import Options

if TYPE_CHECKING:
    from coachwhip.pipeline import Product

__all__ = ["build"]

_what = grouped_option("What to ship")
_where = grouped_option("Where it must run")
_contents = grouped_option("What goes in")
_requirements = grouped_option("Where requirements come from")

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    cls=GroupedCommand,
    epilog="""\b
Examples:
  coachwhip build                        the project in this folder
  coachwhip build examples/myapp         the project in another folder
  coachwhip build tool.py                a script with its PEP 723 requirements
  coachwhip build dist/app-1.0-py3-none-any.whl
  coachwhip build httpie --script http   a program from the package index
  coachwhip build -r requirements.txt --entry shop.main:run -o shop
""",
)
@click.argument("app", required=False)
@_what(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write; dist/NAME in the current folder without it.",
)
@_what("--script", metavar="NAME", help="Console script to run, where there are several.")
@_what("--entry", metavar="MODULE:FUNCTION", help="What to run instead of a console script.")
@_what(
    "-r",
    "--requirement",
    "requirement_files",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="Put in what a requirements file asks for.",
)
@_what("--with", multiple=True, metavar="REQUIREMENT", help="Put in one more requirement, a plugin perhaps.")
@_what("--extra", "extras", multiple=True, metavar="NAME", help="Put in an extra of the project.")
@_where("--python", metavar="VERSION", help="Python to carry.  [default: 3.13]")
@_where(
    "--glibc",
    metavar="VERSION",
    help="Newest glibc that may be needed.  [default: 2.17, or what wheels ask for]",
)
@_contents("--exclude", multiple=True, metavar="PATTERN", help="Leave out modules or files.")
@_contents("--include", multiple=True, metavar="PATTERN", help="Keep what would be left out.")
@_contents(
    "--sources/--no-sources", default=None, help="Keep the text of modules for tracebacks.  [default: keep]"
)
@_contents(
    "--prune/--no-prune",
    default=None,
    help="Leave out what cannot be imported of the standard library's extension modules.",
)
@_contents(
    "--interpreter/--no-interpreter",
    default=None,
    help="Let COACHWHIP_INTERPRETER=1 turn the product into a Python.  [default: let]",
)
@_contents("--no-snapshot", is_flag=True, help="Have every start begin at the beginning.")
@_contents("--pie/--no-pie", default=None, help="Have other addresses in each process, and no snapshot.")
@_contents("--explain", is_flag=True, help="Say which modules are not in the snapshot, why, and what to do.")
@_requirements(
    "-c",
    "--constraint",
    "constraint_files",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="Limit versions as pip's constraints do.",
)
@_requirements("--index-url", metavar="URL", help="Index to use.")
@_requirements(
    "--extra-index-url", "extra_index_urls", multiple=True, metavar="URL", help="Index to ask first."
)
@_requirements(
    "-f",
    "--find-links",
    multiple=True,
    metavar="PLACE",
    help="Folder or page with further wheels and runtimes.",
)
@_requirements("--no-index", is_flag=True, help="Use --find-links only.")
@_requirements("--offline", is_flag=True, help="Use only what is on this machine already.")
@_requirements("--pre", "prerelease", is_flag=True, help="Take pre-releases too.")
@_requirements(
    "--no-binary",
    "from_source",
    multiple=True,
    metavar="PROJECT",
    help="Build a project from source although it has wheels.",
)
@_requirements("--ignore-lock", is_flag=True, help="Resolve anew even if the project has a lock file.")
@pass_ui
def build(ui: Ui, /, app: str | None, output: Path | None, **options: Any) -> None:  # noqa: ANN401
    """Build one executable file from APP.

    APP is a folder with a pyproject.toml, a .py file, a .whl file, or a requirement such as
    "httpie>=3"; the current folder without it. The file that is written carries its own Python and
    all that APP needs. Options override [tool.coachwhip] in pyproject.toml, lists add to it.

    The first build on a machine also makes the Python that products carry, which takes about a
    quarter of an hour; see `coachwhip runtime --help`.
    """
    check_current_folder()
    resolve = Options(
        environ=os.environ,
        constraint_files=options.pop("constraint_files"),
        no_index=options.pop("no_index"),
        offline=options.pop("offline"),
        prerelease=options.pop("prerelease"),
        from_source=frozenset(canonicalize_name(name) for name in options.pop("from_source")),
        ignore_lock=options.pop("ignore_lock"),
    )
    requirement_files = options.pop("requirement_files")
    explain = options.pop("explain")
    if options.pop("no_snapshot"):
        options["snapshot"] = "off"
    options["find_links"] = absolute_links(options["find_links"])
    settings = {name.replace("_", "-"): value for name, value in options.items()}
    request = Request(Given(app, settings, requirement_files), output, resolve, default_cache())
    product = build_product(request, ui)
    if product.snapshot is not None:
        ui.note(snapshot_line(product.snapshot, product.snapshot_size))
        if explain:
            for part in explanation(product.snapshot):
                ui.show(part)
    elif explain:
        ui.note("There is no snapshot that could be explained.")
    ui.result(_summary(product))


def _summary(product: Product) -> str:
    """One line: file, size, where it runs, how to run it."""
    shown = str(product.path)
    command = shlex.quote(shown if "/" in shown else f"./{shown}")
    needs = ", ".join([f"glibc {product.floor} or newer", *product.system])
    return f"{shown}: {size(product.size)}, Linux {product.arch}, {needs}; run {command}"
