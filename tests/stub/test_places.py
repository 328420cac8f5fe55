"""Which directory is used, and which never."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stub.programs import Content, Driver, write_image

WHERE = "where=/__app__/lib/data/a.txt"
USER = os.geteuid()


@pytest.fixture
def folder(sealed_off: Driver, tmp_path: Path) -> Path:
    """What is /mnt for a sealed off driver."""
    assert sealed_off.prefix
    return tmp_path


def place(driver: Driver, **variables: str) -> str:
    """Where a file is unpacked to, as far as the product's directory."""
    answer = replace(driver, variables=variables).ask(WHERE).removeprefix("where ")
    return answer.partition("/sample-")[0]


def sealed(folder: Path, before: str) -> Driver:
    return Driver.sealed_off(folder, before)


def test_the_order_of_places(sealed_off: Driver) -> None:
    assert place(sealed_off) == "/mnt/home/.cache/coachwhip"
    assert place(sealed_off, XDG_CACHE_HOME="/mnt/xdg/deep") == "/mnt/xdg/deep/coachwhip"
    assert (
        place(sealed_off, COACHWHIP_CACHE_DIR="/mnt/own/deep", XDG_CACHE_HOME="/mnt/xdg") == "/mnt/own/deep"
    )


@pytest.mark.parametrize("home", ["", "/nonexistent", "relative/home", "/proc"])
def test_without_a_home(sealed_off: Driver, home: str) -> None:
    assert place(sealed_off, HOME=home) == f"/var/tmp/coachwhip-{USER}"


def test_relative_places_are_no_places(sealed_off: Driver) -> None:
    assert place(sealed_off, XDG_CACHE_HOME="xdg", COACHWHIP_CACHE_DIR="own") == "/mnt/home/.cache/coachwhip"


def test_shared_places_one_after_the_other(folder: Path) -> None:
    read_only = "mount -o remount,ro /var/tmp"
    assert place(sealed(folder, read_only), HOME="") == f"/tmp/coachwhip-{USER}"
    read_only += "; mount -o remount,ro /tmp"
    assert place(sealed(folder, read_only), HOME="") == f"/dev/shm/coachwhip-{USER}"


@pytest.mark.parametrize(
    "attack",
    [
        f"ln -s /mnt/evil /var/tmp/coachwhip-{USER}",
        f"mkdir /var/tmp/coachwhip-{USER}; chown 12345 /var/tmp/coachwhip-{USER}",
        f"mkdir -m 777 /var/tmp/coachwhip-{USER}; chmod 777 /var/tmp/coachwhip-{USER}",
        f"mkdir -m 770 /var/tmp/coachwhip-{USER}; chmod 770 /var/tmp/coachwhip-{USER}",
        f"touch /var/tmp/coachwhip-{USER}",
        "chmod 777 /var/tmp",
        "chown 12345 /var/tmp",
    ],
)
def test_what_somebody_else_could_change_is_not_used(folder: Path, attack: str) -> None:
    (folder / "evil").mkdir()
    assert place(sealed(folder, attack), HOME="") == f"/tmp/coachwhip-{USER}"
    assert not list((folder / "evil").iterdir())


@pytest.mark.parametrize("level", ["", "/root"])
@pytest.mark.parametrize(
    "attack", ["ln -s /mnt/evil {}", "mkdir {0}; chown 12345 {0}", "mkdir {0}; chmod 777 {0}"]
)
def test_the_product_directory_must_be_the_users_own(folder: Path, attack: str, level: str) -> None:
    (folder / "evil").mkdir()
    driver = sealed(folder, "")
    path = driver.ask(WHERE).removeprefix("where ").partition("/root/")[0]
    shutil.rmtree(folder / "home" / ".cache")
    prepare = f"mkdir -p -m 700 {path if level else Path(path).parent}; "
    assert place(sealed(folder, prepare + attack.format(path + level))) == f"/var/tmp/coachwhip-{USER}"
    assert not list((folder / "evil").iterdir())


def test_a_home_that_belongs_to_another_user(folder: Path) -> None:
    """Root with the HOME of the user who called sudo: the user could exchange what root executes."""
    assert place(sealed(folder, "chown -R 12345 /mnt/home")) == f"/var/tmp/coachwhip-{USER}"
    assert not list((folder / "home").iterdir())
    assert (
        place(sealed(folder, "mkdir /mnt/home/.cache; chown 12345 /mnt/home/.cache"))
        == f"/var/tmp/coachwhip-{USER}"
    )


def test_a_place_that_was_asked_for_may_be_open_to_all(folder: Path) -> None:
    """As volumes of containers are."""
    driver = sealed(folder, "mkdir /mnt/own; chmod 777 /mnt/own; chown 12345 /mnt/own")
    assert place(driver, COACHWHIP_CACHE_DIR="/mnt/own") == "/mnt/own"


