from __future__ import annotations

import os

import pytest

from coachwhip.effects.process import Completed
from coachwhip.effects.uv import failure, run_uv
from coachwhip.errors import CoachwhipError, InputError, NetworkError, ResolutionError

UNREACHABLE = """error: Request failed after 3 retries in 9.5s
  cause: Failed to fetch: https://me:secret@index.example/simple/click/
  cause: dns error"""
CONFLICT = """error: No solution found when resolving dependencies
  cause: Because a>=1 depends on b>=2 and you require b<2, your requirements are unsatisfiable."""
OFFLINE = """error: No solution found when resolving dependencies
hint: Packages were unavailable because the network was disabled."""


FORBIDDEN = "error: HTTP status client error (403 Forbidden) for url (https://i.example/x)"
UNKNOWN = "error: Because zz was not found in the package registry"
UNPARSED = "error: Couldn't parse requirement in `-` at position 0"


@pytest.mark.parametrize(
    ("text", "kind", "message", "hint"),
    [
        (UNREACHABLE, NetworkError, "https://index.example/simple/click/ can't be reached", "--offline"),
        (FORBIDDEN, NetworkError, "https://i.example/x refuses access", "password"),
        (OFFLINE, NetworkError, "without the network", "--offline"),
        (CONFLICT, ResolutionError, "can't resolve", "exclude each other"),
        (UNKNOWN, ResolutionError, "can't resolve", "spelling"),
        (UNPARSED, InputError, "can't be understood", "name[extra]"),
    ],
)
def test_failures_are_told_apart(text: str, kind: type[CoachwhipError], message: str, hint: str) -> None:
    error = failure(Completed((), 1, "", text), "resolve the requirements")
    assert type(error) is kind
    assert message in error.message
    assert hint in error.hint
    assert error.detail == text
    assert "secret" not in error.message


def test_uv_runs_without_what_is_active_here() -> None:
    environ = {**os.environ, "UV_PYTHON": "/nowhere", "VIRTUAL_ENV": "/nowhere"}
    done = run_uv(["python", "find", "--system"], environ=environ)
    assert "/nowhere" not in done.stdout + done.stderr
    assert run_uv(["--version"], environ=os.environ).stdout.startswith("uv ")
