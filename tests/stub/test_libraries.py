"""Native libraries, loaded by the system's loader."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.stub.programs import STUB, TESTS, Driver

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "/__app__/lib/pkg/main.so"


def test_a_library_finds_those_it_needs(driver: Driver) -> None:
    assert driver.ask(f"dlopen={MAIN}") == "dlopen 42 same"
    root = driver.app / "root"
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()) == [
        *("lib/pkg.libs/libdep.so", "lib/pkg/main.so"),
    ]
    assert (root / "lib" / "pkg" / "main.so").stat().st_mode & 0o777 == 0o555


def test_a_library_sees_the_product_files(driver: Driver) -> None:
    assert driver.ask(f"from_library={MAIN}:/__app__/lib/data/a.txt") == "from_library 6 alpha."
    assert driver.ask(f"from_library={MAIN}:/__app__/no") == "from_library -1 "


def test_a_neighbour_is_found_by_its_name(driver: Driver) -> None:
    """`dlopen("libdep.so")` by what was loaded from the cache, whose $ORIGIN leads there."""
    assert driver.run(f"dlopen={MAIN}", "dlopen=libdep.so").lines[1] == "dlopen -1 same"
    # But not for somebody who could not find it without us.
    assert "cannot open shared object file" in driver.ask("dlopen=libdep.so")


def test_a_library_loads_its_neighbour_by_its_name(fast: Driver) -> None:
    """The loader goes by the library that calls dlopen, so the wrapper must not be in between."""
    assert fast.ask(f"lazily={MAIN}") == "lazily 7"


def test_preloaded_libraries_stay_in_force(fast: Driver, c_compiler: str, tmp_path: Path) -> None:
    """fakeroot and its like come after the executable, but before libc."""
    library = tmp_path / "preloaded.so"
    source = TESTS / "preloaded.c"
    subprocess.run([c_compiler, "-shared", "-fPIC", str(source), "-o", str(library), "-ldl"], check=True)
    preloaded = replace(fast, variables={"LD_PRELOAD": str(library)})
    questions = ("read=/no/such/file", "read=/no/other", "read=/__app__/lib/mod.py", "read=/__app__/no")
    assert preloaded.run(*questions).lines == ("read ok", "read ENOENT", "read ok", "read ENOENT")
    assert fast.ask("read=/no/such/file") == "read ENOENT"


def test_what_can_not_be_loaded_says_why(driver: Driver, tmp_path: Path) -> None:
    missing = "cannot open shared object file: No such file or directory"
    assert driver.ask("dlopen=/__app__/no.so") == f"dlopen failed: /__app__/no.so: {missing}"
    assert driver.ask("dlopen=/__app__/lib") == "dlopen failed: /__app__/lib: not a shared library"
    assert "invalid ELF header" in driver.ask("dlopen=/__app__/lib/noise")
    assert missing in driver.ask("dlopen=/no/such.so")
    data = bytearray(driver.image.read_bytes())
    data[data.index(b"\x7fELF") + 100] ^= 1
    (tmp_path / "damaged").write_bytes(data)
    damaged = Driver(driver.program, tmp_path / "damaged", driver.home)
    assert damaged.ask(f"dlopen={MAIN}") == f"dlopen failed: {MAIN}: this program's file is damaged"


def test_the_first_failure_of_a_process_says_why_too(fast: Driver) -> None:
    """Without sanitizers, which define the same functions: looking ours up must not cost a message."""
    assert "cannot open shared object file" in fast.ask("dlopen=/no/such.so")
    assert "cannot open shared object file" in fast.ask("dlopen=libnosuch.so")


def test_the_loaders_own_message_is_not_hidden_by_an_older_one(driver: Driver) -> None:
    lines = driver.run("dlopen=/__app__/no.so", "dlopen=/no/such.so", f"dlopen={MAIN}").lines
    assert "/no/such.so" in lines[1]
    assert lines[2] == "dlopen 42 same"


def test_the_list_of_exports_is_what_is_defined(checked_program: Path) -> None:
    """Libraries must get our definitions of all that we define, and nothing else may be exported."""
    listed = re.findall(r"(\w+);", (STUB / "export.list").read_text())
    output = subprocess.run(
        ["nm", "-D", "--defined-only", checked_program], capture_output=True, text=True, check=True
    )
    names = {line.split()[-1].partition("@")[0] for line in output.stdout.splitlines()}
    wrappers = {
        name
        for path in STUB.glob("wrap*.c")
        for name in re.findall(r"CW_EXPORT\((\w+)\)", path.read_text())
        if name != "name"
    }
    assert wrappers <= set(listed)
    assert set(listed) <= names
    assert listed == sorted(listed)
