"""Programs that a product starts get real paths; the product itself gets its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.stub.programs import Driver

STARTERS = ("vrun", "spawn", "run")
PYTHON = "/__app__/bin/python3.13"


def started(driver: Driver, *arguments: str) -> list[str]:
    """What a program started from the driver writes, with the product's directory as `$`."""
    outcome = driver.run(*arguments)
    assert not outcome.errors, outcome.errors
    root = f"{driver.app}/root" if (driver.home / ".cache").exists() else "$"
    return [line.replace(root, "$") for line in outcome.lines]


@pytest.mark.parametrize("starter", STARTERS)
def test_the_interpreter_is_the_product_again(driver: Driver, starter: str) -> None:
    lines = started(driver, starter, PYTHON, "-c", "open('/__app__/lib/mod.py')")
    assert lines[0] == f"interpreter again [{PYTHON}] [-c] [open('/__app__/lib/mod.py')]"
    assert lines[1:] == ([] if starter == "run" else [f"{starter} 7"])
    assert not list(driver.home.iterdir())


def test_the_product_keeps_its_paths_however_it_is_called(driver: Driver) -> None:
    for path in (str(driver.program), "/proc/self/exe"):
        assert started(driver, "vrun", path, "stat=/__app__/lib")[0].startswith("stat d 555")
    link = driver.home / "python"
    link.symlink_to(driver.program)
    assert started(driver, "vrun", str(link), "/__app__/lib")[0] == f"interpreter [{link}] [/__app__/lib]"


@pytest.mark.parametrize("starter", STARTERS)
def test_python_scripts_run_in_the_product(driver: Driver, starter: str) -> None:
    lines = started(driver, starter, "/__app__/bin/../bin/tool", "a", "/__app__/lib")
    assert lines[0] == "interpreter again [/__app__/bin/python3] [/__app__/bin/tool] [a] [/__app__/lib]"


@pytest.mark.parametrize("starter", STARTERS)
def test_other_scripts_run_by_themselves(driver: Driver, starter: str) -> None:
    assert started(driver, starter, "/__app__/bin/shell", "a")[0] == "shell a"


@pytest.mark.parametrize(
    ("program", "fault"),
    [
        ("/__app__/no", "ENOENT"),
        ("/__app__/lib/mod.py", "EACCES"),
        ("/__app__/lib", "EACCES"),
        ("/__app__/lib/mod.py/x", "ENOTDIR"),
    ],
)
def test_what_can_not_be_run(driver: Driver, program: str, fault: str) -> None:
    assert started(driver, "vrun", program)[0] == f"vrun {fault}"
    assert started(driver, "spawn", program)[0] == f"spawn {fault}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/__app__/lib/data/a.txt", "$/lib/data/a.txt"),
        ("/__app__", "$"),
        ("--file=/__app__/lib/data/a.txt", "--file=$/lib/data/a.txt"),
        ("-I/__app__/lib", "-I$/lib"),
        ("x -L/__app__/lib", "x -L$/lib"),
        ("'/__app__/lib/data/two words.txt'", "'$/lib/data/two words.txt'"),
        ("/__app__/lib/data/a.txt:/__app__/lib/data", "$/lib/data/a.txt:$/lib/data"),
        ("/__app__/lib/./data/../mod.py;x", "$/lib/mod.py;x"),
        ("/__app__/lib//mod.py", "$/lib/mod.py"),
        ("/__app__/lib/", "$/lib/"),
        ("/__app__/lib/*.py", "$/lib/*.py"),
        ("/__app__/lib/no/where", "$/lib/no/where"),
        ("/__app__/lib/modules", "$/lib/modules"),
        ("/__app__/bin/python3", "$/bin/python3"),
        ("file:///__app__/lib", "file:///__app__/lib"),
        ("x/__app__/lib", "x/__app__/lib"),
        ("/__app__x", "/__app__x"),
        ("/__app__/../etc", "/__app__/../etc"),
        ("no path", "no path"),
    ],
)
def test_paths_in_arguments(driver: Driver, text: str, expected: str) -> None:
    assert started(driver, "vrun", "/bin/echo", text)[0] == expected
    environment = replace(driver, variables={"THE_TEXT": text})
    assert f"THE_TEXT={expected}" in started(environment, "vrun", "/usr/bin/env")


