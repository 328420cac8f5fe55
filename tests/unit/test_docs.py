"""Documentation hangs together: every link leads somewhere, every page is listed by its folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted(
    [*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("examples/*/*.md"), ROOT / "bench/README.md"]
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link for link in _LINK.findall(text) if "://" not in link and not link.startswith("#")]
    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("folder", ["how-to", "reference", "explanation", "decisions", "tutorial"])
def test_every_page_is_listed_by_its_folder(folder: str) -> None:
    index = ROOT / "docs" / folder / "README.md"
    listed = set(_LINK.findall(index.read_text(encoding="utf-8")))
    assert {page.name for page in index.parent.glob("*.md") if page != index} - listed == set()


def test_continuous_integration_runs_the_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    build = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/coachwhip build examples/myapp\n"
    for command in (build, "dist/myapp run\n", "\nscripts/test\n"):
        assert command in readme
        assert command in script
