"""Reference pages are true: generated ones are fresh, the others name all there is."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from coachwhip.errors import ExitCode

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.mark.parametrize("name", ["command-line", "configuration"])
def test_generated_page_is_fresh(name: str) -> None:
    writer = DOCS / "reference" / f"{name}.py"
    page: str = runpy.run_path(str(writer))["page"]()
    assert writer.with_suffix(".md").read_text(encoding="utf-8") == page, f"run: python {writer}"


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ")][2:]
    assert [(int(code), name.strip(" `")) for code, name in rows] == [
        (code.value, code.name) for code in ExitCode
    ]
