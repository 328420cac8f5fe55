from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.cache import Cache
from coachwhip.effects.process import run
from coachwhip.elf import symbols
from coachwhip.model import Target
from coachwhip.resolve.builtins import compiler_builtins, without_libc_names
from coachwhip.resolve.toolchain import find_zig, write_wrappers

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target((3, 13))
SOURCE = """
#include <math.h>
#include <string.h>
typedef unsigned __int128 wide;
unsigned long quotient(unsigned long high, unsigned long low, unsigned long by)
{
    return (unsigned long)((((wide)high << 64) | low) / (((wide)1 << 64) | by));
}
int compare(const void *a, const void *b, unsigned n) { return memcmp(a, b, n); }
double logarithm(double x) { return log2(x); }
"""


def test_a_wide_division_does_not_replace_libc(tmp_path: Path) -> None:
    zig, environ = find_zig(), {**os.environ, "ZIG_LOCAL_CACHE_DIR": str(tmp_path / "zig")}
    builtins = compiler_builtins(zig, TARGET, Cache(tmp_path / "cache"), environ)
    write_wrappers(tmp_path / "tools with blank", zig, TARGET, {}, builtins)
    (tmp_path / "x.c").write_text(SOURCE)
    compiler = tmp_path / "tools with blank/cc"
    done = run([compiler, "-O2", "-fPIC", "-shared", "x.c", "-lm", "-o", "x.so"], cwd=tmp_path, env=environ)
    assert done.ok, done.stderr
    needed = {symbol.name for symbol in symbols((tmp_path / "x.so").read_bytes()) if not symbol.defined}
    assert needed == {"memcmp", "log2"}
    library = ctypes.CDLL(str(tmp_path / "x.so"))
    library.quotient.restype = ctypes.c_ulong
    library.quotient.argtypes = [ctypes.c_ulong] * 3
    assert library.quotient(7, 5, 3) == ((7 << 64) + 5) // ((1 << 64) + 3)


def test_steps_that_do_not_link(tmp_path: Path) -> None:
    zig, environ = find_zig(), dict(os.environ)
    write_wrappers(tmp_path / "tools", zig, TARGET, {tmp_path: "/build"}, tmp_path / "none.a")
    (tmp_path / "x.c").write_text("const char *where(void) { return __FILE__; }")
    compiler = tmp_path / "tools/cc"
    done = run([compiler, "-c", tmp_path / "x.c", "-g", "-o", "x.o"], cwd=tmp_path, env=environ)
    assert done.ok, done.stderr
    data = (tmp_path / "x.o").read_bytes()
    assert b"/build/x.c" in data
    assert str(tmp_path).encode() not in data
    assert b".debug_info" not in data
    assert run([tmp_path / "tools/ar", "rcs", "x.a", "x.o"], cwd=tmp_path, env=environ).ok


@pytest.mark.parametrize("data", [b"", b"\x7fELF\x01\x01" + bytes(100), b"\x7fELF\x02\x01" + b"\xff" * 100])
def test_what_is_no_object_file(data: bytes) -> None:
    with pytest.raises(ValueError, match="ELF"):
        without_libc_names(data)
