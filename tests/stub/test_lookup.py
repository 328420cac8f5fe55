"""What the product's paths are, told from the image alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stub.programs import Driver

MTIME = 315532800


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/__app__", "d 555 4096"),
        ("/__app__/", "d 555 4096"),
        ("//__app__", "d 555 4096"),
        ("/./__app__/lib", "d 555 4096"),
        ("/__app__/lib/mod.py", "f 444 600"),
        ("/__app__//lib/./data/../mod.py", "f 444 600"),
        ("/__app__/lib/empty", "f 444 0"),
        ("/__app__/bin/tool", "f 555 35"),
        ("/__app__/lib/data/two words.txt", "f 444 5"),
    ],
)
@pytest.mark.parametrize("verb", ["stat", "lstat", "statx"])
def test_stat_answers_from_the_image(driver: Driver, verb: str, path: str, expected: str) -> None:
    words = driver.ask(f"{verb}={path}").split()
    assert " ".join(words[1:4]) == expected
    assert int(words[4]) == MTIME
    assert not list(driver.home.iterdir())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/__app__/no", "ENOENT"),
        ("/__app__/no/where", "ENOENT"),
        ("/__app__/no/..", "ENOENT"),
        ("/__app__x", "ENOENT"),
        ("/__app", "ENOENT"),
        ("__app__/lib", "ENOENT"),
        ("/__app__/lib/bare.py", "ENOENT"),
        ("/__app__/lib/mod.py/", "ENOTDIR"),
        ("/__app__/lib/mod.py/.", "ENOTDIR"),
        ("/__app__/lib/mod.py/..", "ENOTDIR"),
        ("/__app__/lib/mod.py/x/y", "ENOTDIR"),
        ("/__app__/" + "x" * 300, "ENAMETOOLONG"),
        ("/__app__" + "/x" * 3000, "ENAMETOOLONG"),
    ],
)
def test_what_is_not_there(driver: Driver, path: str, expected: str) -> None:
    assert driver.ask(f"stat={path}") == f"stat {expected}"


def test_two_dots_lead_out_of_the_root(driver: Driver) -> None:
    (driver.home / "file").write_text("12345")
    assert driver.ask(f"cat=/__app__/..{driver.home}/file") == "cat 5 12345"
    assert driver.ask("stat=/__app__/lib/../..").startswith("stat d ")
    assert driver.ask(f"cat=/__app__/..{driver.home}/../../../../__app__/no") == "cat ENOENT"


def test_inode_numbers_are_stable_and_distinct(driver: Driver) -> None:
    paths = ["/__app__", "/__app__/lib", "/__app__/lib/mod.py", "/__app__/lib/empty"]
    numbers = [driver.ask(f"stat={path}").split()[-1] for path in paths]
    assert len(set(numbers)) == len(paths)
    assert numbers == [driver.ask(f"statx={path}").split()[-1] for path in paths]


@pytest.mark.parametrize("name", ["python", "python3", "python3.13"])
def test_the_interpreter_is_the_executable(driver: Driver, name: str) -> None:
    size = driver.program.stat().st_size
    assert driver.ask(f"stat=/__app__/bin/{name}").split()[1:4] == ["f", "755", str(size)]
    assert driver.ask(f"execute=/__app__/bin/{name}") == "execute ok"
    assert driver.ask(f"where=/__app__/bin/{name}") == f"where {driver.program}"
    assert driver.ask("stat=/__app__/bin/python3.12") == "stat ENOENT"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("read=/__app__/lib/mod.py", "ok"),
        ("execute=/__app__/lib/mod.py", "EACCES"),
        ("execute=/__app__/lib", "ok"),
        ("execute=/__app__/bin/tool", "ok"),
        ("execute=/__app__/lib/pkg/main.so", "ok"),
        ("write=/__app__/lib", "EROFS"),
        ("write=/__app__/no", "ENOENT"),
        ("readlink=/__app__/lib/mod.py", "EINVAL"),
        ("readlink=/__app__/no", "ENOENT"),
        ("realpath=/__app__/lib/../bin/./", "/__app__/bin"),
        ("realpath=/__app__/no", "ENOENT"),
        ("statvfs=/__app__/lib", "read-only"),
        ("statvfs=/__app__/no", "ENOENT"),
        ("xattr=/__app__/lib/mod.py", "0 ENODATA"),
    ],
)
def test_other_questions(driver: Driver, question: str, answer: str) -> None:
    verb = question.partition("=")[0]
    assert driver.ask(question) == f"{verb} {answer}"
    assert not list(driver.home.iterdir())


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        ("open_w=/__app__/lib/mod.py", "EROFS"),
        ("open_w=/__app__/new", "EROFS"),
        ("open_w=/__app__/no/new", "EROFS"),
        ("open_w=/__app__/lib/mod.py/new", "ENOTDIR"),
        ("open_w=/__app__/lib", "EISDIR"),
        ("open_x=/__app__/lib/mod.py", "EEXIST"),
        ("open_x=/__app__/new", "EROFS"),
        ("open_d=/__app__/lib/mod.py", "ENOTDIR"),
        ("mkdir=/__app__/lib", "EEXIST"),
        ("mkdir=/__app__/new", "EROFS"),
        ("unlink=/__app__/lib/mod.py", "EROFS"),
        ("unlink=/__app__/no", "ENOENT"),
        ("rename=/__app__/new", "EROFS"),
        ("chmod=/__app__/lib", "EROFS"),
    ],
)
def test_changes_are_refused(driver: Driver, attempt: str, answer: str) -> None:
    verb = attempt.partition("=")[0]
    assert driver.ask(attempt) == f"{verb} {answer}"
    assert not list(driver.home.iterdir())


def test_other_paths_are_left_alone(driver: Driver) -> None:
    (driver.home / "__app__").mkdir()
    (driver.home / "__app__" / "file").write_text("mine")
    outcome = driver.run(
        f"cat={driver.home}/__app__/file",
        "cat=__app__/file",
        f"fcat={driver.home}//__app__/./file",
        "stat=",
        "mkdir=made",
        "open_w=written",
        cwd=driver.home,
    )
    assert outcome.lines == (
        *("cat 4 mine", "cat 4 mine", "fcat 4 mine", "stat ENOENT", "mkdir ok", "open_w ok"),
    )
    assert (driver.home / "made").is_dir()
