"""The reader of snapshots: whatever a damaged file says, it stays within it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.stub.programs import STUB, TESTS, compile_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def fuzzer(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert c_compiler
    sources = (TESTS / "fuzz_snapshot.c", STUB / "xxh64.c")
    return compile_program(tmp_path_factory.mktemp("fuzz") / "fuzz", sources)


@pytest.mark.parametrize("seed", range(4))
def test_no_change_of_a_snapshot_leads_the_reader_astray(fuzzer: Path, seed: int) -> None:
    rounds = int(os.environ.get("COACHWHIP_FUZZ_ROUNDS", "10000"))
    command = [str(fuzzer), str(seed + 1), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    of_product, of_machine, mistaken = map(int, done.stdout.split())
    for opened in (of_product, of_machine):
        assert rounds // 40 < opened < rounds // 2, "the fuzzer tests the checksum only, or nothing"
    assert not mistaken, "one kind is taken for the other"
