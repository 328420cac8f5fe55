"""Which steps are done, in which order, and again after an interruption. The steps themselves are fakes."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.cache import Cache
from coachwhip.errors import ConfigError, MachineError, RuntimeBuildError
from coachwhip.progress import Silent
from coachwhip.runtime import install, sources, steps
from coachwhip.runtime.estimate import Step
from coachwhip.runtime.installed import find_runtime, installed_runtimes, remove_runtime
from coachwhip.runtime.toolchain import Toolchain

from .conftest import make_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coachwhip.runtime import Runtime
    from coachwhip.runtime.workspace import Context


class Fakes:
    """Steps that write down that they ran; `fail` names one that does not end well."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.fail: BaseException | None = None

    def steps(self, context: Context, digest: str) -> list[tuple[Step, Callable[[], object]]]:
        def libraries() -> None:
            self.ran.append("libraries")

        def compile_it() -> None:
            self.ran.append("compile")
            if self.fail is not None:
                raise self.fail
            assert context.toolchain.pie is context.recipe.pie
            make_runtime(context.workspace.product, recipe=digest, pie=context.recipe.pie)

        return [
            (Step("libraries", "Building libraries", 1, 1), libraries),
            (Step("compile", "Compiling", 1, 1), compile_it),
        ]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fakes:
    fakes = Fakes()
    zig = Toolchain(tmp_path / "zig", "0", tmp_path, tmp_path, {})
    monkeypatch.setattr(steps, "build_steps", fakes.steps)
    monkeypatch.setattr(sources, "obtain_archives", lambda *_: {})
    monkeypatch.setattr(install, "prepare_toolchain", lambda *_, pie: replace(zig, pie=pie))
    return fakes


def do_install(cache: Cache, environ: dict[str, str] | None = None, *, pie: bool = False) -> Runtime:
    return install.install_runtime(
        "3.13", cache=cache, environ=environ or dict(os.environ), progress=Silent(), from_source=True, pie=pie
    )


def test_an_installed_runtime_is_found_and_not_built_again(cache: Cache, fakes: Fakes) -> None:
    assert find_runtime("3.13", cache=cache) is None

    runtime = do_install(cache)

    assert fakes.ran == ["libraries", "compile"]
    assert do_install(cache) == runtime == find_runtime(None, cache=cache)
    assert fakes.ran == ["libraries", "compile"]
    assert installed_runtimes(cache) == [runtime]
    assert not list(cache.area("work").iterdir())


def test_both_kinds_are_installed_side_by_side(cache: Cache, fakes: Fakes) -> None:
    fixed = do_install(cache)
    assert find_runtime(None, cache=cache, pie=True) is None
    movable = do_install(cache, pie=True)

    assert fakes.ran == ["libraries", "compile"] * 2
    assert (fixed.pie, movable.pie) == (False, True)
    assert movable.root.name == f"cp313-pie-{movable.recipe}"
    assert find_runtime(None, cache=cache) == fixed
    assert find_runtime(None, cache=cache, pie=True) == movable
    assert installed_runtimes(cache) == sorted([fixed, movable], key=lambda one: one.root)


@pytest.mark.parametrize("reason", [KeyboardInterrupt(), RuntimeBuildError("compiler error")])
def test_an_interrupted_build_goes_on_at_its_step(cache: Cache, fakes: Fakes, reason: BaseException) -> None:
    fakes.fail = reason
    with pytest.raises(type(reason)):
        do_install(cache)
    assert find_runtime("3.13", cache=cache) is None

    fakes.fail = None
    do_install(cache)

    assert fakes.ran == ["libraries", "compile", "compile"]


def test_a_removed_runtime_is_gone(cache: Cache, fakes: Fakes) -> None:
    runtime = do_install(cache)

    remove_runtime(runtime)

    assert fakes.ran
    assert find_runtime("3.13", cache=cache) is None
    assert not list(cache.area("runtimes").iterdir())


def test_a_damaged_runtime_is_neither_listed_nor_used(cache: Cache, fakes: Fakes) -> None:
    runtime = do_install(cache)
    (runtime.root / "runtime.json").write_text("{")

    assert fakes.ran
    assert installed_runtimes(cache) == []
    with pytest.raises(RuntimeBuildError, match="damaged"):
        find_runtime("3.13", cache=cache)


def test_missing_tools_are_named_before_anything_is_downloaded(cache: Cache, fakes: Fakes) -> None:
    with pytest.raises(MachineError, match="needs make, perl"):
        do_install(cache, {"PATH": "/nonexistent"})
    assert fakes.ran == []


def test_an_unknown_version_is_refused(cache: Cache) -> None:
    with pytest.raises(ConfigError, match=r"3\.1\b"):
        find_runtime("3.1", cache=cache)
