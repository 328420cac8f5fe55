"""Whether what a product runs is in it at all. Pure."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from coachwhip.collect.model import library, site_packages
from coachwhip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coachwhip.model import Bundle

__all__ = ["check_entry"]


def check_entry(bundle: Bundle, python_version: str, builtins: Iterable[str]) -> None:
    """Check that the entry point's module is in the bundle.

    Whether it has the function can't be told without running it.

    Args:
        bundle: as planned.
        python_version: of the product.
        builtins: names of the modules that are built into the interpreter.

    Raises:
        InputError: it is not there.
    """
    module = bundle.entry.module
    # Lines of .pth files may put anything on the search path.
    if not module or any(layer.path_lines for layer in bundle.layers):
        return
    known = {*_modules(bundle, python_version), *builtins}
    if module not in known:
        near = difflib.get_close_matches(module, sorted(known), n=1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else "check its spelling, and what the package's wheel contains"
        )
        raise InputError(f"the entry point's module {module} is not in the product", hint=hint)
    if not bundle.entry.attribute and f"{module}.__init__" in known and f"{module}.__main__" not in known:
        raise InputError(
            f"the package {module} can't be run: it has no __main__ module",
            hint=f"name a function as well: --entry {module}:FUNCTION",
        )


def _modules(bundle: Bundle, python_version: str) -> Iterator[str]:
    """Yield dotted names of all modules; a package is there as `name` and `name.__init__`."""
    homes = (f"{site_packages(python_version)}/", f"{library(python_version)}/")
    for layer in bundle.layers:
        for node in layer.nodes:
            home = next((home for home in homes if node.path.startswith(home)), None)
            if home is None or (node.code is None and node.native is None):
                continue
            folder, _, file = node.path.removeprefix(home).rpartition("/")
            # An extension module's file name has a tag between name and ending.
            name = ".".join([*folder.split("/"), file.partition(".")[0]]).lstrip(".")
            yield name
            yield name.removesuffix(".__init__")
