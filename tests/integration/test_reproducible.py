"""The same inputs give the same bytes: elsewhere, later, by another user, from an empty cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coachwhip.image import read_image
from coachwhip.image.format import NodeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.product, pytest.mark.network]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ("hello", "myapp")
OTHER_USER = 1234

#: Keeps root's right to read everything: the interpreter of the tests may lie in root's home.
AS_OTHER_USER = (
    *("setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups"),
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)


def runtimes() -> Path:
    """Where the installed runtimes are: the one thing that both builds share."""
    command = [sys.executable, "-m", "coachwhip", "cache", "dir"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Path(done.stdout.strip()) / "runtimes"


def build(folder: Path, *, prefix: tuple[str, ...] = (), umask: int = 0o022, **variables: str) -> list[Path]:
    """Build the copies of the examples in a folder; return the products."""
    for name in NAMES:
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "coachwhip", "build", name],
            cwd=folder,
            env=os.environ | variables,
            umask=umask,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    return [folder / "dist" / name for name in NAMES]


def difference(one: Path, two: Path) -> str:
    """Where two products differ, for a person; empty when they don't."""
    if one.read_bytes() == two.read_bytes():
        return ""
    first, second = read_image(one), read_image(two)
    parts = ["the interpreter"] if first.stub_id != second.stub_id else []
    nodes = [
        {(node.path, node.data[3], node.code[3]) for node in image.nodes() if node.kind is NodeKind.FILE}
        for image in (first, second)
    ]
    return ", ".join(parts + sorted({node[0] for node in nodes[0] ^ nodes[1]})) or "the index"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Path]:
    """A folder that another user can reach with and without root's rights: pytest's own are private."""
    with tempfile.TemporaryDirectory(prefix="coachwhip-") as name:
        Path(name).chmod(0o755)
        there = Path(name, "a", "much", "deeper folder")
        there.mkdir(parents=True)
        yield there


@pytest.fixture(scope="module")
def builds(elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[Path]]:
    """The examples, built as always and in a place where everything is different."""
    here, there = tmp_path_factory.mktemp("here"), elsewhere
    for name in NAMES:
        shutil.copytree(EXAMPLES / name, here / name)
    for name in reversed(NAMES):
        # Written in another order, at other times, with other rights.
        shutil.copytree(EXAMPLES / name, there / name, copy_function=shutil.copyfile)
        for number, path in enumerate(sorted((there / name).rglob("*"), reverse=True)):
            os.utime(path, (number, number))
    cache = there / "cache"
    cache.mkdir()
    (cache / "runtimes").symlink_to(runtimes())
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0 and shutil.which("setpriv"):
        subprocess.run(["chown", "-R", f"{OTHER_USER}:{OTHER_USER}", there], check=True)
        prefix = AS_OTHER_USER
    variables = {
        "COACHWHIP_CACHE_DIR": str(cache),
        "HOME": str(there),
        "LC_ALL": "C",
        "PYTHONHASHSEED": "12345",
        "SOURCE_DATE_EPOCH": "1000000000",
        "TMPDIR": str(there),
        "TZ": "Asia/Tokyo",
        "USER": "other",
        "UV_CACHE_DIR": str(there / "uv"),
    }
    return build(here), build(there, prefix=prefix, umask=0o077, **variables)


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_the_same_inputs_give_the_same_bytes(builds: tuple[list[Path], list[Path]], number: int) -> None:
    assert difference(builds[0][number], builds[1][number]) == ""


def test_a_difference_would_be_seen(builds: tuple[list[Path], list[Path]], tmp_path: Path) -> None:
    data = bytearray(builds[0][0].read_bytes())
    data[len(data) // 4] ^= 1
    (tmp_path / "other").write_bytes(data)
    assert difference(builds[0][0], tmp_path / "other") != ""


def test_nothing_of_the_building_machine_is_in_a_product(builds: tuple[list[Path], list[Path]]) -> None:
    """No path of the builder, its cache or its temporary files, and not who built it."""
    for product in builds[1]:
        text = product.read_bytes()
        for trace in (b"deeper folder", b"/runtimes/cp313", str(Path.home() / ".cache").encode()):
            assert trace not in text
