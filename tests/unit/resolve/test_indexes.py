from __future__ import annotations

from pathlib import Path

import pytest

from coachwhip.resolve.indexes import PipIndexes, index_arguments, parse_pip, pip_files, uv_has_indexes
from coachwhip.resolve.model import Options


def test_pip_files_later_ones_win() -> None:
    files = pip_files({"HOME": "/home/me", "PIP_CONFIG_FILE": "/x/pip.conf"})
    assert files[-1] == Path("/x/pip.conf")
    assert files.index(Path("/etc/pip.conf")) < files.index(Path("/home/me/.config/pip/pip.conf"))
    assert pip_files({"HOME": "/home/me", "PIP_CONFIG_FILE": "/dev/null"}) == ()


def test_pips_settings() -> None:
    texts = [
        "[global]\nindex-url = https://old.example/simple\n",
        "[global]\nindex_url = https://mirror.example/simple\nextra-index-url =\n  https://a.example\n  file:///b\n",
        "broken",
        "[install]\nfind-links = /wheels\nno-index = yes\n",
    ]
    found = parse_pip(texts, {"PIP_TRUSTED_HOST": "a.example", "PIP_FIND_LINKS": "/mine"})
    assert found == PipIndexes(
        index_url="https://mirror.example/simple",
        extra=("https://a.example", "file:///b"),
        find_links=("/mine",),
        no_index=True,
        trusted=("a.example",),
    )
    assert parse_pip([], {}) == PipIndexes()


@pytest.mark.parametrize(
    ("environ", "document", "expected"),
    [
        ({}, "", False),
        ({"UV_INDEX": "https://x.example"}, "", True),
        ({"UV_INDEX": ""}, "", False),
        ({}, 'index-url = "https://x.example"', True),
        ({}, '[[tool.uv.index]]\nurl = "https://x.example"', True),
        ({}, "[tool.uv.pip]\nno-index = true", True),
        ({}, "[tool.uv]\nmanaged = false", False),
        ({}, "[project]\nname = 'index'", False),
        ({}, "not toml", False),
    ],
)
def test_uv_has_its_own(environ: dict[str, str], document: str, *, expected: bool) -> None:
    assert uv_has_indexes(environ, [document]) is expected


def test_arguments() -> None:
    pip = PipIndexes("https://mirror.example", ("file:///b",), ("/wheels",), no_index=False, trusted=("h",))
    assert index_arguments(Options(index=("https://mine.example",)), pip) == [
        "--default-index", "https://mirror.example",
        "--index", "https://mine.example",
        "--index", "file:///b",
        "--find-links", "/wheels",
        "--index-strategy", "unsafe-best-match",
        "--allow-insecure-host", "h",
    ]  # fmt: skip
    options = Options(default_index="https://other.example", no_index=True, find_links=("/x",))
    assert index_arguments(options, PipIndexes(index_url="https://mirror.example")) == [
        "--default-index", "https://other.example",
        "--find-links", "/x",
        "--no-index",
    ]  # fmt: skip