def test_a_link_above_the_cache_is_the_users_choice(sealed_off: Driver, folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "home" / ".cache").symlink_to("/mnt/elsewhere")
    assert place(sealed_off) == "/mnt/elsewhere/coachwhip"
    # The path that was asked for and the one that the kernel tells mean the same.
    root = sealed_off.ask(WHERE).removeprefix("where ").partition("/lib/")[0]
    assert sealed_off.run(WHERE, f"cat={root}/lib/data/sub/b.txt").lines[1] == "cat 5 beta."


def test_a_read_only_cache_that_is_filled(folder: Path) -> None:
    driver = sealed(folder, "")
    home = driver.ask(WHERE)
    read_only = sealed(folder, "mount --bind /mnt/home /mnt/home; mount -o remount,bind,ro /mnt/home")
    assert read_only.ask(WHERE) == home
    # What is missing in it goes elsewhere.
    other = read_only.ask("where=/__app__/lib/mod.py")
    assert other.startswith(f"where /var/tmp/coachwhip-{USER}/sample-")


FULL = "mount -t tmpfs -o size={} none /mnt/home"


def test_a_full_disk(folder: Path) -> None:
    driver = sealed(folder, FULL.format("100k"))
    small, large, after, left = driver.run(
        "where=/__app__/lib/mod.py",
        "where=/__app__/lib/noise",
        "where=/__app__/lib/data/a.txt",
        "ls=/mnt/home/.cache/coachwhip",
    ).lines
    assert small.startswith("where /mnt/home/.cache/")
    assert large.startswith(f"where /var/tmp/coachwhip-{USER}/sample-")
    assert after.startswith(f"where /var/tmp/coachwhip-{USER}/sample-")
    assert left.startswith("ls sample-")


NOWHERE = "for shared in /mnt/home /tmp /var/tmp /dev/shm; do mount -t tmpfs -o {} none $shared; done"


def test_no_place_at_all(folder: Path) -> None:
    driver = sealed(folder, NOWHERE.format("ro"))
    lines = driver.run(
        "cat=/__app__/lib/mod.py", "fcat=/__app__/lib/data/a.txt", WHERE, "dlopen=/__app__/lib/pkg/main.so",
        "ls=/__app__/lib", "chdir=/__app__/lib", "stat=/__app__/lib/mod.py", "fault",
    ).lines  # fmt: skip
    assert lines[0].startswith("cat 600 ")
    assert lines[1] == "fcat 6 alpha."
    assert lines[2] == "where /memfd:a.txt (deleted)"
    assert lines[3] == "dlopen 42 same"
    assert lines[4:6] == ("ls EROFS", "chdir EROFS")
    assert lines[6].startswith("stat f 444 600")
    assert lines[7] == (
        "fault no directory can hold this program's unpacked files (/mnt/home/.cache: read-only; "
        "/var/tmp: read-only; /tmp: read-only; /dev/shm: read-only); set COACHWHIP_CACHE_DIR to one that can"
    )


def test_all_disks_are_full(folder: Path) -> None:
    driver = sealed(folder, NOWHERE.format("size=4k,nr_inodes=2"))
    lines = driver.run("cat=/__app__/lib/mod.py", "dlopen=/__app__/lib/pkg/main.so", "ls=/__app__/lib").lines
    assert lines[0].startswith("cat 600 ")
    assert lines[1:] == ("dlopen 42 same", "ls ENOSPC")


def test_libraries_come_from_where_they_can_be_executed(folder: Path) -> None:
    driver = sealed(folder, "mount -t tmpfs -o noexec none /mnt/home")
    data, library, listing, own = driver.run(
        WHERE,
        "where=/__app__/lib/pkg/main.so",
        "ls=/__app__/lib/pkg",
        "from_library=/__app__/lib/pkg/main.so:/__app__/lib/empty",
    ).lines
    assert data.startswith("where /mnt/home/.cache/")
    assert library.startswith(f"where /var/tmp/coachwhip-{USER}/")
    assert listing == "ls main.so"
    assert own == "from_library 0 "
    # Data that a library looks for beside itself is found there.
    beside = library.removeprefix("where ").replace("pkg/main.so", "data/a.txt")
    assert driver.run("dlopen=/__app__/lib/pkg/main.so", f"cat={beside}").lines[1] == "cat 6 alpha."


def test_nothing_can_be_executed_anywhere(folder: Path) -> None:
    driver = sealed(folder, NOWHERE.format("noexec"))
    lines = driver.run(
        WHERE, "dlopen=/__app__/lib/pkg/main.so", "dlopen=/__app__/lib/pkg.libs/libdep.so", "close_all",
        "dlopen=/__app__/lib/pkg/main.so", "vrun", "/__app__/bin/shell", "x",
    ).lines  # fmt: skip
    assert lines[0].startswith("where /mnt/home/.cache/")
    assert lines[1:4] == ("dlopen 42 same", "dlopen -1 same", "close_all ok")
    assert lines[4:] == ("dlopen 42 same", "shell x", "vrun 0")


