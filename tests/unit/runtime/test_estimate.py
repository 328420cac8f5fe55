from __future__ import annotations

import pytest

from coachwhip.runtime.estimate import Pace, Step

SERIAL = Step("serial", "Serial", 30, 0)
SHARED = Step("shared", "Shared", 100, 1)


def test_only_the_shared_part_gets_faster_with_processors() -> None:
    assert Pace(2).seconds(SERIAL, SHARED) == pytest.approx(130)
    assert Pace(4).seconds(SERIAL, SHARED) == pytest.approx(80)
    assert Pace(1).seconds(SERIAL, SHARED) == pytest.approx(230)


def test_the_estimate_learns_from_finished_steps() -> None:
    pace = Pace(2)

    pace.learn(SERIAL, 60)

    assert pace.seconds(SHARED) == pytest.approx(200)
