"""How long the steps of a runtime's build take on this machine. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Pace", "Step"]

#: The machine that the durations in `recipes.toml` and below were measured on had this many processors.
_MEASURED_ON = 2
_MOST_USEFUL = 16


@dataclass(frozen=True)
class Step:
    """One step of a build.

    Attributes:
        name: short name, used for logs and to resume.
        title: for people.
        seconds: how long it took where it was measured.
        parallel: the part of that which is shared by all processors, 0 to 1.
    """

    name: str
    title: str
    seconds: float
    parallel: float


@dataclass
class Pace:
    """How fast this machine is, learned from the steps that are done.

    Attributes:
        cpus: processors of this machine.
    """

    cpus: int
    _expected: float = field(default=0.0, init=False)
    _actual: float = field(default=0.0, init=False)

    def seconds(self, *steps: Step) -> float:
        """Return how long steps will take."""
        return sum(self._unscaled(step) for step in steps) * self._factor

    def learn(self, step: Step, seconds: float) -> None:
        """Take into account how long a step took."""
        self._expected += self._unscaled(step)
        self._actual += seconds

    @property
    def _factor(self) -> float:
        return self._actual / self._expected if self._expected else 1.0

    def _unscaled(self, step: Step) -> float:
        speedup = min(self.cpus, _MOST_USEFUL) / _MEASURED_ON
        return step.seconds * (1 - step.parallel + step.parallel / speedup)
