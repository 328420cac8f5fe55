"""The one error that users see: what happened, what to do next, and the exit code.

Library code raises `CoachwhipError` or one of its subclasses; only `coachwhip.cli` prints them.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "BuildError",
    "CoachwhipError",
    "ConfigError",
    "ExitCode",
    "ImageError",
    "InputError",
    "MachineError",
    "NetworkError",
    "ResolutionError",
    "RuntimeBuildError",
]


class ExitCode(IntEnum):
    """Exit codes of the `coachwhip` command; documented in `docs/reference/exit-codes.md`."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    INPUT = 3
    CONFIG = 4
    RESOLUTION = 5
    NETWORK = 6
    BUILD = 7
    RUNTIME = 8
    IMAGE = 9
    ENVIRONMENT = 10
    INTERRUPTED = 130


class CoachwhipError(Exception):
    """An error to be shown to the user as it is.

    Args:
        message: what happened and where, one sentence, no full stop at its end.
        hint: what to do next; empty when there is nothing sensible to say.
        detail: text of another tool (a resolver's explanation, a compiler's output), shown as it is.
    """

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class InputError(CoachwhipError):
    """What the user pointed at can't be built: wrong path, no entry point, a syntax error."""

    exit_code = ExitCode.INPUT


class ConfigError(CoachwhipError):
    """`[tool.coachwhip]` or an option has an unknown key or an impossible value."""

    exit_code = ExitCode.CONFIG


class ResolutionError(CoachwhipError):
    """Requirements that contradict each other, or that the target can't have."""

    exit_code = ExitCode.RESOLUTION


class NetworkError(CoachwhipError):
    """An index or a source could not be reached."""

    exit_code = ExitCode.NETWORK


class BuildError(CoachwhipError):
    """A wheel, an extension module or the stub could not be built."""

    exit_code = ExitCode.BUILD


class RuntimeBuildError(CoachwhipError):
    """A runtime could not be built, or did not pass its gates."""

    exit_code = ExitCode.RUNTIME


class ImageError(CoachwhipError):
    """A product is damaged, truncated, or of a format that this version does not read."""

    exit_code = ExitCode.IMAGE


class MachineError(CoachwhipError):
    """The building machine is in the way: disk full, no permission, no cache directory."""

    exit_code = ExitCode.ENVIRONMENT
