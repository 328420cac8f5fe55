"""The measuring tools: what they report, on figures made up here and on real processes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from bench.copies import proportional_memory
from bench.measure import Launcher, Program, measure_first, measure_warm
from bench.model import PLAIN, Result, Sample
from bench.plot import as_svg
from bench.report import as_json, as_markdown, ratio
from bench.tools import TOOLS

if TYPE_CHECKING:
    from pathlib import Path


def samples(*milliseconds: float) -> list[Sample]:
    return [Sample(ms / 1e3, ms / 1e3, 10_000_000, 500) for ms in milliseconds]


RESULTS = [
    Result(
        "hello", PLAIN, warm=samples(20, 22, 21), cold=samples(25, 26), second=samples(21, 20), shared=3e6
    ),
    Result("hello", "coachwhip", size=16_000_000, build=1.5, again=1.0, warm=samples(10, 12, 11), calls=180),
    Result("hello", "pex", failure="exit code 1: <no>"),
]


def test_ratio_is_between_minimums() -> None:
    assert ratio(RESULTS[1], RESULTS) == pytest.approx(0.5)
    assert ratio(RESULTS[2], RESULTS) is None


def test_table_has_a_row_for_each_tool_failures_included() -> None:
    table = as_markdown({"processor": "one"}, RESULTS, frozenset({PLAIN, "pex"}))
    assert "- processor: one\n" in table
    assert "| plain* | 20.0 | 21.0 | 1.00 | 25.5 | 1.25 | 20.0 | 10.0 | 3.0 | 500 |  |  |  |  |" in table
    assert "| coachwhip | 10.0 | 11.0 | 0.50 |  |  | 10.0 | 10.0 |  | 500 | 180 | 16.0 | 1.5 | 1.0 |" in table
    assert "| pex* | fails: exit code 1: <no> |" in table
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1


def test_json_keeps_every_sample() -> None:
    document = json.loads(as_json({}, RESULTS))
    assert [sample["wall"] for sample in document["results"][0]["warm"]] == [0.020, 0.022, 0.021]


def test_plot_is_well_formed_and_a_shorter_bar_is_faster() -> None:
    root = ET.fromstring(as_svg(RESULTS))  # noqa: S314  (made right here)
    bars = {
        bar.get("class"): float(bar.get("width", "0"))
        for bar in root.iter("{http://www.w3.org/2000/svg}rect")
    }
    assert set(bars) == {"plain", "ours"}
    assert bars["ours"] < bars["plain"]


def test_every_tool_has_its_own_name() -> None:
    assert [tool.name for tool in TOOLS.values()] == list(TOOLS)


def test_real_processes_are_measured(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path)
    slow = Program(["/bin/sleep", "0.05"], tmp_path / "home", tmp_path)
    (warm,) = measure_warm(launcher, [slow], 2)
    assert all(0.05 <= sample.wall < 5 for sample in warm)
    # Less than any Python: the memory of who measures is not in it.
    assert all(0 < sample.peak < 8_000_000 for sample in warm)
    with pytest.raises(RuntimeError, match="ended with status 1"):
        measure_warm(launcher, [Program(["/bin/false"], tmp_path / "home", tmp_path)], 1)


def test_system_calls_are_counted_children_included(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path)

    def calls(*command: str) -> int:
        return launcher.count_calls(Program(command, tmp_path / "home", tmp_path))

    once = calls("/usr/bin/env", "true")
    assert 10 < once < 500
    assert calls("/usr/bin/env", "true") == once
    # env(1) becomes the program that it is given; a shell starts it and waits.
    assert calls("/bin/sh", "-c", "env true; env true; :") > 2 * once
    # What it gets, it gets: signals are passed on.
    assert calls("/bin/sh", "-c", "trap 'exit 0' USR1; kill -USR1 $$; exit 1")
    with pytest.raises(RuntimeError, match="ended with status 1"):
        calls("/bin/false")


def test_first_starts_find_an_empty_home_and_second_ones_do_not(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = f"test -e $HOME/seen; echo $? >> {log}; : > $HOME/seen"
    program = Program(["/bin/sh", "-c", script], tmp_path / "home", tmp_path)
    first, second = measure_first(Launcher(tmp_path), program, 2)
    assert (len(first), len(second)) == (2, 2)
    assert log.read_text().split() == ["1", "0", "1", "0"]


def test_copies_share_memory(tmp_path: Path) -> None:
    program = Program(["/bin/echo", "held up"], tmp_path / "home", tmp_path)
    one, many = (proportional_memory(program, copies) for copies in (1, 20))
    assert 0 < many < one
    with pytest.raises(RuntimeError, match="ended before it printed"):
        proportional_memory(Program(["/bin/true"], tmp_path / "home", tmp_path), 1)
