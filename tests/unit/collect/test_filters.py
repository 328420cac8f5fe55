from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.collect.filters import matches, relative_path


@pytest.mark.parametrize(
    ("path", "relative"),
    [
        ("lib/python3.13/site-packages/numpy/__init__.py", "numpy/__init__.py"),
        ("lib/python3.13/json/decoder.py", "json/decoder.py"),
        ("bin/http", "bin/http"),
        ("lib/other/x", "lib/other/x"),
        ("share/lib/python3.13/x", "share/lib/python3.13/x"),
    ],
)
def test_relative_path(path: str, relative: str) -> None:
    assert relative_path(path) == relative


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (
            "tkinter",
            ["tkinter/__init__.py", "tkinter/x/y.gif", "tkinter.py"],
            ["a/tkinter/x.py", "tkinter2.py"],
        ),
        (
            "numpy.tests",
            ["numpy/tests/__init__.py", "numpy/tests/data/x.csv"],
            ["numpy/linalg/tests/x.py", "tests/x.py", "numpy/tests-1.csv"],
        ),
        ("**.tests", ["tests/x.py", "numpy/tests/x.py", "a/b/tests/x", "a/tests.py"], ["a/testsuite/x.py"]),
        ("numpy.*.tests", ["numpy/linalg/tests/x.py"], ["numpy/tests/x.py", "numpy/a/b/tests/x.py"]),
        ("_test*", ["_testcapi.py", "_testcapi.cpython-313-x86_64-linux-gnu.so"], ["x/_testcapi.py"]),
        (
            "pkg.mod",
            ["pkg/mod.py", "pkg/mod.pyi", "pkg/mod.abi3.so", "pkg/mod/x"],
            ["pkg/mod.txt", "pkg/mode.py"],
        ),
        ("click*", ["click/core.py"], ["click-8.1.dist-info/METADATA"]),
        ("*.pyi", ["a.pyi", "a/b/c.pyi"], ["a.py", "a.pyi/x"]),
        ("*.so.debug", ["a/b.so.debug"], ["a/b.so"]),
        (
            "numpy/_core/include",
            ["numpy/_core/include/x.h"],
            ["numpy/_core/includes/x.h", "x/numpy/_core/include"],
        ),
        ("numpy/_core/include/", ["numpy/_core/include/x.h"], ["numpy/_core/x.h"]),
        ("**/*.po", ["x.po", "a/b/x.po"], ["a/x.pot"]),
        ("**/locale/*/LC_MESSAGES/*.po", ["a/locale/de/LC_MESSAGES/x.po"], ["a/locale/LC_MESSAGES/x.po"]),
        ("share/**", ["share/a", "share/b/c"], ["shared/a", "share"]),
        ("click-?.?.dist-info/RECORD", ["click-8.1.dist-info/RECORD"], ["click-8.10.dist-info/RECORD"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in yes if not matches(pattern, path)] == []
    assert [path for path in no if matches(pattern, path)] == []


@given(st.text(min_size=1), st.text())
def test_any_pattern_is_a_pattern(pattern: str, path: str) -> None:
    assert matches(pattern, path) in (True, False)


@given(st.lists(st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True), min_size=1, max_size=4))
def test_a_dotted_name_matches_its_module_and_everything_below(parts: list[str]) -> None:
    name, path = ".".join(parts), "/".join(parts)
    assert matches(name, f"{path}.py")
    assert matches(name, f"{path}/__init__.py")
    assert matches(name, f"{path}/data/file.bin")
    assert not matches(name, f"0/{path}.py")
