"""Prelinking: packaged libraries are relocated when a product is built, for their addresses in every run."""

from coachwhip.prelink.candidate import is_program
from coachwhip.prelink.model import Native, Prelinked
from coachwhip.prelink.outside import Outside, read_outside
from coachwhip.prelink.plan import prelink

__all__ = ["Native", "Outside", "Prelinked", "is_program", "prelink", "read_outside"]
