"""Programs that a product starts: where they begin, what they are called, which files are open for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.products.building import Product

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product

SITE = "/__app__/lib/python3.13/site-packages"


@pytest.mark.parametrize("spawn", ["posix_spawn", "posix_spawnp"])
def test_a_file_of_the_product_as_standard_input(probe: Product, spawn: str) -> None:
    code = f"""
        import os
        actions = [(os.POSIX_SPAWN_OPEN, 0, "{SITE}/probe/__init__.py", os.O_RDONLY, 0)]
        child = os.{spawn}("/bin/cat", ["cat"], os.environ, file_actions=actions)
        assert os.waitpid(child, 0)[1] == 0
        print(open("{SITE}/probe/__init__.py").read(), end="")
    """
    written = probe.output(code)
    half = len(written) // 2
    assert written
    assert written[:half] == written[half:]


def test_a_file_of_the_product_is_not_opened_for_writing(probe: Product) -> None:
    code = f"""
        import errno, os
        actions = [(os.POSIX_SPAWN_OPEN, 1, "{SITE}/probe/__init__.py", os.O_WRONLY, 0)]
        try:
            os.posix_spawn("/bin/echo", ["echo"], os.environ, file_actions=actions)
        except OSError as error:
            print(errno.errorcode[error.errno])
    """
    assert probe.output(code) == "EROFS\n"


@pytest.mark.parametrize("close_fds", [True, False])
def test_a_directory_of_the_product_as_working_directory(probe: Product, *, close_fds: bool) -> None:
    code = f"""
        import subprocess
        done = subprocess.run(["cat", "__init__.py"], cwd="{SITE}/probe", close_fds={close_fds},
                              capture_output=True, check=True)
        print(done.stdout == open("{SITE}/probe/__init__.py", "rb").read(), len(done.stdout) > 0)
    """
    assert probe.output(code) == "True True\n"


def test_the_interpreter_is_python_whatever_it_is_called(probe: Product) -> None:
    code = """
        import subprocess
        for executable in "./python3.13", "/__app__/bin/python3":
            subprocess.run(["another name", "-c", "import os; print(os.path.basename(os.getcwd()))"],
                           executable=executable, cwd="/__app__/bin", check=True)
    """
    assert probe.output(code) == "bin\nbin\n"


@pytest.mark.parametrize("command", ["./probe", "{real}/probe", "/__app__/bin/probe"])
def test_a_script_of_the_product_from_its_directory(probe: Product, command: str) -> None:
    """Its first line names an interpreter that only the product knows."""
    code = f"""
        import os, subprocess
        os.chdir("/__app__/bin")
        command = "{command}".format(real=os.getcwd())
        subprocess.run([command, "import sys; print(sys.argv)"], check=True)
    """
    assert probe.output(code) == "['/__app__/bin/probe']\n"


@pytest.mark.parametrize(
    ("name", "is_python"),
    [("python", True), ("python3", True), ("python3.13", True), ("python3-tool", False), ("pythonic", False)],
)
def test_names_under_which_a_product_is_python(
    probe: Product, tmp_path: Path, name: str, *, is_python: bool
) -> None:
    (tmp_path / name).symlink_to(probe.path)
    code = "import sys; print(sys.argv)"
    called = Product(tmp_path / name)
    if is_python:
        assert called.output("-c", code, "x") == "['-c', 'x']\n"
    else:
        assert called.output(code, "x") == f"{[str(called.path), 'x']}\n"
