"""Snapshots: the state of a started program, made at build time, that later starts go on with."""

from coachwhip.snapshot.bake import bake, check
from coachwhip.snapshot.choose import choose
from coachwhip.snapshot.model import Baked, Choice, LeftOut, Module, Note
from coachwhip.snapshot.plan import decode_plan, encode_plan

__all__ = [
    "Baked",
    "Choice",
    "LeftOut",
    "Module",
    "Note",
    "bake",
    "check",
    "choose",
    "decode_plan",
    "encode_plan",
]
