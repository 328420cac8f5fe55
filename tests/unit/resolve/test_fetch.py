from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.cache import Cache
from coachwhip.errors import InputError, NetworkError, ResolutionError
from coachwhip.model import Target
from coachwhip.resolve import Kind, Lock, LockedFile, Options, fetch
from coachwhip.resolve import fetch as _function
from tests.unit.resolve.wheels import Interpreter, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.model import Wheel

assert callable(_function)
TARGET = Target((3, 13))


def locked(path: Path, *, location: str = "", sha256: str | None = None) -> LockedFile:
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if sha256 is None else sha256
    return LockedFile("sample", "1.0", Kind.WHEEL, location or str(path), path.name, digest)


def get(cache: Path, *files: LockedFile, offline: bool = False) -> tuple[Wheel, ...]:
    options = Options(offline=offline)
    return fetch(Lock(TARGET, files), TARGET, Interpreter(), Cache(cache), options=options)


def test_a_local_wheel_is_kept_as_it_was(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    content = path.read_bytes()
    file = locked(path)
    (wheel,) = get(tmp_path / "cache", file)
    path.write_bytes(b"changed later")
    assert wheel.path.read_bytes() == content
    assert (wheel.name, wheel.version, wheel.tags) == ("sample", "1.0", "py3-none-any")
    assert (wheel.sha256, wheel.origin) == (file.sha256, "local")
    assert get(tmp_path / "cache", file) == (wheel,)


def test_what_is_downloaded_once_is_there_offline(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    file = locked(path, location=path.as_uri())
    with pytest.raises(NetworkError, match=r"sample-1\.0-py3-none-any\.whl"):
        get(tmp_path / "cache", file, offline=True)
    (wheel,) = get(tmp_path / "cache", file)
    path.unlink()
    assert get(tmp_path / "cache", file, offline=True) == (wheel,)
    left = [entry.name for entry in (tmp_path / "cache/wheels").iterdir()]
    assert left == [file.sha256]


@pytest.mark.parametrize("as_url", [True, False])
def test_another_hash_never_gets_in(tmp_path: Path, *, as_url: bool) -> None:
    path = make_wheel(tmp_path)
    with pytest.raises(ResolutionError, match="hash"):
        get(tmp_path / "cache", locked(path, location=path.as_uri() if as_url else "", sha256="0" * 64))
    assert list((tmp_path / "cache/wheels").iterdir()) == []


def test_a_damaged_wheel_never_gets_in(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="damaged"):
        get(tmp_path / "cache", locked(path))
    assert list((tmp_path / "cache/wheels").iterdir()) == []


def test_a_wheel_for_elsewhere_never_gets_in(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, tags="cp313-cp313-manylinux_2_28_x86_64")
    for _ in range(2):
        with pytest.raises(ResolutionError, match=r"glibc 2\.28"):
            get(tmp_path / "cache", locked(path))


def test_a_lock_may_have_been_raised_to_a_newer_glibc(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, tags="cp313-cp313-manylinux_2_28_x86_64")
    wanted = Target((3, 13), firm=False)
    lock = Lock(Target((3, 13), (2, 28), firm=False), (locked(path),))
    (wheel,) = fetch(lock, wanted, Interpreter(), Cache(tmp_path / "cache"))
    assert wheel.tags == "cp313-cp313-manylinux_2_28_x86_64"


def test_a_file_whose_hash_nobody_knew(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    (wheel,) = get(tmp_path / "cache", locked(path, sha256=""))
    assert wheel.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_damaged_cache_entry_is_made_anew(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    file = locked(path)
    (wheel,) = get(tmp_path / "cache", file)
    (wheel.path.parent / "facts.json").write_text("{")
    assert get(tmp_path / "cache", file) == (wheel,)
