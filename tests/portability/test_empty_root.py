"""Where there is nothing: no /proc, no /tmp, no /etc/passwd, no shell, only glibc's files and the product."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.portability.examples import EXAMPLES, HELLO, Example
from tests.portability.machine import Circumstances, Machine, Mount, Outcome

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.product, pytest.mark.root]

BARE = Circumstances(mounts=(), environment={})


@pytest.fixture
def bare(empty_root: Path, products: Path) -> Machine:
    return Machine(empty_root, products, BARE)


def test_hello_needs_nothing_at_all(bare: Machine) -> None:
    assert bare.run(*HELLO.command) == Outcome(0, HELLO.output, "")


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_one_writable_folder_is_enough(bare: Machine, example: Example) -> None:
    circumstances = replace(
        BARE, mounts=(Mount("tmpfs", "/cache"),), environment={"COACHWHIP_CACHE_DIR": "/cache"}
    )
    assert bare.having(circumstances).run(*example.command) == Outcome(0, example.output, "")


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_proc_is_enough(bare: Machine, example: Example) -> None:
    circumstances = replace(BARE, mounts=(Mount("proc", "/proc"),))
    assert bare.having(circumstances).run(*example.command) == Outcome(0, example.output, "")


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_neither_is_needed_for_native_libraries(bare: Machine, example: Example) -> None:
    assert bare.run(*example.command) == Outcome(0, example.output, "")


def test_without_either_a_library_that_is_not_mapped_says_why(bare: Machine) -> None:
    """A second copy in another namespace is the system's loader's business."""
    path = "/__app__/lib/python3.13/site-packages/myapp/myextension.cpython-313-x86_64-linux-gnu.so"
    code = (
        "import ctypes; c = ctypes.CDLL(None); load, error = c.dlmopen, c.dlerror; "
        f"error.restype = ctypes.c_char_p; load(ctypes.c_long(-1), b'{path}', 2); print(error().decode())"
    )
    circumstances = replace(BARE, environment={"COACHWHIP_INTERPRETER": "1"})
    outcome = bare.having(circumstances).run("myapp", "-c", code)
    assert "no directory can hold this program's unpacked files" in outcome.output
    assert "set COACHWHIP_CACHE_DIR to one that can" in outcome.output
    assert outcome.output.endswith("to load it from memory, /proc has to be mounted\n")


def test_without_proc_the_interpreter_is_where_the_product_was_started_from(bare: Machine) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(47)'], check=True)"
    circumstances = replace(BARE, environment={"COACHWHIP_INTERPRETER": "1"})
    assert bare.having(circumstances).run("hello", "-c", code) == Outcome(0, "47\n", "")


def test_threads_that_are_left_behind_do_not_abort_the_program(bare: Machine) -> None:
    """pthread_exit, with which CPython ends them, needs libgcc_s."""
    code = (
        "import threading, time\n"
        "def work():\n"
        "    while True: time.sleep(0.0002)\n"
        "for _ in range(8): threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.05)\n"
        "print('end')\n"
    )
    interpreter = replace(BARE, environment={"COACHWHIP_INTERPRETER": "1"})
    assert bare.having(interpreter).run("hello", "-c", code) == Outcome(0, "end\n", "")
