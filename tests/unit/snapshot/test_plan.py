"""The plan that a product's snapshot was made by, as it is kept in the product."""

from __future__ import annotations

import json

import pytest

from coachwhip.errors import ImageError
from coachwhip.model import SnapshotWish
from coachwhip.snapshot import Choice, LeftOut, decode_plan, encode_plan

CHOICE = Choice(
    ("b", "a"),
    (
        LeftOut("clock", "asks for the time", "clock.py:3", kind="time"),
        LeftOut("user", "imports clock", "", "clock"),
    ),
    ("A_DEBUG",),
)
WISH = SnapshotWish(train=(("--help",), ()), allow=("x",), deny=("y.z",), gate=("G",), rebake=False)


def test_it_is_read_as_it_was_written() -> None:
    for choice, wish in ((CHOICE, WISH), (Choice((), (), ()), SnapshotWish())):
        assert decode_plan(encode_plan(choice, wish)) == (choice, wish)
    assert encode_plan(CHOICE, WISH) == encode_plan(CHOICE, WISH)


def test_it_has_what_the_product_itself_reads() -> None:
    plan = json.loads(encode_plan(CHOICE, WISH))
    assert plan["modules"] == ["b", "a"]
    assert [name for name, *_ in plan["left_out"]] == ["clock", "user"]
    assert plan["gates"] == ["A_DEBUG"]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"modules":1,"left_out":[],"gates":[],"wish":{"no":1}}', b"\xff"]
)
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        decode_plan(data)
