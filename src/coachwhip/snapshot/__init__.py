"""Snapshots: the state of a started program, made at build time, that later starts go on with."""

from coachwhip.snapshot.bake import bake, check
from coachwhip.snapshot.choose import ONLY_LOOKING, choose, in_words
from coachwhip.snapshot.model import Baked, Choice, LeftOut, Module, Note
from coachwhip.snapshot.plan import encode_plan, planned_wish

__all__ = [
    "ONLY_LOOKING",
    "Baked",
    "Choice",
    "LeftOut",
    "Module",
    "Note",
    "bake",
    "check",
    "choose",
    "encode_plan",
    "in_words",
    "planned_wish",
]
