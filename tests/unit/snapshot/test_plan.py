"""The plan that a product's snapshot was made by, as it is kept in the product."""

from __future__ import annotations

import base64
import json

import pytest

from coachwhip.errors import ImageError
from coachwhip.model import SnapshotWish
from coachwhip.snapshot import Baked, Choice, LeftOut, encode_plan, planned_wish
from coachwhip.snapshot.model import Ending

CHOICE = Choice(
    ("b", "a"),
    (LeftOut("clock", "asks for the time", "clock.py:3"), LeftOut("user", "imports clock", "", "clock")),
    ("A_DEBUG",),
)
WISH = SnapshotWish(train=(("--help",), ()), allow=("x",), deny=("y.z",), gate=("G",), rebake=False)


def test_what_was_wished_is_read_as_it_was_written() -> None:
    for wish in (WISH, SnapshotWish()):
        assert planned_wish(encode_plan(Baked(b"", CHOICE, wish, b"", ()))) == wish


def test_it_has_what_the_product_itself_reads() -> None:
    plan = json.loads(encode_plan(Baked(b"memory", CHOICE, WISH, b"\xe3code", (Ending(0, b""),))))
    assert plan["modules"] == ["b", "a"]
    assert plan["left_out"] == ["clock", "user"]
    assert plan["gates"] == ["A_DEBUG"]
    assert base64.b64decode(plan["deferred"]) == b"\xe3code"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"wish":1}', b'{"wish":{"no":1}}', b"\xff"])
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        planned_wish(data)
