"""The command `coachwhip`: its groups, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

import coachwhip
from coachwhip.cli.ui import Ui, Verbosity
from coachwhip.errors import CoachwhipError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from click.shell_completion import CompletionItem

__all__ = ["command_line", "main"]

#: Where each command lives and what `--help` says of it, in that order. A command's module, and all that
#: it needs, is imported when the command is used.
COMMANDS: dict[str, tuple[str, str]] = {
    "build": ("coachwhip.cli.build:build", "Build an executable from an application."),
    "bake": ("coachwhip.cli.bake:bake", "Make the snapshot of a built file anew, or explain it."),
    "inspect": ("coachwhip.cli.inspect:inspect", "Show what is inside a built file."),
    "runtime": ("coachwhip.cli.runtime:runtime_group", "Install and manage the Pythons that products carry."),
    "cache": ("coachwhip.cli.cache:cache_group", "Find and clean the cache."),
    "completion": ("coachwhip.cli.completion:completion", "Print shell completion for bash, zsh or fish."),
}


class _Terminated(BaseException):
    """SIGTERM or SIGHUP arrived; raised so that temporary files are removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            module, _, attribute = COMMANDS[cmd_name][0].partition(":")
            command = getattr(importlib.import_module(module), attribute)
            _add_verbosity(command)
            self.commands[cmd_name] = command
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415  (for completion only)

        names = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def _add_verbosity(command: click.Command) -> None:
    """Give a command, or every command of a group, the options -v and -q."""
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _add_verbosity(child)
        return

    def set_verbosity(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001
        ui = ctx.find_object(Ui)
        if value and ui is not None:
            ui.verbosity = Verbosity.VERBOSE if param.name == "verbose" else Verbosity.QUIET

    for name, letter, text in (
        ("verbose", "v", "Say more about what is done, and show tracebacks of internal errors."),
        ("quiet", "q", "Say nothing but results and errors."),
    ):
        option = click.Option(
            [f"-{letter}", f"--{name}", name],
            is_flag=True,
            expose_value=False,
            callback=set_verbosity,
            help=text,
        )
        command.params.append(option)


@click.command(
    cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80}
)
@click.version_option(coachwhip.__version__, "-V", "--version", message="coachwhip %(version)s")
def command_line() -> None:
    """Turn a Python application into one file that runs on any Linux machine.

    The file carries its own Python and everything the application needs. The machine that runs it needs
    a Linux kernel and glibc 2.17 or newer, nothing else.

    \b
    Examples:
      coachwhip build .                      the project in this folder
      coachwhip build httpie --script http   a program from the package index
      coachwhip inspect dist/http            what is inside a built file
    """  # noqa: D301  (\b is click's mark for a paragraph that is not to be rewrapped)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: without the program's name; `sys.argv[1:]` when None.
    """
    sys.stdout = sys.stdout or _nothing()
    sys.stderr = sys.stderr or _nothing()
    ui = Ui(sys.stdout, sys.stderr, color=not os.environ.get("NO_COLOR"))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    try:
        # Without standalone mode click returns what a command returns, or the code of ctx.exit().
        code: Any = command_line.main(arguments, prog_name="coachwhip", obj=ui, standalone_mode=False)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  (the one handler)
        code = _explain(error, ui)
        _drop_output()
    return code if isinstance(code, int) else ExitCode.OK


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated(number)


def _explain(error: BaseException, ui: Ui) -> int:
    """Say what went wrong and return the exit code."""
    code: int
    match error:
        case CoachwhipError():
            ui.error(error)
            code = error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            ui.help(error.format_message())
            code = ExitCode.USAGE
        case click.UsageError():
            ui.failure(error.format_message().rstrip("."), hint=_usage_hint(error.ctx))
            code = ExitCode.USAGE
        case click.Abort() | KeyboardInterrupt():
            ui.failure("interrupted")
            code = ExitCode.INTERRUPTED
        case _Terminated():
            ui.failure(f"ended by {signal.Signals(error.number).name}")
            code = 128 + error.number
        case BrokenPipeError():
            code = 128 + signal.SIGPIPE
        case SystemExit():
            code = error.code if isinstance(error.code, int) else ExitCode.INTERNAL
        case _:
            from coachwhip.cli.crash import report_crash  # noqa: PLC0415  (hardly ever needed)

            report_crash(error, ui)
            code = ExitCode.INTERNAL
    return code


def _usage_hint(ctx: click.Context | None) -> str:
    path = ctx.command_path if ctx is not None else "coachwhip"
    return f"`{path} --help` shows how it is used"


def _nothing() -> TextIO:
    """Return what takes the place of a stream that was closed when the process began."""
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  (open as long as the process is)


def _drop_output() -> None:
    """Forget what could not be written to stdout: the interpreter would complain of it once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
