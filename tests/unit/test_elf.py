from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from hypothesis import given, settings
from hypothesis import strategies as st

from coachwhip.elf import ElfError, is_elf, native_lib, read_header, symbols
from coachwhip.resolve.toolchain import find_zig
from tests.unit.resolve.compilers import compile_shared

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = r"""
#include <math.h>
#include <string.h>
#include <pthread.h>
int exported(char *to, const char *from, unsigned n) { memcpy(to, from, n); return (int)pow(to[0], to[1]); }
static int hidden(void) { return 1; }
int other(void) { return hidden(); }
extern int missing(void) __attribute__((weak));
int maybe(void) { return missing ? missing() : 0; }
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("elf") / "libsample.so"
    compile_shared(
        SOURCE, path, "-Wl,-soname,libsample.so.1", "-Wl,-rpath,$ORIGIN/../sample.libs:/opt", "-lm"
    )
    return path.read_bytes()


def test_what_it_needs(library: bytes) -> None:
    found = native_lib(library)
    assert found.soname == "libsample.so.1"
    assert set(found.needed) == {"libc.so.6", "libm.so.6"}
    assert found.runpath == ("$ORIGIN/../sample.libs", "/opt")
    # memcpy got its present version with glibc 2.14; pow's newer one (2.29) is out of the target's reach.
    assert found.glibc == (2, 14)
    assert found.glibc_symbol == "memcpy"


def test_versions_of_other_libraries(tmp_path: Path) -> None:
    (tmp_path / "map").write_text("BASE_1 { global: one; };\nBASE_2 { global: two; } BASE_1;\n")
    (tmp_path / "base.c").write_text("int one(void) { return 1; } int two(void) { return 2; }")
    (tmp_path / "user.c").write_text("int two(void); int three(void) { return two() + 1; }")
    zig = find_zig().executable
    for command in (
        *(("cc", "-target", "x86_64-linux-gnu.2.17", "-c", "-fPIC", name) for name in ("base.c", "user.c")),
        ("ld.lld", "-shared", "-soname=libbase.so.1", "--version-script=map", "base.o", "-o", "base.so"),
        ("ld.lld", "-shared", "user.o", "base.so", "-o", "user.so"),
    ):
        subprocess.run([zig, *command], cwd=tmp_path, check=True, capture_output=True)
    assert set(native_lib((tmp_path / "base.so").read_bytes()).offers) >= {"BASE_1", "BASE_2"}
    user = native_lib((tmp_path / "user.so").read_bytes())
    assert (user.versions, user.offers, user.program) == ((("libbase.so.1", "BASE_2"),), (), False)


@pytest.mark.parametrize(
    ("body", "quiet"),
    [
        ("return (int)strlen(text) + memcmp(text, text, 1);", True),
        ("return own(text);", True),
        ("extern int PyObject_Call(const char *); return PyObject_Call(text);", True),
        ("extern int PyErr_WriteUnraisable(const char *); return PyErr_WriteUnraisable(text);", False),
        ("extern int PyFile_WriteString(const char *); return PyFile_WriteString(text);", False),
        ("extern int unlink(const char *); return unlink(text);", False),
        ("extern int of_another_library(const char *); return of_another_library(text);", False),
    ],
)
def test_what_leaves_the_world_alone_is_quiet(tmp_path: Path, body: str, *, quiet: bool) -> None:
    source = "#include <string.h>\nint own(const char *text) { return *text; }\n"
    compile_shared(f"{source}int f(const char *text) {{ {body} }}\n", tmp_path / "lib.so")
    assert native_lib((tmp_path / "lib.so").read_bytes()).quiet is quiet


def test_header(library: bytes) -> None:
    header = read_header(library)
    assert (header.machine, header.bits, header.little_endian, header.type) == ("x86_64", 64, True, "shared")
    assert is_elf(library)
    assert not is_elf(b"#!/bin/sh")


def test_symbols(library: bytes) -> None:
    found = {symbol.name: symbol for symbol in symbols(library)}
    assert found["exported"].defined
    assert not found["exported"].weak
    assert "hidden" not in found
    assert not found["memcpy"].defined
    assert (found["memcpy"].version, found["memcpy"].library) == ("GLIBC_2.14", "libc.so.6")
    assert (found["pow"].version, found["pow"].library) == ("GLIBC_2.2.5", "libm.so.6")
    assert found["missing"].weak
    assert not found["missing"].defined


def test_agrees_with_pyelftools(library: bytes) -> None:
    table = ELFFile(io.BytesIO(library)).get_section_by_name(".dynsym")
    assert isinstance(table, SymbolTableSection)
    expected = [symbol.name for symbol in table.iter_symbols() if symbol["st_info"]["bind"] != "STB_LOCAL"]
    assert [symbol.name for symbol in symbols(library)] == expected


def test_section_headers_are_not_needed(library: bytes) -> None:
    stripped = bytearray(library)
    stripped[40:48] = bytes(8)
    stripped[58:64] = bytes(6)
    assert native_lib(bytes(stripped)) == native_lib(library)


def test_a_file_without_dynamic_section_needs_nothing() -> None:
    header = (
        b"\x7fELF"
        + bytes([2, 1, 1])
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0)
    )
    found = native_lib(header)
    assert found.needed == ()
    assert found.glibc == (0, 0)
    assert symbols(header) == ()


def test_a_feature_of_the_loader_counts_as_its_glibc(library: bytes) -> None:
    # Of the same length, so that only the name changes.
    changed = library.replace(b"GLIBC_2.14\0", b"GLIBC_ABI_\0")
    assert native_lib(changed).glibc == (2, 42)
    assert native_lib(library.replace(b"GLIBC_2.14\0", b"GLIBC_PRIV\0")).glibc == (2, 2)


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", b"MZ" + bytes(100), b"\x7fELF" + bytes(60), b"\x7fELF\x02\x01" + b"\xff" * 200]
)
def test_garbage(data: bytes) -> None:
    for read in (read_header, native_lib, symbols):
        with pytest.raises(ElfError):
            read(data)


def test_truncated_at_any_length(library: bytes) -> None:
    for length in random.Random(1).sample(range(len(library)), 200):  # noqa: S311 - no secret
        _reads_or_refuses(library[:length])


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_mutated_files_are_read_or_refused(library: bytes, data: st.DataObject) -> None:
    changed = bytearray(library)
    # Numbers in the tables are where harm is done; they lie in the first pages.
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, min(len(changed), 4096) - 8))
        value = data.draw(
            st.sampled_from([b"\0", b"\xff", b"\xff" * 4, b"\xff" * 8, bytes(8), b"\x01", b"\x7f" * 8])
            | st.binary(min_size=1, max_size=8)
        )
        changed[place : place + len(value)] = value
    _reads_or_refuses(bytes(changed))


@pytest.mark.parametrize("number", range(0, 56 * 10, 56))
def test_every_field_of_the_program_headers(library: bytes, number: int) -> None:
    for field in range(number + 64, number + 120, 4):
        for value in (0, 0xFFFFFFFF, 0x7FFFFFFF, len(library)):
            changed = bytearray(library)
            changed[field : field + 4] = struct.pack("<I", value)
            _reads_or_refuses(bytes(changed))


def test_a_real_interpreter() -> None:
    with open(sys.executable, "rb") as stream:  # noqa: PTH123
        data = stream.read()
    assert native_lib(data).glibc > (2, 0)
    assert native_lib(data).program
    assert any(symbol.name.startswith("__libc_start_main") for symbol in symbols(data))


def _reads_or_refuses(data: bytes) -> None:
    for read in (read_header, native_lib, symbols):
        try:
            read(data)
        except ElfError:
            continue
