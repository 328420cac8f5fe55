"""`coachwhip runtime`: install and manage the Pythons that products carry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coachwhip.cli.places import absolute_links, default_cache
from coachwhip.cli.ui import Ui, pass_ui, size
from coachwhip.errors import InputError

if TYPE_CHECKING:
    from coachwhip.runtime import Runtime

__all__ = ["runtime_group"]

_VERSION = click.argument("version", required=False, metavar="[VERSION]")
_PIE = click.option("--pie", is_flag=True, help="The position-independent one, for hardened products.")


@click.group(
    "runtime",
    epilog="""\b
Examples:
  coachwhip runtime install
  coachwhip runtime list
  coachwhip runtime pack --output wheels
  coachwhip runtime install --find-links wheels
""",
)
def runtime_group() -> None:
    """Install and manage the Pythons that products carry.

    A runtime is CPython with everything it needs, compiled from source for any Linux with glibc 2.17 or
    newer. It is made once and kept in the cache; every product built afterwards uses it.
    """


@runtime_group.command(
    "install",
    epilog="""\b
Examples:
  coachwhip runtime install
  coachwhip runtime install 3.13 --quick
  coachwhip runtime install --pie
  coachwhip runtime install --find-links https://example.org/wheels/
""",
)
@_VERSION
@click.option("--quick", is_flag=True, help="Compile without a training run: sooner ready, slower programs.")
@click.option("--find-links", multiple=True, metavar="PLACE",
              help="Folder or page that may have a ready-made runtime.")  # fmt: skip
@click.option("--from-source", is_flag=True, help="Do not look for a ready-made runtime.")
@_PIE
@pass_ui
def _install(  # noqa: PLR0913  (independent options)
    ui: Ui, *, version: str | None, quick: bool, find_links: tuple[str, ...], from_source: bool, pie: bool
) -> None:
    """Install a runtime; VERSION is a Python version such as 3.13.

    A ready-made one is taken from the configured package indexes or from --find-links when it fits.
    Otherwise it is built from source, which takes about 10 minutes on two processors and needs `make` and
    `perl`, but no C compiler. An interrupted build goes on where it stopped.
    """
    from coachwhip.runtime import install_runtime  # noqa: PLC0415  (not needed for --help)

    runtime = install_runtime(
        version,
        cache=default_cache(),
        environ=os.environ,
        progress=ui,
        quick=quick,
        pie=pie,
        find_links=absolute_links(find_links),
        from_source=from_source,
    )
    ui.result(str(runtime.root))


@runtime_group.command("list", epilog="\b\nExample:\n  coachwhip runtime list\n")
@pass_ui
def _list(ui: Ui) -> None:
    """List the installed runtimes.

    Each with its Python, how it was compiled, and what for: "fixed" for products with snapshots, whose
    addresses are fixed, "pie" (position-independent) for hardened ones.
    """
    from coachwhip.runtime import installed_runtimes  # noqa: PLC0415  (not needed for --help)

    runtimes = installed_runtimes(default_cache())
    width = max((len(runtime.root.name) for runtime in runtimes), default=0)
    for runtime in runtimes:
        kind = "pie" if runtime.pie else "fixed"
        ui.result(
            f"{runtime.root.name:<{width}}  Python {runtime.python_version}  {runtime.optimization:<5}  "
            f"{kind:<5}  {size(_disk_size(runtime.root))}"
        )


@runtime_group.command("path", epilog='\b\nExample:\n  "$(coachwhip runtime path)/bin/python3.13" -V\n')
@_VERSION
@_PIE
@pass_ui
def _path(ui: Ui, *, version: str | None, pie: bool) -> None:
    """Print the directory of the runtime that builds use."""
    ui.result(str(_installed(version, pie=pie).root))


@runtime_group.command(
    "remove",
    epilog="""\b
Examples:
  coachwhip runtime remove 3.13
  coachwhip runtime remove cp313-0123456789abcdef
""",
)
@click.argument("which", metavar="VERSION|NAME")
@pass_ui
def _remove(ui: Ui, *, which: str) -> None:
    """Remove runtimes by Python version or by name.

    `coachwhip runtime list` shows the names. What was built with a runtime goes on working.
    """
    from coachwhip.runtime import installed_runtimes, remove_runtime  # noqa: PLC0415  (not needed for --help)

    doomed = [r for r in installed_runtimes(default_cache()) if which in _names(r)]
    if not doomed:
        raise InputError(
            f"no installed runtime is called {which}", hint="`coachwhip runtime list` shows what there is"
        )
    for runtime in doomed:
        freed = _disk_size(runtime.root)
        remove_runtime(runtime)
        ui.result(f"removed {runtime.root.name}, {size(freed)}")


@runtime_group.command("pack", epilog="\b\nExample:\n  coachwhip runtime pack --output wheels\n")
@_VERSION
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=".",
              show_default="the current folder", metavar="DIR", help="Where to write the wheel.")  # fmt: skip
@_PIE
@pass_ui
def _pack(ui: Ui, *, version: str | None, output: Path, pie: bool) -> None:
    """Write an installed runtime into a wheel, for other machines.

    Put the wheel into a folder or on a package index: `coachwhip runtime install` and
    `coachwhip build` take it from there and build nothing.
    """
    from coachwhip.runtime.pack import pack_runtime  # noqa: PLC0415  (not needed for --help)

    runtime = _installed(version, pie=pie)
    with ui.step(f"Packing the runtime {runtime.root.name}"):
        wheel = pack_runtime(runtime, output)
    ui.result(f"{wheel}  {size(wheel.stat().st_size)}")


def _installed(version: str | None, *, pie: bool) -> Runtime:
    from coachwhip.runtime import find_runtime  # noqa: PLC0415  (not needed for --help)

    runtime = find_runtime(version, cache=default_cache(), pie=pie)
    if runtime is None:
        wanted = (
            f"{'position-independent ' if pie else ''}runtime{f' of Python {version}' if version else ''}"
        )
        raise InputError(
            f"there is no installed {wanted} that this version of coachwhip can use",
            hint=f"`coachwhip runtime install{' --pie' if pie else ''}` makes one",
        )
    return runtime


def _names(runtime: Runtime) -> set[str]:
    dotted = "{}.{}".format(*runtime.version)
    return {runtime.root.name, runtime.python_version, dotted}


def _disk_size(root: Path) -> int:
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())
