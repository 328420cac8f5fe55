"""Hardened products of the examples, in a Debian 11 without Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coachwhip.elf.hardening import hardening
from coachwhip.image import read_image
from tests.movable import movable_runtime
from tests.portability.circumstances import CIRCUMSTANCES
from tests.portability.examples import EXAMPLES, Example
from tests.portability.machine import Machine, Outcome

pytestmark = [pytest.mark.product, pytest.mark.root]

FOLDER = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def hardened(bullseye: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    movable_runtime()
    folder = tmp_path_factory.mktemp("hardened")
    folder.chmod(0o755)
    for example in EXAMPLES:
        name = str(example)
        output = str(folder / name)
        command = [sys.executable, "-m", "coachwhip", "build", "--pie", str(FOLDER / name), "-o", output]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"NO_COLOR": "1"})
        assert hardening(read_image(folder / name).stub).lacks == ()
    return Machine(bullseye, folder)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.parametrize("name", CIRCUMSTANCES)
def test_they_do_what_others_do(hardened: Machine, name: str, example: Example) -> None:
    outcome = hardened.having(CIRCUMSTANCES[name]).run(*example.command)
    assert outcome == Outcome(0, example.output, "")
