"""The frame of the command: errors become messages and exit codes, output goes where it belongs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import click
import pytest

import coachwhip
from coachwhip.cli import main as command
from coachwhip.errors import CoachwhipError, ExitCode, ResolutionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COACHWHIP = [sys.executable, "-m", "coachwhip"]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Return a function that runs a command which raises what it is given."""

    def run(error: BaseException, *arguments: str) -> int:
        @click.command("fail")
        def fail() -> None:
            raise error

        monkeypatch.setitem(command.COMMANDS, "fail", ("", "Fail."))
        command._add_verbosity(fail)
        monkeypatch.setitem(command.command_line.commands, "fail", fail)
        return command.main(["fail", *arguments])

    return run


def test_an_error_shows_message_detail_hint_and_its_exit_code(
    failing: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    error = ResolutionError("can't resolve", hint="ask for less", detail="a needs b<1\n\nc needs b>1\n")
    assert failing(error) == ExitCode.RESOLUTION
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: can't resolve\n  | a needs b<1\n  |\n  | c needs b>1\nhint: ask for less\n"


def test_text_from_elsewhere_is_never_taken_for_markup(
    failing: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(CoachwhipError("no [red]such[/red] thing: [tool.coachwhip]", hint="pip install 'a[b]'"))
    assert capsys.readouterr().err == (
        "error: no [red]such[/red] thing: [tool.coachwhip]\nhint: pip install 'a[b]'\n"
    )


def test_long_lines_are_not_broken_when_piped(
    failing: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/a/very/long/path" * 12
    failing(CoachwhipError(f"can't read {path}"))
    assert path in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_one_line_and_130(
    failing: Callable[..., int], capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    assert failing(error) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err.strip().splitlines() == ["error: interrupted"]


def test_a_fault_of_ours_names_a_file_with_the_traceback(
    failing: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert failing(ZeroDivisionError("no")) == ExitCode.INTERNAL
    err = capsys.readouterr().err
    assert "Traceback" not in err
    (written,) = tmp_path.glob("coachwhip-error-*.txt")
    assert str(written) in err
    assert "ZeroDivisionError: no" in written.read_text()
    assert "Traceback" in written.read_text()


def test_a_fault_of_ours_shows_the_traceback_with_v(
    failing: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(ZeroDivisionError("no"), "-v")
    assert "  | Traceback (most recent call last):" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["bogus"], ["--bogus"], ["cache", "prune", "--days", "x"], ["inspect"]]
)
def test_wrong_usage_is_said_shortly(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == ExitCode.USAGE
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "--help` shows how it is used\n" in err
    assert len(err.splitlines()) == 2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--version"]) == 0
    assert capsys.readouterr().out == f"coachwhip {coachwhip.__version__}\n"


def test_start_is_not_slowed_by_what_is_not_used() -> None:
    code = (
        "import sys\n"
        "from coachwhip.cli.main import main\n"
        "assert main(['--version']) == 0\n"
        "heavy = {'rich', 'zstandard', 'elftools', 'packaging', 'subprocess', 'coachwhip.image'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "[]"


def test_help_lists_every_command_and_names_what_exists(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    out = capsys.readouterr().out
    for name in command.COMMANDS:
        assert f"\n  {name}" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [[], ["cache"]])
def test_a_group_alone_shows_its_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == ExitCode.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: coachwhip")


def test_output_stays_silent_when_its_reader_goes_away() -> None:
    script = f"{sys.executable} -m coachwhip completion bash | :"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_a_full_disk_under_stdout_is_said_once() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run([*COACHWHIP, "cache", "dir"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == ExitCode.ENVIRONMENT
    assert done.stderr == b"error: can't write to the standard output: No space left on device\n"


@pytest.mark.parametrize(("closed", "code"), [(">&-", 0), (">&- 2>&-", 0), ("2>&-", 0)])
def test_closed_streams_are_no_reason_to_fail(closed: str, code: int) -> None:
    script = f"{sys.executable} -m coachwhip cache dir {closed}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")


def test_the_cache_is_the_same_from_every_folder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COACHWHIP_CACHE_DIR", "here")
    assert command.main(["cache", "dir"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'here'}\n"


def test_a_termination_signal_ends_with_its_number_and_runs_cleanup(tmp_path: Path) -> None:
    started, cleaned = tmp_path / "started", tmp_path / "cleaned"
    code = (
        "import sys, time, click, pathlib\n"
        "from coachwhip.cli import main as command\n"
        "@click.command('wait')\n"
        "def wait():\n"
        "    try:\n"
        f"        pathlib.Path({str(started)!r}).touch()\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        f"        pathlib.Path({str(cleaned)!r}).touch()\n"
        "command.COMMANDS['wait'] = ('', '')\n"
        "command.command_line.commands['wait'] = wait\n"
        "sys.exit(command.main(['wait']))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert err == "error: ended by SIGTERM\n"
    assert cleaned.exists()


def test_an_interrupt_while_the_command_is_imported_shows_no_traceback() -> None:
    code = (
        "import signal, sys\n"
        "class Interrupts:\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupts)\n"
        "from coachwhip.__main__ import main\n"
        "main()\n"
    )
    # Who runs the tests may have them ignore SIGINT, and programs inherit that.
    command = ["env", "--default-signal=INT", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_for_this_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert "_COACHWHIP_COMPLETE" in out
    assert "coachwhip" in out


def test_completion_offers_commands_and_options() -> None:
    def complete(*words: str) -> list[str]:
        env = os.environ | {
            "_COACHWHIP_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(["coachwhip", *words]),
            "COMP_CWORD": str(len(words)),
        }
        done = subprocess.run(COACHWHIP, env=env, capture_output=True, text=True, check=True)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert complete("in") == ["inspect"]
    assert complete("inspect", "--j") == ["--json"]
    assert complete("cache", "pr") == ["prune"]
