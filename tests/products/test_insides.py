"""The interpreter's own state inside a product: limits, collector, encodings, variables."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.products.building import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.products.building import Product

pytestmark = pytest.mark.product

ENCODINGS = """
    import locale, sys
    print(sys.stdin.encoding, sys.stdout.encoding, sys.stdout.errors, sys.stderr.encoding, sys.stderr.errors,
          sys.getfilesystemencoding(), sys.getfilesystemencodeerrors(), locale.getpreferredencoding(),
          locale.getlocale(), sys.flags.utf8_mode)
"""

#: By what an installation, an environment or an attacker changes what the plain interpreter does.
FOREIGN = {
    "PYTHONPATH": "{here}",
    "PYTHONHOME": "/nonexistent",
    "PYTHONSTARTUP": "{here}/start.py",
    "PYTHONINSPECT": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONHASHSEED": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONDEBUG": "1",
    "PYTHONVERBOSE": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONDEVMODE": "1",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "PYTHONTRACEMALLOC": "5",
    "PYTHONPROFILEIMPORTTIME": "1",
    "PYTHONMALLOC": "debug",
    "PYTHONMALLOCSTATS": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONPLATLIBDIR": "nothing",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUSERBASE": "{here}",
    "PYTHONEXECUTABLE": "/nonexistent",
    "PYTHONPYCACHEPREFIX": "{here}",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONINTMAXSTRDIGITS": "0",
    "PYTHONCOERCECLOCALE": "warn",
    "PYTHON_FROZEN_MODULES": "off",
    "PYTHONNODEBUGRANGES": "1",
}

STATE = """
    import faulthandler, gc, json, os, sys, sysconfig, tracemalloc, warnings
    print(json.dumps([
        repr(sys.flags), sys.path, sys.warnoptions, sys._xoptions,
        sys.stdout.encoding, sys.stdout.line_buffering, sys.pycache_prefix,
        sys.dont_write_bytecode, tracemalloc.is_tracing(), faulthandler.is_enabled(), gc.get_threshold(),
        sys.get_int_max_str_digits(), sys.prefix, sys.executable, sys.platlibdir,
        [str(each) for each in warnings.filters],
    ]))
"""


@pytest.mark.parametrize("name", FOREIGN)
def test_python_variables_change_nothing(probe: Product, tmp_path: Path, name: str) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    (tmp_path / "start.py").write_text("print('start')")
    value = FOREIGN[name].format(here=tmp_path)
    usual = probe.output(STATE)
    assert probe.output(STATE, env=environment(**{name: value})) == usual
    assert sorted(tmp_path.iterdir()) == [tmp_path / "json.py", tmp_path / "start.py"]


def test_hashes_are_random_without_a_snapshot_and_the_same_with_one(probe: Product) -> None:
    code = "print(hash('x'))"
    fresh = environment(PYTHONHASHSEED="1", COACHWHIP_SNAPSHOT="0")
    assert len({probe.output(code, env=fresh) for _ in range(4)}) > 1
    assert len({probe.output(code) for _ in range(4)}) == 1


def test_what_is_configured_is_honoured(configured: Product) -> None:
    code = "import sys; f = sys.flags; print(f.optimize, f.dev_mode, f.utf8_mode, sys.warnoptions, hash('x'))"
    variables = environment(PYTHONHASHSEED="0", LC_ALL="C", PYTHONWARNINGS="ignore::UserWarning")
    first, second = (configured.output(code, env=variables) for _ in range(2))
    assert first == second
    assert first.startswith("1 True 1 ['default', 'ignore::UserWarning', 'error::ResourceWarning']")


def test_a_configured_search_path(configured: Product, tmp_path: Path) -> None:
    (tmp_path / "from_outside.py").write_text("x = 1\n")
    variables = environment(PYTHONPATH=str(tmp_path))
    assert configured.output("import from_outside; print(from_outside.x)", env=variables) == "1\n"


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "C.UTF-8"},
        {"LANG": "C.UTF-8"},
        {"LC_CTYPE": "C"},
        {"LC_ALL": "de_DE.ISO-8859-1"},
        {"LC_ALL": "de_DE.UTF-8"},
        {"LANG": "nowhere_AT.ALL"},
    ],
    ids=str,
)
def test_encodings_are_those_of_the_locale(probe: Product, plain: Product, variables: dict[str, str]) -> None:
    without = {key: value for key, value in environment().items() if not key.startswith(("LC_", "LANG"))}
    chosen = {**without, **variables}
    # A product coerces no locale (PEP 538), so that programs it starts see the user's.
    expected = plain.output("-c", ENCODINGS, env={**chosen, "PYTHONCOERCECLOCALE": "0"})
    assert probe.output(ENCODINGS, env=chosen) == expected


def test_a_latin_locale(probe: Product, plain: Product, tmp_path: Path) -> None:
    made = subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", tmp_path / "de_DE.ISO-8859-1"],
        check=False,
        capture_output=True,
    )
    if made.returncode != 0:
        pytest.skip("this machine has no sources of locales")
    variables = environment(LC_ALL="de_DE.ISO-8859-1", LOCPATH=str(tmp_path))
    found = probe.output(ENCODINGS, env=variables)
    assert found == plain.output("-c", ENCODINGS, env=variables)
    assert "iso8859-1" in found.lower()
    done = subprocess.run([probe.path, "print('\\xe9')"], env=variables, capture_output=True, check=True)
    assert done.stdout == b"\xe9\n"


def test_every_encoding_can_be_used(probe: Product) -> None:
    code = """
        import codecs, encodings.aliases, json
        missing = []
        for name in sorted(set(encodings.aliases.aliases.values())):
            try:
                codecs.lookup(name)
            except LookupError:
                missing.append(name)
        print(json.dumps(missing))
    """
    # Those two are of Windows.
    assert set(probe.value(code)) <= {"mbcs", "oem"}


def test_the_collector_is_as_ever(probe: Product, plain: Product) -> None:
    code = "import gc; print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.garbage, gc.callbacks)"
    assert probe.output(code) == plain.output("-c", code) == "True (2000, 10, 10) 0 [] []\n"


def test_the_collector_collects(probe: Product) -> None:
    code = """
        import gc, weakref
        class Node:
            pass
        one = Node()
        one.itself = one
        gone = weakref.ref(one)
        del one
        for _ in range(20000):
            [[]].append(0)
            pair = []; pair.append(pair)
        print(gone() is None)
    """
    assert probe.output(code) == "True\n"


def test_deep_recursion_is_an_error_and_no_crash(probe: Product, plain: Product) -> None:
    code = """
        import json, sys, threading
        def deep(n):
            return deep(n + 1)
        def attempt():
            try:
                deep(0)
            except RecursionError as error:
                print(error)
            try:
                json.loads("[" * 100000)
            except RecursionError as error:
                print(type(error).__name__)
        print(sys.getrecursionlimit())
        attempt()
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    """
    assert probe.output(code) == plain.output("-c", code)


def test_large_stacks_of_threads(probe: Product) -> None:
    code = """
        import sys, threading
        sys.setrecursionlimit(100000)
        threading.stack_size(256 * 1024 * 1024)
        def down(n):
            return n and 1 + max([n - 1], key=lambda m: down(m)) * 0 + 0
        def run():
            print(down(1500))
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    """
    assert probe.output(code) == "1\n"


def test_flags_of_an_app(probe: Product, plain: Product) -> None:
    code = "import sys; print(sys.flags)"
    assert probe.output(code) == plain.output("-I", "-S", "-c", code)