def test_an_unprivileged_user(folder: Path) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv")
    folder.chmod(0o755)
    sealed_off = sealed(folder, "chmod 755 /mnt /mnt/driver /mnt/image")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    driver = replace(sealed_off, prefix=(*sealed_off.prefix, *nobody))
    assert place(driver) == "/var/tmp/coachwhip-65534"
    assert place(driver, HOME="/mnt/driver") == "/var/tmp/coachwhip-65534"
    assert place(driver, COACHWHIP_CACHE_DIR="/mnt/own") == "/var/tmp/coachwhip-65534"


@pytest.fixture
def neighbours(fast: Driver, tmp_path: Path) -> tuple[Driver, Driver, Path]:
    """A product, another one with an old directory in the same cache, and that directory."""
    image = write_image(tmp_path / "other", {"file": Content(b"other")}, name="other")
    other = replace(fast, image=image)
    assert other.ask("cat=/__app__/file") == "cat 5 other"
    old = other.app
    age(old, 31)
    return fast, other, old


def age(app: Path, days: float) -> None:
    then = time.time() - days * 86400
    os.utime(app / ".used", (then, then))


def test_a_directory_that_was_not_used_for_long_goes(neighbours: tuple[Driver, Driver, Path]) -> None:
    fast, other, old = neighbours
    fast.ask("cat=/__app__/lib/mod.py")
    assert not old.exists()
    assert [path.name.partition("-")[0] for path in old.parent.iterdir()] == ["sample"]
    assert other.ask("cat=/__app__/file") == "cat 5 other"


def test_a_directory_that_was_used_lately_stays(neighbours: tuple[Driver, Driver, Path]) -> None:
    fast, _, old = neighbours
    age(old, 29)
    fast.ask("cat=/__app__/lib/mod.py")
    assert old.exists()


def test_nothing_else_is_removed(neighbours: tuple[Driver, Driver, Path]) -> None:
    fast, _, old = neighbours
    (old / ".used").unlink()
    strangers = [old.parent / name for name in ("wheels", "x-0123456789abcdef", ".trash-1")]
    for stranger in strangers:
        stranger.mkdir()
        os.utime(stranger, (0, 0))
    fast.ask("cat=/__app__/lib/mod.py")
    assert all(path.exists() for path in (old, *strangers))


def test_using_a_directory_makes_it_young(neighbours: tuple[Driver, Driver, Path]) -> None:
    fast, other, old = neighbours
    assert other.ask("cat=/__app__/file") == "cat 5 other"
    assert time.time() - (old / ".used").stat().st_mtime < 3600
    fast.ask("cat=/__app__/lib/mod.py")
    assert old.exists()


def test_a_directory_in_use_stays(neighbours: tuple[Driver, Driver, Path]) -> None:
    fast, other, old = neighbours
    process = subprocess.Popen(
        other.command("cat=/__app__/file", "wait", "cat=/__app__/file"),
        env=other.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "cat 5 other\n"
    age(old, 400)
    fast.ask("cat=/__app__/lib/mod.py")
    assert old.exists()
    output, _ = process.communicate("\n", timeout=30)
    assert output.splitlines()[-1] == "cat 5 other"
    shutil.rmtree(
        fast.home / ".cache" / "coachwhip" / next(p.name for p in old.parent.iterdir() if "sample" in p.name)
    )
    fast.ask("cat=/__app__/lib/mod.py")
    assert not old.exists()


def test_leftovers_of_removing_go(neighbours: tuple[Driver, Driver, Path]) -> None:
    fast, _, old = neighbours
    trash = old.rename(old.with_name(".coachwhip-trash-0123456789abcdef"))
    fast.ask("cat=/__app__/lib/mod.py")
    assert not trash.exists()


def test_pruning_and_starting_at_the_same_time(
    neighbours: tuple[Driver, Driver, Path], tmp_path: Path
) -> None:
    """Whoever finds its directory taken away in the middle of a start makes it again."""
    fast, other, old = neighbours
    for _ in range(20):
        for path in old.parent.iterdir():
            if path.name.startswith("sample"):
                shutil.rmtree(path)
        age(old, 31)
        users = [
            subprocess.Popen(
                other.command("cat=/__app__/file"), env=other.environment, stdout=subprocess.PIPE, text=True
            )
            for _ in range(3)
        ]
        fast.ask("cat=/__app__/lib/mod.py")
        for process in users:
            output, _ = process.communicate(timeout=30)
            assert output == "cat 5 other\n"
        other.ask("cat=/__app__/file")
    assert tmp_path.exists()
