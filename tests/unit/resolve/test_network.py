"""The real uv and the configured index: few and small."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.cache import Cache
from coachwhip.errors import ResolutionError
from coachwhip.resolve import Options, fetch, resolve
from tests.unit.resolve.wheels import HERE, Interpreter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.network


def test_a_small_wheel_and_then_offline(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    online, offline = Options(environ=os.environ), Options(environ=os.environ, offline=True)
    lock = resolve(["idna==3.10"], HERE, Interpreter(), options=online)
    assert [(str(file), file.filename) for file in lock.files] == [
        ("idna==3.10", "idna-3.10-py3-none-any.whl")
    ]
    (wheel,) = fetch(lock, HERE, Interpreter(), cache, options=online)
    assert wheel.sha256 == lock.files[0].sha256
    assert fetch(lock, HERE, Interpreter(), cache, options=offline) == (wheel,)


def test_uv_explains_what_excludes_what() -> None:
    with pytest.raises(ResolutionError) as caught:
        resolve(["click==8.1.7", "click>=8.2"], HERE, Interpreter(), options=Options(environ=os.environ))
    assert "click" in caught.value.detail
    assert "unsatisfiable" in caught.value.detail


def test_a_wheel_only_for_a_newer_glibc() -> None:
    with pytest.raises(ResolutionError) as caught:
        resolve(["numpy==2.3.0"], HERE, Interpreter(), options=Options(environ=os.environ))
    assert caught.value.hint.startswith("use --glibc 2.28")
