"""Programs that start themselves again, in the ways that are common."""

from __future__ import annotations

import os
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.products.building import Product, environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product

CODE = """
    import json, subprocess, sys
    if len(sys.argv) > 1:
        print(json.dumps(sys.argv))
    else:
        command = [sys.executable, {arguments}, "x"]
        print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="")
"""
SELF = "sys.argv[0], *sys.orig_argv[2:]"


@pytest.mark.parametrize(
    "arguments", [SELF, "*sys.orig_argv[1:]", f"'-u', '-X', 'dev', '-uWignore', {SELF}", f"'--', {SELF}"]
)
def test_a_program_that_starts_itself_again(probe: Product, tmp_path: Path, arguments: str) -> None:
    code = CODE.format(arguments=arguments)
    assert probe.value(code) == [str(probe.path), "x"]
    link = tmp_path / "link"
    link.symlink_to(probe.path)
    assert Product(link).value(code) == [str(link), "x"]


def test_one_that_was_found_on_the_path(probe: Product) -> None:
    variables = environment(PATH=f"{probe.path.parent}:{os.environ['PATH']}")
    command = [probe.path.name, textwrap.dedent(CODE.format(arguments=SELF))]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == f'["{probe.path}", "x"]\n'


@pytest.mark.parametrize("arguments", ["-c", "-uc", "-Ic"])
def test_its_path_as_an_argument_of_other_code(probe: Product, arguments: str) -> None:
    done = probe.python(arguments, "import sys; print(sys.argv)", probe.path)
    assert done.stdout == f"['-c', '{probe.path}']\n"


def test_orig_argv_is_what_python_would_have_been_called_with(probe: Product) -> None:
    text = "import json, sys; print(json.dumps(sys.orig_argv))"
    assert probe.value(text, "a") == ["/__app__/bin/python3.13", str(probe.path), text, "a"]
