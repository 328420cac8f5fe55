"""Run uv, and say in this project's errors why it could not do what it was asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coachwhip.effects.process import Completed, run
from coachwhip.errors import CoachwhipError, InputError, MachineError, NetworkError, ResolutionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["failure", "run_uv"]

#: Settings of an active project or environment that must not leak into a resolution for a product.
_UNWANTED = frozenset(
    {
        "CONDA_PREFIX",
        "PYTHONHOME",
        "PYTHONPATH",
        "UV_COMPILE_BYTECODE",
        "UV_ISOLATED",
        "UV_PROJECT",
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_WORKING_DIR",
        "VIRTUAL_ENV",
    }
)

_OFFLINE = re.compile(r"network was disabled|network access is disabled|`--offline`", re.IGNORECASE)
_FORBIDDEN = re.compile(r"\b(?:401 Unauthorized|403 Forbidden|407 Proxy)", re.IGNORECASE)
_UNREACHABLE = re.compile(
    r"error sending request|dns error|Connection refused|Request failed after|timed out|Could not connect"
    r"|invalid peer certificate|HTTP status (?:client|server) error|Failed to fetch",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?)://[^\s`'\")]+")


def run_uv(
    args: Sequence[str | Path],
    *,
    environ: Mapping[str, str],
    cwd: Path | None = None,
    stdin: str | None = None,
    log: Path | None = None,
) -> Completed:
    """Run uv to its end; its failure is in the result and not raised.

    Args:
        args: subcommand and options.
        environ: the environment of the command; uv finds indexes, credentials and certificates there.
        cwd: working directory, from which uv looks for its configuration.
        stdin: text for its standard input.
        log: when given, what uv and its children write is appended there.

    Raises:
        MachineError: uv is not installed.
    """
    from uv import find_uv_bin  # noqa: PLC0415 - found only when uv is really needed

    try:
        executable = find_uv_bin()
    except FileNotFoundError as error:
        raise MachineError(
            "uv, which resolves and builds packages, is not installed beside coachwhip",
            hint="install it into the same environment: pip install uv",
        ) from error
    env = {name: value for name, value in environ.items() if name not in _UNWANTED}
    # A Python that uv would download is a Python for this machine, not the one of the product.
    # Its messages are read here, and shown in another place than a terminal of some width.
    env.pop("COLUMNS", None)
    env |= {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
    return run([executable, *args], cwd=cwd, env=env, stdin=stdin, log=log)


def failure(done: Completed, what: str) -> CoachwhipError:
    """Return the error to raise for a failed run of uv.

    Args:
        done: the finished process.
        what: what was attempted, `resolve the requirements`.
    """
    text = done.stderr.strip()
    if _OFFLINE.search(text):
        return NetworkError(
            f"can't {what} without the network: not everything that is needed is in the cache",
            hint="run once without --offline, or name a folder of wheels with --find-links",
            detail=text,
        )
    if _FORBIDDEN.search(text):
        return NetworkError(
            f"can't {what}: {_where(text)} refuses access",
            hint="check the user name and password of that index",
            detail=text,
        )
    # A resolution that failed for a reason of its own may still mention an address.
    if _UNREACHABLE.search(text) and "No solution found" not in text:
        return NetworkError(
            f"can't {what}: {_where(text)} can't be reached",
            hint="check the network and the configured indexes, or use --offline with what is cached",
            detail=text,
        )
    if "Couldn't parse requirement" in text or "Error while parsing" in text:
        return InputError(
            "a requirement can't be understood",
            hint="requirements look like `name`, `name[extra]>=1.2` or `name @ https://...`",
            detail=text,
        )
    return ResolutionError(f"can't {what}", hint=_hint(text), detail=text)


def _where(text: str) -> str:
    match = _ADDRESS.search(text)
    return "the package index" if match is None else re.sub(r"//[^/@]*@", "//", match[0])


def _hint(text: str) -> str:
    if "was not found in the package registry" in text:
        return "check the spelling of the name, and that the right index is configured"
    if "No solution found" in text:
        return "uv's explanation above says which requirements exclude each other"
    return ""
