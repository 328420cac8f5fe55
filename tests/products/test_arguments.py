"""argv, exit statuses and signals."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.products.building import Product, environment

pytestmark = pytest.mark.product

ARGV = "import json, sys; print(json.dumps(sys.argv))"


def test_argv_is_what_the_program_was_called_as(probe: Product, tmp_path: Path) -> None:
    folder, name = probe.path.parent, probe.path.name
    link = tmp_path / "called-otherwise"
    link.symlink_to(probe.path)
    assert probe.value(ARGV, "a", "", "-c", "ü") == [str(probe.path), "a", "", "-c", "ü"]
    assert Product(link).value(ARGV) == [str(link)]
    for called in (f"./{name}", f"../{folder.name}/{name}"):
        done = subprocess.run([called, ARGV], cwd=folder, capture_output=True, text=True, check=True)
        assert done.stdout == f'["{called}"]\n'


def test_a_program_on_the_path(probe: Product) -> None:
    variables = environment(PATH=f"{probe.path.parent}:{os.environ['PATH']}")
    command = [probe.path.name, ARGV]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    # As for a script: its first line makes the kernel name the file.
    assert done.stdout == f'["{probe.path}"]\n'


def test_arguments_of_any_bytes(probe: Product) -> None:
    code = "import os, sys; print([os.fsencode(argument) for argument in sys.argv[1:]])"
    done = subprocess.run([probe.path, code, b"\xff\xfe"], capture_output=True, check=True)
    assert done.stdout == b"[b'\\xff\\xfe']\n"


def test_no_argv_zero(probe: Product) -> None:
    code = "import sys; print(sys.argv, sys.prefix)"
    done = subprocess.run(["", code, "x"], executable=probe.path, capture_output=True, text=True, check=True)
    assert done.stdout == "['', 'x'] /__app__\n"


def test_the_place_of_the_program(probe: Product) -> None:
    code = "import sys; print(sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.orig_argv[0])"
    # The original arguments are those that start the program again.
    expected = "/__app__/bin/python3.13 /__app__ /__app__ /__app__ /__app__/bin/python3.13\n"
    assert probe.output(code) == expected


@pytest.mark.parametrize(
    ("how", "argument"),
    [
        *(("exit", status) for status in ("None", "0", "3", "-1", "256 + 5", "2**40 + 6", "2**70", "True")),
        *(("exit", status) for status in ("'a text'", "('a', 1)", "2.5")),
        *(
            ("raise", error)
            for error in ("ValueError('x')", "SystemExit", "SystemExit(4)", "KeyboardInterrupt")
        ),
        *(("raise", error) for error in ("ExceptionGroup('g', [OSError(2, 'x')])", "GeneratorExit")),
        ("hook", ""),
        ("_exit", ""),
        *(("signal", str(int(number))) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)),
        *(("signal", str(int(number))) for number in (signal.SIGUSR1, signal.SIGWINCH, signal.SIGABRT)),
    ],
)
def test_a_program_ends_as_the_plain_interpreter_ends(
    ending: Product, plain: Product, how: str, argument: str
) -> None:
    script = ending.path.with_suffix(".py")
    here, there = ending.run(how, argument), plain.run(script, how, argument)
    text = there.stderr.replace(str(script), "/__app__/bin/ending")
    assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, text)


def test_output_that_cannot_be_written_is_a_failure(probe: Product) -> None:
    with Path("/dev/full").open("w") as full:
        done = probe.run("print('x')", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 120
    assert done.stderr.splitlines()[-1] == "OSError: [Errno 28] No space left on device"


def test_a_reader_that_has_gone(probe: Product) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        done = probe.run("print('x')", capture_output=False, stdout=stream, stderr=subprocess.PIPE)
    assert done.returncode == 120
    assert done.stderr.splitlines()[-1] == "BrokenPipeError: [Errno 32] Broken pipe"


def test_signals_are_set_up_as_ever(probe: Product, plain: Product) -> None:
    code = """
        import signal
        print([(int(number), str(signal.getsignal(number))) for number in sorted(signal.valid_signals())
               if number not in (signal.SIGKILL, signal.SIGSTOP)])
        print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        with open("/proc/self/status") as status:
            print([line for line in status if line.startswith(("SigBlk", "SigIgn", "SigCgt"))])
    """
    assert _without_address(probe.output(code)) == _without_address(plain.output("-c", code))


def _without_address(text: str) -> str:
    return " ".join(word.rstrip(">") for word in text.split() if not word.startswith("0x"))


def test_handlers_of_the_program(probe: Product) -> None:
    code = """
        import signal, time
        def handler(number, frame):
            print("got", signal.Signals(number).name, flush=True)
        for number in signal.SIGWINCH, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD:
            signal.signal(number, handler)
            signal.raise_signal(number)
    """
    assert probe.output(code) == "got SIGWINCH\ngot SIGTERM\ngot SIGINT\ngot SIGCHLD\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_from_outside_ends_the_program(probe: Product, number: signal.Signals) -> None:
    code = "import time\nprint('ready', flush=True)\ntime.sleep(60)\n"
    # Who runs the tests may have them ignore a signal (nohup does), and programs inherit that.
    command: list[str | Path] = [
        "env",
        f"--default-signal={number.name.removeprefix('SIG')}",
        probe.path,
        code,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -number
    assert errors.endswith("KeyboardInterrupt\n") == (number == signal.SIGINT)


def test_the_process_is_the_program(probe: Product) -> None:
    process = subprocess.Popen(
        [probe.path, "import os; print(os.getpid(), os.getppid())"], stdout=subprocess.PIPE, text=True
    )
    out, _ = process.communicate(timeout=60)
    assert out == f"{process.pid} {os.getpid()}\n"
