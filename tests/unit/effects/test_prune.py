"""What products have unpacked is pruned like the rest of the cache, but never while it is used."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from coachwhip.cli.main import main
from coachwhip.effects.cache import Cache
from coachwhip.effects.prune import entries, prune

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 24 * 60 * 60


def unpacked(root: Path, name: str, *, days: float) -> Path:
    """Make what a product leaves behind that was used some days ago."""
    library = root / name / "root" / "lib"
    library.mkdir(parents=True)
    (library / "data.txt").write_text("x" * 5000)
    library.chmod(0o500)
    mark = root / name / ".used"
    mark.touch()
    os.utime(mark, (time.time() - days * DAY,) * 2)
    return root / name


@contextmanager
def used(directory: Path) -> Iterator[None]:
    """Do what a running product does."""
    with (directory / ".used").open() as mark:
        fcntl.flock(mark, fcntl.LOCK_SH)
        yield


def run_prune(root: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setenv("COACHWHIP_CACHE_DIR", str(root))
    return main(["cache", "prune", *options])


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()} - {"locks"}


def test_the_old_goes_and_the_new_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unpacked(tmp_path, "app-0123456789abcdef", days=31)
    unpacked(tmp_path, "my_app-1.0-fedcba9876543210", days=29)
    assert run_prune(tmp_path, monkeypatch) == 0
    assert names(tmp_path) == {"my_app-1.0-fedcba9876543210"}
    out, err = capsys.readouterr()
    assert out.startswith("removed 1 entries, 5.0 kB")
    assert "products" in err


def test_a_dry_run_names_it_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unpacked(tmp_path, "app-0123456789abcdef", days=31)
    assert run_prune(tmp_path, monkeypatch, "--dry-run", "-v") == 0
    assert names(tmp_path) == {"app-0123456789abcdef"}
    out, err = capsys.readouterr()
    assert out.startswith("would remove 1 entries")
    assert "products/app-0123456789abcdef  5.0 kB" in err


@pytest.mark.parametrize("options", [(), ("--all",), ("--days", "0")])
def test_what_is_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    directory = unpacked(tmp_path, "app-0123456789abcdef", days=400)
    with used(directory):
        assert run_prune(tmp_path, monkeypatch, *options) == 0
        assert (directory / "root" / "lib" / "data.txt").exists()
    assert run_prune(tmp_path, monkeypatch, *options) == 0
    assert names(tmp_path) == set()


def test_what_came_into_use_after_the_look_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    directory = unpacked(tmp_path, "app-0123456789abcdef", days=400)
    found = entries(cache)
    os.utime(directory / ".used")
    assert prune(cache, found) == []
    assert directory.exists()


def test_other_directories_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    linked = unpacked(tmp_path / "elsewhere", "app-0123456789abcdef", days=400)
    (tmp_path / "link-0123456789abcdef").symlink_to(linked)
    (tmp_path / "empty-0123456789abcdef").mkdir()
    unpacked(tmp_path, "notes", days=400)
    unpacked(tmp_path, "short-0123456789abcde", days=400)
    before = names(tmp_path)
    assert run_prune(tmp_path, monkeypatch, "--all") == 0
    assert names(tmp_path) == before
    assert (linked / "root" / "lib" / "data.txt").exists()


def test_what_a_product_could_not_finish_removing_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked(tmp_path, ".coachwhip-trash-0123456789abcdef", days=0)
    assert run_prune(tmp_path, monkeypatch) == 0
    assert names(tmp_path) == set()
