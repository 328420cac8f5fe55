"""Products start from their snapshots wherever they run, not only where they were built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.portability.circumstances import CIRCUMSTANCES
from tests.portability.examples import HELLO, SCI, Example

if TYPE_CHECKING:
    from tests.portability.machine import Circumstances, Machine

pytestmark = [pytest.mark.product, pytest.mark.root]

#: Where native libraries can't be mapped, as the program's file can't be opened.
WITHOUT_A_FILE = "started through a descriptor, no /proc"


def asking(circumstances: Circumstances) -> Circumstances:
    return replace(circumstances, environment={**circumstances.environment, "COACHWHIP_WHY": "1"})


@pytest.mark.parametrize("example", [HELLO, SCI], ids=str)
@pytest.mark.parametrize("name", CIRCUMSTANCES)
def test_it_starts_from_its_snapshot(machine: Machine, name: str, example: Example) -> None:
    outcome = machine.having(asking(CIRCUMSTANCES[name])).run(*example.command)
    assert (outcome.code, outcome.output) == (0, example.output)
    if (name, example) == (WITHOUT_A_FILE, SCI):
        assert outcome.errors.endswith("started without a snapshot: the program's file can't be found\n")
    else:
        assert outcome.errors.endswith(": started from its snapshot\n")
