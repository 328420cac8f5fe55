"""Comparing test suites: how outcomes are read, told apart and shown."""

from __future__ import annotations

import json

from tests.suites.compare import counts, differences, parse
from tests.suites.model import Outcome, Run, Suite, load
from tests.suites.report import page

SUITE = Suite(
    "box", ("box[more]==1.2", "pytest==9"), ("box",), ("tests",), explained={"::test_home": "no home"}
)


def lines(*entries: tuple[str, str, str]) -> list[str]:
    return [json.dumps(entry) + "\n" for entry in entries]


def run(**outcomes: str) -> Run:
    found = {f"tests/t.py::{name}": Outcome(kind) for name, kind in outcomes.items()}
    return Run(found, (0,), "started from its snapshot", {"box": "1.2"})


def test_the_worst_outcome_of_a_test_counts() -> None:
    found = parse(
        lines(("t::a", "passed", ""), ("t::a", "error", "at the end"), ("t::a", "passed", "")), "x "
    )
    assert found == {"x t::a": Outcome("error", "at the end")}


def test_a_line_that_was_cut_off_is_left_out() -> None:
    whole = lines(("t::a", "passed", ""))
    assert parse([*whole, '["t::b", "pas']) == {"t::a": Outcome("passed")}


def test_what_differs_from_run_to_run_is_taken_out_of_names() -> None:
    found = parse(
        lines(("t::a[/tmp/x1/source/b.py]", "passed", ""), ("t::c[<f at 0x7f00aa11>]", "passed", ""))
    )
    assert list(found) == ["t::a[*b.py]", "t::c[<f at *>]"]


def test_differences_name_the_reason_that_is_known() -> None:
    runs = {
        "plain": run(test_a="passed", test_home="passed", test_gone="passed"),
        "product": run(test_a="passed", test_home="failed", test_new="skipped"),
    }
    found = [(one.test, one.plain.kind, one.product.kind, one.reason) for one in differences(SUITE, runs)]
    assert found == [
        ("tests/t.py::test_gone", "passed", "absent", ""),
        ("tests/t.py::test_home", "passed", "failed", "no home"),
        ("tests/t.py::test_new", "absent", "skipped", ""),
    ]
    assert counts(runs["plain"]) == {"passed": 3}


def test_the_page_shows_figures_and_differences() -> None:
    runs = {
        "plain": run(test_a="passed", test_home="passed"),
        "product": run(test_a="passed", test_home="failed"),
    }
    text = page([(SUITE, runs)])
    assert "| box 1.2 | 2 | 2, 0, 0 | 1, 1, 0 | 1 |" in text
    assert "| box | `tests/t.py::test_home` | passed | failed | no home |" in text
    assert "Nothing." in page([(SUITE, {"plain": runs["plain"], "product": runs["plain"]})])


def test_every_suite_pins_what_it_needs() -> None:
    for suite in load().values():
        assert suite.tests
        assert all("==" in requirement for requirement in suite.requirements), suite.name
        assert "[" not in suite.package
