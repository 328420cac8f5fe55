"""When two runs of a program count as the same."""

from __future__ import annotations

import pytest

from coachwhip.snapshot.model import Ending


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"no tests ran in 0.02s\n", b"no tests ran in 0.00s\n"),
        (b"took 12 ms, 1 second", b"took 3 ms, 2 seconds"),
        (b"the same", b"the same"),
    ],
)
def test_how_long_something_took_does_not_count(one: bytes, other: bytes) -> None:
    assert Ending(0, one).agrees(Ending(0, other))
    assert not Ending(0, one).agrees(Ending(1, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [(b"version 0.02", b"version 0.03"), (b"5 sessions", b"6 sessions"), (b"pid 7", b"pid 8"), (b"a", b"b")],
)
def test_all_else_counts(one: bytes, other: bytes) -> None:
    assert not Ending(0, one).agrees(Ending(0, other))


def test_what_a_run_failed_with_is_its_last_word() -> None:
    printed = b"a\nTraceback (most recent call last):\n  File ...\n    x\nNameError: no x\nb\n"
    assert Ending(1, printed).fault() == "NameError: no x"
    assert not Ending(0, printed).fault()
    assert not Ending(1, b"usage: app\n").fault()
    assert not Ending(None, b"").fault()
