from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coachwhip.errors import RuntimeBuildError
from coachwhip.runtime.model import Runtime, runtime_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_what_is_written_is_read_back(runtime: Runtime) -> None:
    assert Runtime.load(runtime.root) == runtime


def test_a_runtime_of_before_there_were_carried_libraries_has_none(runtime: Runtime) -> None:
    document = runtime_document(runtime)
    del document["carried"]
    assert Runtime.parse(runtime.root, document).carried == ()


def test_a_runtime_of_before_there_were_two_kinds_is_not_position_independent(runtime: Runtime) -> None:
    document = runtime_document(runtime)
    del document["pie"]
    assert Runtime.parse(runtime.root, document).pie is False


def test_places_follow_from_root_and_version(runtime: Runtime) -> None:
    assert runtime.version == (3, 13)
    assert runtime.include == runtime.root / "include/python3.13"
    assert runtime.interpreter == runtime.root / "bin/python3.13"
    assert [path.name for path in runtime.archives] == ["libpython3.13.a", "libz.a"]


def _drop(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.pop(key)


@pytest.mark.parametrize(
    "damage",
    [
        *(_drop(key) for key in ("format", "recipe", "builtins", "link", "sources", "glibc_floor")),
        lambda document: document.update(format=99),
        lambda document: document.update(builtins="all"),
        lambda document: document.update(recipe=7),
        lambda document: document.update(pie="no"),
        lambda document: document["link"].update(archives={}),
        lambda document: document["builtins"].append({"name": "x"}),
    ],
)
def test_a_damaged_description_is_refused(
    runtime: Runtime, damage: Callable[[dict[str, Any]], object]
) -> None:
    document = runtime_document(runtime)
    damage(document)
    (runtime.root / "runtime.json").write_text(json.dumps(document))

    with pytest.raises(RuntimeBuildError, match=r"damaged runtime\.json"):
        Runtime.load(runtime.root)


@pytest.mark.parametrize(
    "missing", ["lib/carried/libz.so.1", "lib/libz.a", "stdlib/os.py", "lib/exports.list", "bin/python3.13"]
)
def test_missing_files_are_named(runtime: Runtime, missing: str) -> None:
    (runtime.root / missing).unlink()

    with pytest.raises(RuntimeBuildError, match=missing.replace(".", r"\.")):
        Runtime.load(runtime.root)


def test_a_folder_without_description_is_no_runtime(tmp_path: Path) -> None:
    with pytest.raises(RuntimeBuildError, match="is not a runtime"):
        Runtime.load(tmp_path)
