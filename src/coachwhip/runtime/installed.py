"""Which runtimes are installed, and under which name this version of coachwhip would install one."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import remove_tree, translated_os_errors
from coachwhip.errors import RuntimeBuildError
from coachwhip.runtime.model import Runtime
from coachwhip.runtime.recipe import Recipe, RecipeBook, parse_recipes, recipe_hash
from coachwhip.runtime.toolchain import LIBRARY_FLAGS, PIE_FLAGS, SHARED_FLAGS, TARGET, support_hash

if TYPE_CHECKING:
    from coachwhip.effects.cache import Cache

__all__ = [
    "find_recipe",
    "find_runtime",
    "installed_runtimes",
    "recipe_book",
    "remove_runtime",
    "runtime_name",
]

#: Count up when the way a runtime is built changes without a change of recipes, flags or support files.
_REVISION = "2"
_RECIPES = Path(__file__).with_name("recipes.toml")


def recipe_book() -> RecipeBook:
    """Return all recipes of this version of coachwhip."""
    return parse_recipes(_RECIPES.read_text())


def runtime_name(recipe: Recipe, optimization: str) -> tuple[str, str]:
    """Return the name of a runtime's directory, and the recipe hash in it."""
    inputs = {
        "ziglang": importlib.metadata.version("ziglang"),
        "target": TARGET,
        "flags": " ".join((*LIBRARY_FLAGS, *SHARED_FLAGS)),
        "support": support_hash(),
        "revision": _REVISION,
    }
    if recipe.pie:
        inputs["pie"] = " ".join(PIE_FLAGS)
    digest = recipe_hash(recipe, optimization, inputs)
    variant = "-pie" if recipe.pie else ""
    return f"{recipe.abi}{variant}-{digest}", digest


def find_recipe(version: str | None, *, pie: bool) -> Recipe:
    """Return the recipe for a Python version, or its position-independent variant.

    Raises:
        ConfigError: there is no recipe for that version.
    """
    recipe = recipe_book().get(version)
    return recipe.hardened() if pie else recipe


def find_runtime(version: str | None, *, cache: Cache, pie: bool = False) -> Runtime | None:
    """Return the installed runtime that this version of coachwhip would build, or None.

    Args:
        version: Python version, `3.13`; None for the newest one.
        cache: where runtimes are installed.
        pie: whether it is to be the position-independent variant.

    Raises:
        ConfigError: there is no recipe for that version.
        RuntimeBuildError: it is installed but damaged.
    """
    recipe = find_recipe(version, pie=pie)
    for optimization in ("pgo", "quick"):
        path = cache.area("runtimes") / runtime_name(recipe, optimization)[0]
        if path.is_dir():
            return Runtime.load(path)
    return None


def installed_runtimes(cache: Cache) -> list[Runtime]:
    """Return all installed runtimes that can be read, those of older versions of coachwhip included."""
    found = []
    for path in sorted(cache.area("runtimes").iterdir()):
        try:
            found.append(Runtime.load(path))
        except RuntimeBuildError:
            continue
    return found


def remove_runtime(runtime: Runtime) -> None:
    """Remove an installed runtime; it disappears at once, not file by file."""
    with translated_os_errors("remove the runtime"):
        doomed = runtime.root.with_name(f".{runtime.root.name}.{os.getpid()}.removed")
        runtime.root.rename(doomed)
        remove_tree(doomed)
