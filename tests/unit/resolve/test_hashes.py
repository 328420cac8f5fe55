"""Hashes in requirements files are kept to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coachwhip.errors import InputError, ResolutionError
from coachwhip.resolve.hashes import WantedHashes, checked, wanted_hashes
from coachwhip.resolve.model import Kind, LockedFile

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = "a" * 64, "b" * 64
CLICK = LockedFile("click", "8.1.8", Kind.WHEEL, "https://x.example/c.whl", "c.whl", ONE)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"click==8.1.8 --hash=sha256:{ONE}", "click"),
        (f"Click==8.1.8 \\\n    --hash=sha256:{ONE.upper()}  # via app\n", "click"),
        (f"typing_extensions>=4 ; python_version < '3.14' --hash sha256:{ONE}", "typing-extensions"),
        (f"my.pkg[extra]==1 --hash=sha512:{TWO} --hash=sha256:{ONE}", "my-pkg"),
        (f"click @ https://x.example/click-8-py3-none-any.whl --hash=sha256:{ONE}", "click"),
        (f"./wheels/my_pkg-1.0-py3-none-any.whl --hash=sha256:{ONE}", "my-pkg"),
        (f"https://x.example/my-pkg-1.0.tar.gz --hash=sha256:{ONE}", "my-pkg"),
    ],
)
def test_hashes_are_read(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "r.txt").write_text(text)
    assert wanted_hashes([tmp_path / "r.txt"]) == WantedHashes({name: frozenset({ONE})})


def test_files_that_are_included_count(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "r.txt").write_text(f"-r sub/more.txt\n-c 'sub/c.txt'\nclick --hash=sha256:{ONE}\n")
    (tmp_path / "sub" / "more.txt").write_text(
        f"-r ../r.txt\nflask --hash=sha256:{TWO}\n# x --hash=sha256:1\n"
    )
    (tmp_path / "sub" / "c.txt").write_text(f"--require-hashes\nclick==8 --hash=sha256:{TWO}\n")
    found = {"click": frozenset({ONE, TWO}), "flask": frozenset({TWO})}
    assert wanted_hashes([tmp_path / "r.txt"]) == WantedHashes(found, all=True)


def test_hashes_that_cant_be_checked_are_not_ignored(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("click==8.1.8 --hash=sha512:abcd\n")
    with pytest.raises(InputError, match="click has no sha256 hash"):
        wanted_hashes([tmp_path / "r.txt"])


def test_only_allowed_files_pass() -> None:
    assert checked([CLICK], WantedHashes({})) == (CLICK,)
    assert checked([CLICK], WantedHashes({"click": frozenset({ONE, TWO})}, all=True)) == (CLICK,)
    with pytest.raises(ResolutionError, match="is none of the files") as caught:
        checked([CLICK], WantedHashes({"click": frozenset({TWO})}))
    assert ONE in caught.value.detail
    assert TWO in caught.value.detail
    with pytest.raises(ResolutionError, match=r"no hash for click==8\.1\.8"):
        checked([CLICK], WantedHashes({}, all=True))


def test_a_file_that_nobody_has_hashed_is_compared_when_it_is_fetched() -> None:
    unknown = replace(CLICK, sha256="")
    assert checked([unknown], WantedHashes({"click": frozenset({TWO})})) == (replace(CLICK, sha256=TWO),)
    with pytest.raises(ResolutionError, match="is none of the files"):
        checked([unknown], WantedHashes({"click": frozenset({ONE, TWO})}))
