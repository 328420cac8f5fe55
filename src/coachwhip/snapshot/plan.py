"""What a product needs to make its snapshot again, as bytes: the plan at the snapshot's end. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple
from typing import Any

from coachwhip.errors import ImageError
from coachwhip.model import SnapshotWish
from coachwhip.snapshot.model import Choice, LeftOut, Note

__all__ = ["decode_plan", "encode_plan"]


def encode_plan(choice: Choice, wish: SnapshotWish) -> bytes:
    """Return canonical JSON; `FORMAT.md` describes it.

    Args:
        choice: what is in the snapshot.
        wish: what the app's configuration says.
    """
    plan = {
        "modules": choice.modules,
        "left_out": [(left.name, left.reason, left.place, left.because) for left in choice.left_out],
        "gates": choice.gates,
        "waiting": {name: [astuple(note) for note in notes] for name, notes in choice.waiting.items()},
        "deferred": choice.deferred,
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
        waiting = {
            name: tuple(Note(*_frozen(note)) for note in notes) for name, notes in plan["waiting"].items()
        }
        modules, gates = _frozen(plan["modules"]), _frozen(plan["gates"])
        return Choice(modules, left_out, gates, waiting, str(plan["deferred"])), SnapshotWish(**wish)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError("the plan in the product's snapshot is damaged") from error


def _frozen(value: Any) -> Any:  # noqa: ANN401  (whatever JSON has)
    """Make tuples of lists, which JSON has in their place."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
