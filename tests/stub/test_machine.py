"""The snapshot that a user has made on a machine: where it is looked for, and when it is not trusted."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.stub.programs import Driver

CONTENT = b"memory" * 1000
SHARED = "machine not used: somebody else may read or change it"
ODD = "machine not used: it is no ordinary file"
FOREIGN = 12345


def app(driver: Driver, **variables: str) -> Path:
    """The product's directory, made by the product itself."""
    driver = replace(driver, variables=variables)
    root = driver.ask("where=/__app__/lib/data/a.txt").removeprefix("where ").partition("/root/")[0]
    return driver.home.parent / root


@pytest.fixture
def made(driver: Driver) -> Path:
    """A snapshot in its place."""
    path = app(driver) / "snapshot"
    path.write_bytes(CONTENT)
    path.chmod(0o600)
    return path


def test_there_is_none_and_nothing_is_made_for_it(driver: Driver) -> None:
    assert driver.ask("machine") == "machine none"
    assert not list(driver.home.iterdir())


def test_one_that_only_the_user_can_touch_is_taken(driver: Driver, made: Path) -> None:
    assert driver.ask("machine") == f"machine {len(CONTENT)} memorymemory"
    made.chmod(0o400)
    assert driver.ask("machine") == f"machine {len(CONTENT)} memorymemory"


def test_the_place_is_the_first_that_the_environment_names(
    driver: Driver, made: Path, tmp_path: Path
) -> None:
    for name in ("XDG_CACHE_HOME", "COACHWHIP_CACHE_DIR"):
        elsewhere = replace(driver, variables={name: str(tmp_path / name)})
        assert elsewhere.ask("machine") == "machine none"
        shutil.copy2(made, app(driver, **elsewhere.variables) / "snapshot")
        assert elsewhere.ask("machine").startswith(f"machine {len(CONTENT)} ")
    assert replace(driver, variables={"HOME": ""}).ask("machine") == "machine none"
    assert replace(driver, variables={"HOME": "relative"}).ask("machine") == "machine none"


def test_places_that_users_share_are_none(sealed_off: Driver) -> None:
    driver = replace(sealed_off, variables={"HOME": ""})
    found = driver.run("where=/__app__/lib/data/a.txt", "machine")
    assert found.lines[0].startswith("where /var/tmp/coachwhip-")
    assert found.lines[1] == "machine none"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666, 0o777])
def test_a_file_that_others_may_read_or_write(driver: Driver, made: Path, mode: int) -> None:
    made.chmod(mode)
    assert driver.ask("machine") == SHARED


def test_a_file_with_another_name(driver: Driver, made: Path) -> None:
    os.link(made, made.with_name("other"))
    assert driver.ask("machine") == SHARED


@pytest.mark.skipif(os.geteuid() != 0, reason="files of other users need root")
def test_a_file_of_somebody_else(driver: Driver, made: Path) -> None:
    os.chown(made, FOREIGN, FOREIGN)
    assert driver.ask("machine") == SHARED


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nonexistent")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("change", [_link, _dangle, _directory, _pipe])
def test_what_is_no_file(driver: Driver, made: Path, change: Callable[[Path], None]) -> None:
    change(made)
    assert driver.ask("machine") == ODD


def test_an_empty_file(driver: Driver, made: Path) -> None:
    made.write_bytes(b"")
    assert driver.ask("machine") == "machine not used: it is empty"


@pytest.mark.parametrize("level", range(3), ids=["product", "coachwhip", "cache"])
def test_a_directory_that_others_may_write_to(driver: Driver, made: Path, level: int) -> None:
    made.parents[level].chmod(0o777)
    assert driver.ask("machine") == "machine not used: somebody else could change it"
    made.parents[level].chmod(0o700)
    assert driver.ask("machine").startswith(f"machine {len(CONTENT)} ")


@pytest.mark.parametrize("level", range(2), ids=["product", "coachwhip"])
def test_a_directory_that_is_a_link(driver: Driver, made: Path, level: int) -> None:
    _link(made.parents[level])
    assert driver.ask("machine") == "machine not used: somebody else could change it"


@pytest.mark.skipif(os.geteuid() != 0, reason="directories of other users need root")
@pytest.mark.parametrize("level", range(3), ids=["product", "coachwhip", "cache"])
def test_a_directory_of_somebody_else(driver: Driver, made: Path, level: int) -> None:
    os.chown(made.parents[level], FOREIGN, FOREIGN)
    assert driver.ask("machine") == "machine not used: somebody else could change it"


def test_a_directory_in_use_is_not_taken_for_outdated(driver: Driver, made: Path) -> None:
    mark = made.with_name(".used")
    os.utime(mark, (1, 1))
    assert driver.ask("machine").startswith("machine 6000 ")
    assert mark.stat().st_mtime > 1
