"""`coachwhip bake`: the snapshot of a finished product, made anew."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.products.building import make_wheel
from tests.products.subjects import FROM_SNAPSHOT, Subject, build_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product

SCRIPT = """\
# /// script
# dependencies = ["looking"]
# {settings}
# ///
import sys
{more}
if "more" in sys.argv:
    import looking.later
    import statistics
print([name for name in ("looking", "looking.later", "statistics") if name in sys.modules])
"""


def bake(product: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coachwhip", "bake", *arguments, str(product)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A product with a package that looks at the user's home, and changes the process."""
    folder = tmp_path_factory.mktemp("built")
    files = {
        "looking/__init__.py": "",
        "looking/waits.py": "import os\nHOME = os.environ.get('HOME')\n",
        "looking/nice.py": "import os\nos.nice(0)\n",
        "looking/later.py": "import looking.nice\n",
    }
    make_wheel(folder / "wheels", "looking", "1", files)
    text = SCRIPT.format(settings="", more="import looking.nice, looking.waits")
    text += "print(looking.waits.HOME)\n"
    return build_script(folder, "built", text, "--find-links", str(folder / "wheels"))


@pytest.fixture
def product(built: Subject, tmp_path: Path) -> Subject:
    """A copy of it."""
    shutil.copy(built.path, tmp_path / "built")
    return Subject(tmp_path / "built")


def test_it_is_the_same_again(product: Subject) -> None:
    before = product.path.read_bytes()
    done = bake(product.path)
    assert done.stdout.startswith(f"{product.path}: ")
    assert done.stdout.endswith(", the same as before\n")
    assert product.path.read_bytes() == before


def test_it_is_explained_and_can_be_left_as_it_is(product: Subject) -> None:
    before = product.path.read_bytes()
    done = bake(product.path, "--explain", "--dry-run", "--train", "more", "--gate", "SOME_GATE")
    for shown in (
        "changes the process (nice)",
        "looking/nice.py:2",
        'allow = ["looking.nice"]',
        "reads HOME from the environment",
        "looking/waits.py:2",
    ):
        assert shown in done.stdout
    assert "It is not used where one of these is set: SOME_GATE" in done.stdout
    assert done.stdout.endswith(", left as it was\n")
    assert product.path.read_bytes() == before


def test_training_and_what_is_allowed_count_and_are_kept(product: Subject) -> None:
    before = product.path.stat().st_size
    done = bake(product.path, "--train", "more", "--allow", "looking.nice", "--deny", "statistics")
    assert done.stdout.endswith(", has its new snapshot\n")
    after = product.path.read_bytes()
    assert len(after) != before
    outcome = product.snapshot("more")
    assert outcome.stdout.splitlines()[0] == "['looking', 'looking.later', 'statistics']"
    explained = bake(product.path, "--explain")
    assert explained.stdout.splitlines()[1].split() == ["statistics", "the", "configuration", "says", "so"]
    assert product.path.read_bytes() == after


def test_statements_wait_in_a_snapshot_of_ones_own_as_well(product: Subject, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    user = Subject(product.path, {"HOME": str(home), "XDG_CACHE_HOME": str(home)})
    done = subprocess.run([product.path, "--coachwhip-bake"], env=dict(user.variables), check=False)
    assert done.returncode == 0
    outcome = Subject(product.path, {**user.variables, "HOME": "/elsewhere"}).any_start("x")
    assert outcome.reason == "started from the snapshot made on this machine"
    assert outcome.stdout == "['looking']\n/elsewhere\n"


def test_the_file_keeps_its_permissions_and_links_to_it(product: Subject, tmp_path: Path) -> None:
    product.path.chmod(0o775)
    link = tmp_path / "link"
    link.symlink_to(product.path.name)
    bake(link, "--gate", "ANOTHER")
    assert link.is_symlink()
    assert product.path.stat().st_mode & 0o7777 == 0o775
    gated = product.any_start("x", env={"ANOTHER": "1"})
    assert gated.reason.startswith("started without a snapshot: a variable in the environment")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["built", "link"]


def test_a_product_without_one_gets_one(tmp_path: Path) -> None:
    text = SCRIPT.replace('# dependencies = ["looking"]\n', "")
    text = text.format(settings='[tool.coachwhip]\n# snapshot = "off"', more="import json")
    product = build_script(tmp_path, "plain", text)
    before = product.path.read_bytes()
    assert product.any_start().reason == "started without a snapshot: it has none"
    bake(product.path)
    assert product.any_start().reason == FROM_SNAPSHOT
    assert product.path.read_bytes()[: len(before) // 2] != before[: len(before) // 2]
