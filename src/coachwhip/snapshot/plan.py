"""What a product needs to make its snapshot again, as bytes: the plan at the snapshot's end. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple
from typing import Any

from coachwhip.errors import ImageError
from coachwhip.model import SnapshotWish
from coachwhip.snapshot.model import Choice, LeftOut

__all__ = ["decode_plan", "encode_plan"]


def encode_plan(choice: Choice, wish: SnapshotWish) -> bytes:
    """Return canonical JSON; `FORMAT.md` describes it.

    Args:
        choice: what is in the snapshot.
        wish: what the app's configuration says.
    """
    plan = {
        "modules": choice.modules,
        "left_out": [astuple(left) for left in choice.left_out],
        "gates": choice.gates,
        "wish": asdict(wish),
    }
    return json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()


def decode_plan(data: bytes) -> tuple[Choice, SnapshotWish]:
    """Read a plan.

    Raises:
        ImageError: it is none.
    """
    try:
        plan: dict[str, Any] = json.loads(data)
        wish = {name: _frozen(value) for name, value in plan["wish"].items()}
        left_out = tuple(LeftOut(*map(str, left)) for left in plan["left_out"])
        return Choice(_frozen(plan["modules"]), left_out, _frozen(plan["gates"])), SnapshotWish(**wish)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError("the plan in the product's snapshot is damaged") from error


def _frozen(value: Any) -> Any:  # noqa: ANN401  (whatever JSON has)
    """Make tuples of lists, which JSON has in their place."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
