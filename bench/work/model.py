"""What is measured, in which ways of starting, and what comes of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["PLAIN", "VARIANTS", "Figure", "Program", "load"]

#: Name of the baseline: the runtime's own interpreter.
PLAIN = "plain"
#: Way to start a product -> variables for it.
VARIANTS = {
    "product": {},
    "no snapshot": {"COACHWHIP_SNAPSHOT": "0"},
    "no snapshot, unpacked": {"COACHWHIP_SNAPSHOT": "0", "COACHWHIP_MAP_LIBRARIES": "0"},
}
#: Sections of programs with native libraries: below valgrind a product that has some in its snapshot does not
#: start from it.
_NATIVE = ("pyperformance_native", "own_science")

_TABLE = Path(__file__).with_name("programs.toml")


@dataclass(frozen=True)
class Program:
    """A program to measure.

    Attributes:
        name: as shown.
        module: where it is.
        arguments: what it is started with.
        product: the product that it is part of, `pure` or `native`.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    product: str


@dataclass
class Figure:
    """What one program took in one way of starting.

    Attributes:
        times: processor seconds for the same work; of each process the values in their order.
        instructions: for that work, counted by callgrind; None when not counted.
    """

    times: list[list[float]] = field(default_factory=list)
    instructions: int | None = None


def load(path: Path = _TABLE) -> dict[str, Program]:
    """Return all programs by name."""
    found = {}
    for section, programs in tomllib.loads(path.read_text(encoding="utf-8")).items():
        product = "native" if section in _NATIVE else "pure"
        for name, line in programs.items():
            words = line.split()
            if section.startswith("pyperformance"):
                found[name] = Program(name, f"bm_{words[0]}", tuple(words[1:]), product)
            else:
                found[name] = Program(name, section, tuple(words), product)
    return found
