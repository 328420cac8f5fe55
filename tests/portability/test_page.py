"""The page about where products run names what is run, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.portability.circumstances import CIRCUMSTANCES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "portability.md"


def test_the_page_lists_the_circumstances() -> None:
    text = PAGE.read_text(encoding="utf-8").partition("## Circumstances")[2]
    assert [line[2:] for line in text.splitlines() if line.startswith("- ")] == list(CIRCUMSTANCES)
