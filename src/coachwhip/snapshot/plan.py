"""What a product needs to make its snapshot again, as bytes: the plan at the snapshot's end. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from coachwhip.errors import ImageError
from coachwhip.model import SnapshotWish

if TYPE_CHECKING:
    from coachwhip.snapshot.model import Baked

__all__ = ["encode_plan", "planned_wish"]


def encode_plan(baked: Baked) -> bytes:
    """Return the plan that a snapshot was made by, as canonical JSON; `FORMAT.md` describes it."""
    plan = {
        "modules": baked.choice.modules,
        "left_out": [left.name for left in baked.choice.left_out],
        "gates": baked.choice.gates,
        "deferred": base64.b64encode(baked.deferred).decode(),
        "wish": asdict(baked.wish),
    }
    return json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()


def planned_wish(plan: bytes) -> SnapshotWish:
    """Return what the configuration said when a plan was made.

    Raises:
        ImageError: it is no plan.
    """
    try:
        fields: dict[str, Any] = json.loads(plan)["wish"]
        return SnapshotWish(**{name: _frozen(value) for name, value in fields.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError("the plan in the product's snapshot is damaged") from error


def _frozen(value: Any) -> Any:  # noqa: ANN401  (whatever JSON has)
    """Make tuples of lists, which JSON has in their place."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
