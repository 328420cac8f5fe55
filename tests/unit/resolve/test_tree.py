from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from coachwhip.resolve.tree import copy_tree, hash_tree, repository_state

if TYPE_CHECKING:
    from pathlib import Path


def project(folder: Path) -> Path:
    for name in ("pyproject.toml", "src/demo/__init__.py", "src/demo/build/tool.py", "src/demo/data.bin"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def clutter(folder: Path) -> None:
    for name in (
        ".git/config",
        ".tox/x",
        ".venv/bin/python",
        ".venv/pyvenv.cfg",
        "build/lib/demo.so",
        "dist/demo.whl",
        "src/demo.egg-info/PKG-INFO",
        "src/demo/__pycache__/x.pyc",
        "src/demo/old.pyc",
        "target/CACHEDIR.TAG",
        "target/debug/demo",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_tools_left_does_not_count(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    before, wanted = hash_tree(folder), names(folder)
    clutter(folder)
    assert hash_tree(folder) == before
    copy_tree(folder, tmp_path / "copy")
    assert names(tmp_path / "copy") == wanted | {".git"}
    assert (tmp_path / "copy/.git").read_text() == f"gitdir: {folder / '.git'}\n"


def test_names_contents_and_modes_count(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    seen = {hash_tree(folder), hash_tree(project(tmp_path / "elsewhere"))}
    assert len(seen) == 1
    (folder / "src/demo/data.bin").write_text("changed")
    seen.add(hash_tree(folder))
    (folder / "src/demo/data.bin").chmod(0o755)
    seen.add(hash_tree(folder))
    (folder / "src/demo/data.bin").rename(folder / "src/demo/data2.bin")
    seen.add(hash_tree(folder))
    assert len(seen) == 4


def test_links_are_followed_but_not_for_ever(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/common.py").write_text("x")
    (folder / "src/demo/shared").symlink_to(tmp_path / "shared")
    (folder / "src/demo/loop").symlink_to(folder / "src")
    (folder / "gone").symlink_to(folder / "nowhere")
    copy_tree(folder, tmp_path / "copy")
    assert (tmp_path / "copy/src/demo/shared/common.py").read_text() == "x"
    assert hash_tree(folder)


def test_a_repository_counts_by_commit_and_tags(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    assert repository_state(folder) == ""
    git = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    seen = set()
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-qm", "one"],
        ["tag", "v1"],
        ["pack-refs", "--all"],
    ):
        subprocess.run([*git, *command], check=True)
        seen.add(repository_state(folder))
    assert len(seen) == 4
    copy_tree(folder, tmp_path / "copy")
    described = subprocess.run(
        ["git", "-C", str(tmp_path / "copy"), "describe", "--tags", "--dirty"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert described.stdout.strip() == "v1"
