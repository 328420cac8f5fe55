from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coachwhip.errors import RuntimeBuildError
from coachwhip.progress import Silent
from coachwhip.runtime.installed import recipe_book
from coachwhip.runtime.model import Runtime
from coachwhip.runtime.pack import fetch_packed, pack_runtime, packed_version

from .conftest import make_runtime

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.runtime.recipe import Recipe

RECIPE = recipe_book().get("3.13")
OFFLINE = {**os.environ, "UV_NO_INDEX": "1"}


def fetch(digest: str, target: Path, place: Path, recipe: Recipe = RECIPE) -> bool:
    return fetch_packed(recipe, digest, target, environ=OFFLINE, find_links=[str(place)], progress=Silent())


def test_the_version_says_the_recipe() -> None:
    assert packed_version("3.13.5", "0000000f89abcdef") == "3.13.5.post15"


def test_a_packed_runtime_is_installed_from_a_folder(runtime: Runtime, tmp_path: Path) -> None:
    wheels, target = tmp_path / "wheels", tmp_path / "runtimes" / "there"
    target.parent.mkdir()
    runtime = replace(runtime, python_version=RECIPE.source.version)

    pack_runtime(runtime, wheels)

    assert fetch(runtime.recipe, target, wheels)
    installed = Runtime.load(target)
    assert installed.builtins == runtime.builtins
    assert os.access(installed.interpreter, os.X_OK)
    assert (target / "lib" / "python3.13" / "os.py").read_text() == (runtime.stdlib / "os.py").read_text()
    assert not list(target.rglob("__pycache__"))
    assert [path.name for path in target.parent.iterdir()] == ["there"]


def test_the_two_kinds_have_wheels_of_their_own(tmp_path: Path) -> None:
    wheels, digest = tmp_path / "wheels", "0123456789abcdef"
    runtime = make_runtime(tmp_path / "movable", recipe=digest, pie=True)
    wheel = pack_runtime(replace(runtime, python_version=RECIPE.source.version), wheels)

    assert wheel.name.startswith("coachwhip_runtime_cp313_pie-3.13")
    assert not fetch(digest, tmp_path / "there", wheels)
    assert fetch(digest, tmp_path / "there", wheels, RECIPE.hardened())
    assert Runtime.load(tmp_path / "there").pie


def test_a_wheel_of_another_recipe_is_not_taken(runtime: Runtime, tmp_path: Path) -> None:
    pack_runtime(runtime, tmp_path / "wheels")

    assert not fetch("f" * 16, tmp_path / "there", tmp_path / "wheels")
    assert not (tmp_path / "there").exists()


def test_a_wheel_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    # The first half of the hash, which the version shows, is the same.
    wanted, other = "0123456700000000", "0123456711111111"
    runtime = make_runtime(tmp_path / "other", recipe=other)
    pack_runtime(replace(runtime, python_version=RECIPE.source.version), tmp_path / "wheels")

    with pytest.raises(RuntimeBuildError, match="another recipe"):
        fetch(wanted, tmp_path / "there", tmp_path / "wheels")
    assert not (tmp_path / "there").exists()


def test_the_same_runtime_gives_the_same_wheel(runtime: Runtime, tmp_path: Path) -> None:
    first = pack_runtime(runtime, tmp_path / "one")
    for path in runtime.root.rglob("*.py"):
        os.utime(path, (1, 1))
    second = pack_runtime(runtime, tmp_path / "two")

    assert first.read_bytes() == second.read_bytes()
    assert (
        first.name
        == second.name
        == "coachwhip_runtime_cp313-3.13.5.post19088743-py3-none-manylinux_2_17_x86_64.whl"
    )
    with zipfile.ZipFile(first) as wheel:
        assert "coachwhip_runtime_cp313/licenses/zlib/LICENSE" in wheel.namelist()
