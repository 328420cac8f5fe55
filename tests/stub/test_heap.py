"""The program's memory: the allocator that takes the place of libc's."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.stub.programs import STUB, TESTS, compile_program

if TYPE_CHECKING:
    from pathlib import Path

PARTS = (
    *("heap", "heap_blocks", "heap_cache", "heap_pages", "heap_early", "heap_state"),
    *("fixed", "say", "next"),
)
#: AddressSanitizer brings an allocator of its own.
OPTIONS = (
    *("-fno-builtin", "-fsanitize=undefined", "-fno-sanitize-recover=undefined", "-no-pie"),
    *(f"-Wl,--dynamic-list={STUB / 'export-heap.list'}", "-lpthread", "-ldl"),
)
#: All tests together are fast with this; more by hand.
ROUNDS = int(os.environ.get("COACHWHIP_HEAP_ROUNDS", "20000"))


@pytest.fixture(scope="session")
def heap(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert c_compiler
    sources = (TESTS / "heap_driver.c", *(STUB / f"{part}.c" for part in PARTS))
    return compile_program(tmp_path_factory.mktemp("heap") / "heap", sources, *OPTIONS, sanitize=False)


def run(heap: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(heap), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("seed", range(1, 4))
def test_blocks_keep_what_is_written_into_them(heap: Path, seed: int) -> None:
    done = run(heap, "random", seed, ROUNDS)
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_share_the_heap_also_when_the_process_forks(heap: Path) -> None:
    done = run(heap, "threads", 1, ROUNDS // 10)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("what", ["promises", "memory", "limit", "occupied", "saved"])
def test_the_heap_does_what_is_promised(heap: Path, what: str) -> None:
    """`promises` of the standard, `memory` given back, a `limit` on address space, an `occupied` region,
    what is `saved` with gaps.
    """
    done = run(heap, what)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("what", ["twice", "twice-later"])
def test_a_small_block_freed_twice_ends_the_program(heap: Path, what: str) -> None:
    done = run(heap, "misuse", what)
    assert done.returncode == -signal.SIGABRT
    assert done.stderr == "memory: a block is freed twice\n"


@pytest.mark.parametrize(
    "what",
    ["twice-large", "twice-joined", "foreign", "foreign-marked", "inside", "unaligned", "realloc"],
)
def test_a_pointer_to_no_block_ends_the_program(heap: Path, what: str) -> None:
    done = run(heap, "misuse", what)
    assert done.returncode == -signal.SIGABRT
    assert done.stderr == ("memory: a pointer that was not allocated, or was freed already, is used as one\n")