def test_what_is_named_is_there(driver: Driver) -> None:
    command = "cat /__app__/lib/data/sub/../a.txt; ls /__app__/lib/data/; /__app__/bin/python3.13 -V /__app__"
    lines = started(driver, "spawn", "/bin/sh", "-c", command)
    assert lines[:4] == ["alpha", "a.txt", "sub", "two words.txt"]
    assert lines[4] == "interpreter [$/bin/python3.13] [-V] [$]"
    assert (driver.app / "root" / "bin" / "python3.13").readlink() == driver.program


def test_libraries_come_with_those_they_need(driver: Driver) -> None:
    started(driver, "vrun", "/bin/echo", "/__app__/lib/pkg/main.so")
    assert (driver.app / "root" / "lib" / "pkg.libs" / "libdep.so").exists()


def test_commands_of_the_shell(driver: Driver) -> None:
    environment = replace(driver, variables={"LISTED": "/__app__/lib/data"})
    assert started(environment, "system=cat /__app__/lib/data/a.txt; ls $LISTED") == [
        *("alpha", "a.txt", "sub", "two words.txt", "system 0"),
    ]
    assert started(driver, "system=exit 3") == ["system 3"]
    assert started(driver, "popen=cat /__app__/lib/data/a.txt") == ["popen alpha"]


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ("r:/__app__/lib/data/a.txt", ["alpha", "spawn_open ok"]),
        ("r:/__app__/lib/data/../data//a.txt", ["alpha", "spawn_open ok"]),
        ("r:/__app__/lib/none", ["spawn_open ENOENT"]),
        ("w:/__app__/lib/none", ["spawn_open EROFS"]),
        ("w:/__app__/lib/data/a.txt", ["spawn_open EROFS"]),
        ("r:/__app__/../dev/null", ["spawn_open ok"]),
    ],
)
def test_files_that_are_opened_for_programs(driver: Driver, asked: str, lines: list[str]) -> None:
    assert started(driver, f"spawn_open={asked}") == lines


@pytest.mark.parametrize("starter", ["run", "spawnp"])
def test_programs_are_found_in_the_product(driver: Driver, starter: str) -> None:
    paths = replace(driver, variables={"PATH": "/no:/__app__/bin:/usr/bin:/bin"})
    assert started(paths, starter, "shell", "x")[0] == "shell x"
    assert (
        started(paths, starter, "tool")[0] == "interpreter again [/__app__/bin/python3] [/__app__/bin/tool]"
    )
    assert started(paths, starter, "echo", "plain")[0] == "plain"
    assert started(driver, "spawnp", "shell")[0] == "spawn ENOENT"


def test_very_long_arguments(driver: Driver) -> None:
    text = ":".join(["/__app__/lib/data"] * 1000)
    (line, _) = started(driver, "vrun", "/bin/echo", text)
    assert line == ":".join(["$/lib/data"] * 1000)


def test_many_arguments(driver: Driver) -> None:
    (line, _) = started(driver, "vrun", "/bin/echo", *(["/__app__/lib/data/a.txt"] * 2000))
    assert line == " ".join(["$/lib/data/a.txt"] * 2000)


def test_environment_without_our_paths_is_untouched(driver: Driver) -> None:
    driver = replace(driver, variables={"OTHER": "a=/x/__app__:b", "EMPTY_": " "})
    lines = started(driver, "vrun", "/usr/bin/env")
    assert {*lines[:-1]} == {f"{name}={value}" for name, value in driver.environment.items()}
    assert not list(driver.home.iterdir())
