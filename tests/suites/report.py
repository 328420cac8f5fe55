"""The page that shows what has been run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.suites.compare import counts, differences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.suites.model import Run, Suite

__all__ = ["page"]

_HEAD = """\
# Test suites of packages inside products

The tests of well-known packages, run inside products that hold the package, pytest and what the tests need:
built with default settings, started from their snapshots, native libraries mapped. Beside them the same
versions in a virtual environment of a plain interpreter made of the same runtime. Every test is compared.

    python -m tests.suites [NAME ...] --page docs/reference/suites.md

builds and runs all of this again and writes this page; it needs the package index. The tests come with the
wheel (numpy, pandas) or from the package's source archive. What is run stands in `tests/suites/suites.toml`.

| suite | tests | plain: passed, failed, skipped | product: passed, failed, skipped | different |
| --- | ---: | ---: | ---: | ---: |
"""

_TAIL = """\

*failed* are those that fail with the same versions in a plain interpreter, too, for want of a network or of
something else on the machine; *skipped* includes what is expected to fail.
"""


def page(compared: Sequence[tuple[Suite, Mapping[str, Run]]]) -> str:
    """Return the page in Markdown."""
    lines = [_HEAD.rstrip("\n")]
    lines += [_row(suite, runs) for suite, runs in compared]
    lines += [_TAIL, "## What was run", ""]
    lines += [line for suite, runs in compared for line in _contents(suite, runs)]
    lines += ["", "## What differs", ""]
    found = [line for suite, runs in compared for line in _differing(suite, runs)]
    lines += (
        ["| suite | test | plain | product | reason |", "| --- | --- | --- | --- | --- |"] if found else []
    )
    lines += found or ["Nothing."]
    return "\n".join(lines) + "\n"


def _row(suite: Suite, runs: Mapping[str, Run]) -> str:
    cells = [suite.package.replace("==", " "), f"{len(runs['plain'].outcomes):,}"]
    cells += [_figures(runs[side]) for side in ("plain", "product")]
    return f"| {' | '.join(cells)} | {len(differences(suite, runs))} |"


def _figures(run: Run) -> str:
    found = counts(run)
    failed = found["failed"] + found["error"]
    skipped = found["skipped"] + found["xfailed"] + found["xpassed"]
    return f"{found['passed']:,}, {failed:,}, {skipped:,}"


def _contents(suite: Suite, runs: Mapping[str, Run]) -> list[str]:
    tests = ", ".join(f"`{test}`" for test in suite.tests)
    options = f" with `{' '.join(suite.arguments)}`" if suite.arguments else ""
    others = ", ".join(f"{name} {version}" for name, version in sorted(runs["product"].versions.items()))
    return [f"- **{suite.name}**: {tests}{options}. The product holds {others}."]


def _differing(suite: Suite, runs: Mapping[str, Run]) -> list[str]:
    rows = []
    for one in differences(suite, runs):
        test = one.test.replace("|", "/")
        rows.append(f"| {suite.name} | `{test}` | {one.plain.kind} | {one.product.kind} | {one.reason} |")
    return rows
