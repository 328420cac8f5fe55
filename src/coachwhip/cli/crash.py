"""What the user sees when the fault is ours: a short message, and a file with everything in it."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import coachwhip
from coachwhip.cli.ui import Verbosity

if TYPE_CHECKING:
    from coachwhip.cli.ui import Ui

__all__ = ["report_crash"]


def report_crash(error: BaseException, ui: Ui) -> None:
    """Write the traceback to a file (with `-v` also to the terminal) and say where it is."""
    trace = "".join(traceback.format_exception(error))
    summary = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    report = (
        f"coachwhip {coachwhip.__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"arguments: {sys.argv[1:]}\n\n{trace}"
    )
    verbose = ui.verbosity is Verbosity.VERBOSE
    ui.failure(
        f"this is a fault of coachwhip itself, not of yours ({summary})",
        detail=trace if verbose else "",
        hint=_where(report),
    )


def _where(report: str) -> str:
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="coachwhip-error-", suffix=".txt", delete=False, encoding="utf-8"
        ) as stream:
            stream.write(report)
    except OSError:
        return "run the same command with -v to see the traceback"
    return f"please report it with the file {Path(stream.name)}"
