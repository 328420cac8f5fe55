"""Ctrl-C before the app's own code begins: the end of the process, without a traceback of the start."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.products.building import Product, build, environment, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product

#: A line of a `.pth` file runs late in the start, just before the app: it stands for the user here.
_LINE = "import os, signal; exec(os.environ.get('LINE', ''))\n"

_APP = """
    import signal

    print("begun", flush=True)

    def main():
        handler = signal.getsignal(signal.SIGINT)
        print(getattr(handler, "__name__", handler), flush=True)
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            print("handled", flush=True)
"""


@pytest.fixture(scope="module")
def app(folder: Path) -> Product:
    """An app that interrupts itself, with a line that can do so earlier."""
    script = "[console_scripts]\ninterrupted = interrupted:main\n"
    files = {"interrupted.py": _APP, "line.pth": _LINE}
    wheel = make_wheel(folder / "wheels", "interrupted", "1", files, entry_points=script)
    return Product(build(wheel, output=folder / "interrupted"))


def _run(app: Product, line: str, *options: str) -> tuple[int, str, str]:
    # Who runs the tests may have them ignore SIGINT, and programs inherit that.
    command = ["env", *(options or ("--default-signal=INT",)), str(app.path)]
    done = subprocess.run(
        command, env=environment(LINE=line), capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_it_ends_the_process_before_the_app_begins(app: Product) -> None:
    assert _run(app, "os.kill(os.getpid(), signal.SIGINT)") == (-signal.SIGINT, "", "")


def test_the_app_gets_its_keyboard_interrupt(app: Product) -> None:
    assert _run(app, "") == (0, "begun\ndefault_int_handler\nhandled\n", "")


def test_ignored_it_stays_ignored(app: Product) -> None:
    outcome = _run(app, "os.kill(os.getpid(), signal.SIGINT)", "--ignore-signal=INT")
    assert outcome == (0, f"begun\n{signal.SIG_IGN.value}\n", "")


@pytest.mark.parametrize("chosen", ["SIG_IGN", "SIG_DFL"])
def test_what_a_line_of_a_pth_file_has_chosen_stays(app: Product, chosen: str) -> None:
    number = signal.Handlers[chosen].value
    status = 0 if chosen == "SIG_IGN" else -signal.SIGINT
    assert _run(app, f"signal.signal(signal.SIGINT, signal.{chosen})") == (status, f"begun\n{number}\n", "")


def test_python_in_the_product_gets_its_keyboard_interrupt(app: Product) -> None:
    code = """
        import signal
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            print("handled")
    """
    assert app.python("-c", code).stdout == "handled\n"
