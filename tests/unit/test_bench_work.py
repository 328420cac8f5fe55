"""Measuring work after the start: what is reported, on figures made up here; and the programs themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.work.model import PLAIN, VARIANTS, Figure, Program, load
from bench.work.product import importable
from bench.work.report import as_markdown, first, least, mean, median, ratio

INSIDE = Path(__file__).resolve().parents[2] / "bench" / "work" / "inside"

FIGURES = {
    PLAIN: Figure([[0.20, 0.10, 0.12], [0.22, 0.11, 0.13]], 1000),
    "product": Figure([[0.30, 0.12, 0.11], [0.33, 0.10, 0.13]], 1010),
}


def test_measures_tell_first_values_from_others() -> None:
    assert least(FIGURES["product"]) == pytest.approx(0.10)
    assert median(FIGURES["product"]) == pytest.approx(0.115)
    assert first(FIGURES["product"]) == pytest.approx(0.315)


def test_ratio_needs_both_sides() -> None:
    assert ratio(FIGURES, "product", first) == pytest.approx(1.5)
    assert ratio(FIGURES, "no snapshot", first) is None
    assert ratio({"product": FIGURES["product"]}, "product", first) is None


def test_mean_is_geometric_and_leaves_out_what_is_missing() -> None:
    assert mean([0.5, None, 2.0]) == pytest.approx(1.0)
    assert mean([None]) is None


def test_table_has_a_row_for_each_program_and_the_mean() -> None:
    table = as_markdown({"chaos": FIGURES, "go": {PLAIN: Figure(), "product": Figure()}})
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
    assert "| chaos | 100 | 1.000 | 1.000 | 1.500 | 1.010 |" in table
    assert rows[-1].startswith("| **geometric mean** |")
    assert "1.500" in rows[-1]


def test_programs_of_both_products_are_listed() -> None:
    programs = load()
    assert programs["pickle_pure_python"] == Program(
        "pickle_pure_python", "bm_pickle", ("--pure-python", "pickle"), "pure"
    )
    assert programs["groups"].product == "native"
    own = {program.module for program in programs.values() if program.module.startswith("own_")}
    assert own == {path.stem for path in INSIDE.glob("own_*.py")}


def test_variants_start_products() -> None:
    assert PLAIN not in VARIANTS
    assert VARIANTS["product"] == {}


@pytest.mark.parametrize("name", [name for name, program in load().items() if program.module == "own_python"])
def test_own_programs_do_their_work(name: str) -> None:
    code = (
        "import pyperf, runpy; pyperf.Runner.plan = (1, 2); runpy.run_module('own_python', None, '__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name], cwd=INSIDE, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert (found["name"], found["loops"], len(found["values"])) == (name, 1, 2)


def test_the_main_part_of_a_program_becomes_a_text() -> None:
    text = "import x\n\n\nif __name__ == '__main__':\n    x.run()\n"
    assert importable(text) == "import x\n\n\nMAIN_PART = 'x.run()\\n'\n"
    with pytest.raises(ValueError, match="no main part"):
        importable("import x\n")
