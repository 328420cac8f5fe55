"""Files that appear whole or not at all, and trees that go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.files import atomic_directory, atomic_write, remove_tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127, "a"])
def test_names_may_be_as_long_as_the_file_system_lets_them(tmp_path: Path, name: str) -> None:
    with atomic_write(tmp_path / name) as temporary:
        temporary.write_text("written")
    assert (tmp_path / name).read_text() == "written"
    (tmp_path / name).unlink()
    with atomic_directory(tmp_path / name) as folder:
        (folder / "file").touch()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_tree_goes_whatever_its_modes_are(tmp_path: Path) -> None:
    closed = tmp_path / "tree" / "closed" / "inner"
    closed.mkdir(parents=True)
    (closed / "file").touch(0o400)
    (tmp_path / "outside").mkdir(0o755)
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "outside")
    closed.chmod(0o500)
    closed.parent.chmod(0o000)
    remove_tree(tmp_path / "tree")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o755


def test_a_tree_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove_tree(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
