"""click's own tests end inside a product as they do beside it: the quick one of the suites."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from coachwhip.cli.places import default_cache
from coachwhip.progress import Silent
from coachwhip.runtime import install_runtime
from tests.suites.compare import counts, differences
from tests.suites.model import SIDES, load
from tests.suites.run import run_side
from tests.suites.sides import make_sides
from tests.suites.source import unpack_source

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.product, pytest.mark.network]


def test_click_passes_its_tests_inside_a_product(tmp_path: Path) -> None:
    suite = load()["click"]
    runtime = install_runtime(None, cache=default_cache(), environ=os.environ, progress=Silent())
    sides = make_sides(suite, runtime, tmp_path / "made")
    source = unpack_source(suite.package, tmp_path)
    runs = {side: run_side(suite, sides, side, source, tmp_path) for side in SIDES}
    assert differences(suite, runs) == []
    assert counts(runs["product"])["passed"] > 2000
    assert runs["product"].snapshot == "started from its snapshot"
