"""Standard streams and terminals; faulthandler."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.products.building import environment

if TYPE_CHECKING:
    from tests.products.building import Product

pytestmark = pytest.mark.product

STREAMS = """
    import sys
    for stream in sys.stdin, sys.stdout, sys.stderr:
        print(stream.name, stream.mode, stream.isatty(), stream.line_buffering, stream.fileno())
"""


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *command: object, **variables: str) -> None:
        self._main, other = pty.openpty()
        self._seen = ""
        self.process = subprocess.Popen(
            [os.fspath(word) for word in command],  # type: ignore[call-overload]
            stdin=other,
            stdout=other,
            stderr=other,
            env=environment(TERM="dumb", **variables),
            start_new_session=True,
        )
        os.close(other)

    def type(self, text: str) -> None:
        os.write(self._main, text.encode())

    def read_until(self, text: str) -> str:
        """Everything that has been written, once `text` is among it."""
        while text not in self._seen:
            ready, _, _ = select.select([self._main], [], [], 60)
            assert ready, f"waiting for {text!r}, seen {self._seen!r}"
            try:
                self._seen += os.read(self._main, 4096).decode()
            except OSError:
                break
        assert text in self._seen, self._seen
        return self._seen

    def end(self) -> int:
        status = self.process.wait(timeout=60)
        os.close(self._main)
        return status


def test_streams_that_are_no_terminal(probe: Product, plain: Product) -> None:
    assert probe.output(STREAMS) == plain.output("-c", STREAMS)


def test_streams_that_are_a_terminal(probe: Product) -> None:
    terminal = Terminal(probe.path, textwrap.dedent(STREAMS) + "print(input('name? '))")
    terminal.read_until("name? ")
    terminal.type("Ada\n")
    lines = terminal.read_until("Ada\r\nAda\r\n").split("\r\n")
    assert lines[:3] == [
        "<stdin> r True True 0",
        "<stdout> w True True 1",
        "<stderr> w True True 2",
    ]
    assert terminal.end() == 0


def test_control_c_at_a_terminal(probe: Product) -> None:
    code = "try:\n print('ready')\n while 1: pass\nexcept KeyboardInterrupt:\n print('stopped')\n"
    # Only the session's leader gets a terminal to control it.
    shell = Terminal("setsid", "--ctty", "--wait", probe.path, code)
    shell.read_until("ready")
    shell.type("\x03")
    shell.read_until("stopped")
    assert shell.end() == 0


def test_an_interactive_prompt(probe: Product) -> None:
    terminal = Terminal(probe.path, COACHWHIP_INTERPRETER="1", PYTHON_BASIC_REPL="1")
    assert "Python 3.13" in terminal.read_until(">>> ")
    terminal.type("import probe; 6 * 7\n")
    terminal.read_until("42\r\n>>> ")
    terminal.type("exit()\n")
    assert terminal.end() == 0


def test_input_is_read_as_it_comes(probe: Product) -> None:
    code = "import sys; print([line for line in sys.stdin], sys.stdin.buffer.read())"
    assert probe.output(code, input="a\nb") == "['a\\n', 'b'] b''\n"


def test_standard_streams_that_are_closed(probe: Product) -> None:
    code = "import sys, os; os.write(3, repr([sys.stdin, sys.stdout, sys.stderr]).encode())"
    read, write = os.pipe()
    shell = 'exec "$0" "$1" <&- >&- 2>&- 3>&' + str(write)
    subprocess.run(["/bin/bash", "-c", shell, probe.path, code], pass_fds=[write], check=True)
    os.close(write)
    with os.fdopen(read) as stream:
        assert stream.read() == "[None, None, None]"


def test_faulthandler_shows_where_a_crash_was(probe: Product) -> None:
    code = "import faulthandler\nfaulthandler.enable()\ndef crash():\n    faulthandler._sigsegv()\ncrash()\n"
    done = probe.run(code)
    assert done.returncode == -signal.SIGSEGV
    assert done.stderr.startswith("Fatal Python error: Segmentation fault\n")
    assert 'File "<probe>", line 4 in crash\n' in done.stderr
    assert 'probe/cli.py", line 6 in main\n' in done.stderr
    assert 'File "/__app__/bin/probe", line 7 in <module>\n' in done.stderr


def test_faulthandler_on_request(probe: Product) -> None:
    code = """
        import faulthandler, signal, sys
        faulthandler.register(signal.SIGUSR1, file=sys.stdout, all_threads=False)
        signal.raise_signal(signal.SIGUSR1)
    """
    assert 'File "<probe>", line 4 in <module>\n' in probe.output(code)


def test_without_faulthandler_a_crash_is_a_crash(probe: Product) -> None:
    done = probe.run("import ctypes; ctypes.string_at(0)")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGSEGV, "", "")
