from __future__ import annotations

import marshal
import sys
import sysconfig
from pathlib import Path
from types import CodeType

import pytest

from coachwhip.collect.compiler import compile_modules, syntax_problems
from coachwhip.collect.worker import imported_names
from coachwhip.errors import BuildError, MachineError

PYTHON = Path(sys.executable)


def compiled(source: bytes, optimize: int = 0) -> CodeType:
    _, [result] = compile_modules(PYTHON, [("/__app__/m.py", source)], optimize=optimize, jobs=1)
    code = marshal.loads(result.code)  # noqa: S302
    assert isinstance(code, CodeType)
    return code


def names(source: str) -> set[str]:
    return set(imported_names(compile(source, "m", "exec")))


def test_code_has_the_given_file_name_all_the_way_down() -> None:
    code = compiled(b"def f():\n    return lambda: 1\n")
    seen, waiting = set(), [code]
    while waiting:
        item = waiting.pop()
        seen.add(item.co_filename)
        waiting += [constant for constant in item.co_consts if isinstance(constant, CodeType)]
    assert seen == {"/__app__/m.py"}


def test_the_level_of_optimisation_counts() -> None:
    for level, expected in ((0, (AssertionError, "doc")), (1, (None, "doc")), (2, (None, None))):
        space: dict[str, object] = {}
        try:
            exec(compiled(b"'doc'\ndef f(): assert False\n", level), space)  # noqa: S102
            space["f"]()  # type: ignore[operator]
            error = None
        except AssertionError:
            error = AssertionError
        assert (error, space.get("__doc__")) == expected


def test_no_future_statement_of_the_worker_leaks_into_modules() -> None:
    space: dict[str, object] = {}
    exec(compiled(b"def f(a: int): pass\nannotations = f.__annotations__\n"), space)  # noqa: S102
    assert space["annotations"] == {"a": int}


def test_the_same_modules_give_the_same_bytes_in_any_order_and_process() -> None:
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:120]
    assert len(paths) > 80
    modules = [(f"/__app__/{path.name}", path.read_bytes()) for path in paths]
    _, forward = compile_modules(PYTHON, modules, optimize=0, jobs=1)
    _, backward = compile_modules(PYTHON, modules[::-1], optimize=0, jobs=2)
    assert forward == backward[::-1]


def test_what_cannot_be_compiled_is_a_problem_and_no_error() -> None:
    sources = [b"print 'two'\n", b"x = '\0'\n", b"\xff\xfe", b"x = 1\n", b"# coding: klingon\n"]
    _, results = compile_modules(PYTHON, [("m", source) for source in sources], optimize=0, jobs=1)
    problems = [result.problem for result in results]
    assert [problem is None for problem in problems] == [False, False, False, True, False]
    assert problems[0] is not None
    assert problems[0].line == 1
    assert problems[0].text.strip() == "print 'two'"
    assert "parentheses" in problems[0].message


def test_an_encoding_declaration_is_honoured() -> None:
    space: dict[str, object] = {}
    exec(compiled("# coding: latin-1\nx = 'é'\n".encode("latin-1")), space)  # noqa: S102
    assert space["x"] == "é"


def test_a_pattern_of_lone_surrogates_is_left_to_the_program() -> None:
    source = b"import re\nre.compile('[\\ud800-\\udfff]')\nre.compile('a')\n"
    _, [result] = compile_modules(PYTHON, [("m", source)], optimize=0, jobs=1)
    assert result.problem is None
    assert [pattern.text for pattern in result.patterns] == [b"a"]


def test_a_module_that_no_compiler_survives_spoils_only_itself() -> None:
    monster = b"x = " + b"-" * 200_000 + b"1\n"
    _, results = compile_modules(
        PYTHON, [("a", b"x = 1"), ("b", monster), ("c", b"x = 2")], optimize=0, jobs=1
    )
    assert [result.problem is None for result in results] == [True, False, True]


def test_nothing_to_compile_still_tells_about_the_interpreter() -> None:
    about, results = compile_modules(PYTHON, [], optimize=0, jobs=4)
    assert results == []
    assert about.builtins == tuple(sorted(sys.builtin_module_names))
    assert "json" in about.stdlib


def test_an_interpreter_that_fails(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no library >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(BuildError, match="status 3") as caught:
        compile_modules(broken, [("m", b"")], optimize=0, jobs=1)
    assert caught.value.detail == "no library"
    broken.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(BuildError, match="middle of an answer"):
        compile_modules(broken, [("m", b"")], optimize=0, jobs=1)
    with pytest.raises(MachineError, match="can't run"):
        compile_modules(tmp_path / "none", [("m", b"")], optimize=0, jobs=1)


def test_problems_by_name() -> None:
    problems = syntax_problems(PYTHON, {"good.py": b"x = 1\n", "bad.py": b"x = 1\ndef f(:\n"})
    assert list(problems) == ["bad.py"]
    assert problems["bad.py"].line == 2


def test_import_statements_are_seen_wherever_they_stand() -> None:
    assert names("import json.decoder, requests\ndef f():\n    class C:\n        import ssl\n") == {
        "json.decoder",
        "ssl",
    }
    assert names("from os import path, sep\nfrom collections import *\n") == {
        "os",
        "os.path",
        "os.sep",
        "collections",
        "collections.*",
    }
    assert names("from . import a\nfrom ..b import c\nfrom click import d\n") == {".a", "..b", "..b.c"}


def test_import_statements_behind_many_constants_are_seen() -> None:
    many = "".join(f"x{number} = 'text {number}'\n" for number in range(600))
    assert names(f"{many}import zlib\nfrom bz2 import open\n") == {"zlib", "bz2", "bz2.open"}


def test_texts_and_dynamic_imports_are_told_apart() -> None:
    assert names("x = 'sqlite3'\ny = ('lzma', 'not.there')\nz = 'json text'\n") == {"=sqlite3", "=lzma"}
    assert names("from importlib import import_module\nimport_module('ssl')\n") == {
        "importlib",
        "importlib.import_module",
        "=ssl",
        "!",
    }
