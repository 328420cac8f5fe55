"""The examples in a Debian 11 without Python, in all kinds of circumstances."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.portability.circumstances import CIRCUMSTANCES
from tests.portability.examples import EXAMPLES, Example
from tests.portability.machine import Machine, Outcome
from tests.portability.roots import EXTRA_SUITES, debian

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.product, pytest.mark.root]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.parametrize("name", CIRCUMSTANCES)
def test_it_does_what_it_does_anywhere(machine: Machine, name: str, example: Example) -> None:
    outcome = machine.having(CIRCUMSTANCES[name]).run(*example.command)
    assert outcome == Outcome(0, example.output, "")


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_closed_standard_streams(machine: Machine, closed: tuple[int, ...]) -> None:
    """As with `python`: what is printed to nowhere is lost, and nothing else lands in its place."""
    shut = replace(machine.circumstances, closed=closed)
    for example in EXAMPLES[:2]:
        outcome = machine.having(shut).run(*example.command)
        assert outcome == Outcome(0, "" if 1 in closed else example.output, "")


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.parametrize("suite", EXTRA_SUITES)
def test_other_systems(products: Path, suite: str, example: Example) -> None:
    outcome = Machine(debian(suite), products).run(*example.command)
    assert outcome == Outcome(0, example.output, "")
