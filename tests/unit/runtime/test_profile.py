"""The profile writer, against the compiler that reads its output."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import coachwhip.runtime
from coachwhip.effects.cache import Cache
from coachwhip.runtime.elf_facts import sections
from coachwhip.runtime.profile import (
    FunctionCounts,
    function_counts,
    indexed_profile,
    name_hash,
    parse_names,
    weighted_sum,
)
from coachwhip.runtime.toolchain import prepare_toolchain

if TYPE_CHECKING:
    from coachwhip.runtime import Toolchain

SUPPORT = Path(coachwhip.runtime.__file__).parent / "support"
INSTRUMENT = ["-Xclang", "-fprofile-instrument=llvm", "-mllvm", "-disable-vp=true"]
PROGRAM = r"""
#include <stdlib.h>
__attribute__((noinline)) int often(int x) { return x == 12345 ? x * 3 : x ^ 5; }
__attribute__((noinline)) int never(int x) { return x + 7; }
int main(int argc, char **argv)
{
    int sum = 0;
    for (int i = 0; i < atoi(argv[1]); i++)
        sum += often(i);
    if (argc > 2)
        sum += never(sum);
    return sum == 42;
}
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module", params=[False, True], ids=["fixed", "pie"])
def toolchain(cache: Cache, request: pytest.FixtureRequest) -> Toolchain:
    return prepare_toolchain(cache, os.environ, pie=request.param)


def test_names_are_read_plain_and_compressed() -> None:
    plain = b"main\x01file.c;helper"
    packed = zlib.compress(b"other")
    section = bytes([len(plain), 0]) + plain + b"\0\0" + bytes([5, len(packed)]) + packed

    assert set(parse_names(section).values()) == {b"main", b"file.c;helper", b"other"}
    assert parse_names(section)[name_hash(b"other")] == b"other"


@pytest.mark.parametrize("section", [b"\x20\x00short", b"\x80"])
def test_cut_names_are_refused(section: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut short|middle of a block"):
        parse_names(section)


def test_counters_are_joined_with_their_functions() -> None:
    record = struct.Struct("<QQqqQQI3HxxI")
    # Linked at 1000: the record; at 2000: three counters, of which the last two are this function's.
    records = record.pack(name_hash(b"f"), 99, 2008 - 1000, 0, 0, 0, 2, 0, 0, 0, 0)

    found = function_counts(records, 1000, b"\x01\x00f", struct.pack("<3Q", 7, 8, 9), 2000)

    assert found == [FunctionCounts(b"f", 99, (8, 9))]


def test_a_record_outside_the_counters_is_refused() -> None:
    records = struct.pack("<QQqqQQI3HxxI", name_hash(b"f"), 99, 1016, 0, 0, 0, 2, 0, 0, 0, 0)

    with pytest.raises(ValueError, match="outside the counters"):
        function_counts(records, 1000, b"\x01\x00f", bytes(24), 2000)


def test_the_compiler_uses_the_counts_of_several_runs(toolchain: Toolchain, tmp_path: Path) -> None:
    source, counters = tmp_path / "program.c", tmp_path / "counters"
    source.write_text(PROGRAM)
    _cc(toolchain, "-O2", *INSTRUMENT, "-c", source, "-o", tmp_path / "program.o")
    _cc(toolchain, "-O2", "-c", SUPPORT / "profile.c", "-o", tmp_path / "profile.o")
    program = tmp_path / "program"
    _cc(toolchain, tmp_path / "program.o", tmp_path / "profile.o", "-o", program)

    for count in ("1000", "24"):
        subprocess.run([program, count], check=True, env={"COACHWHIP_PROFILE": str(counters)})
    records, names, places = sections(
        program.read_bytes(), "__llvm_prf_data", "__llvm_prf_names", "__llvm_prf_cnts"
    )
    functions = function_counts(
        records.data, records.address, names.data, counters.read_bytes(), places.address
    )
    profile = tmp_path / "profile.profdata"
    profile.write_bytes(indexed_profile(functions))
    ir = _cc(toolchain, "-O2", f"-fprofile-use={profile}", "-S", "-emit-llvm", source, "-o", "-")

    assert {f.name: max(f.counts) for f in functions} == {b"often": 1024, b"never": 0, b"main": 1024}
    entry = dict(re.findall(r"^define [^@]*@(\w+)\(.*!prof !(\d+)", ir, re.MULTILINE))
    counts = dict(re.findall(r'^!(\d+) = !\{!"function_entry_count", i64 (\d+)\}', ir, re.MULTILINE))
    assert {name: counts[number] for name, number in entry.items()} == {
        "often": "1024",
        "never": "0",
        "main": "2",
    }
    assert '!"TotalCount"' in ir  # the summary was understood too


def _cc(toolchain: Toolchain, *args: str | Path) -> str:
    done = subprocess.run(
        [toolchain.bin / "cc", *args], check=True, capture_output=True, text=True, env=toolchain.environment()
    )
    assert "profile" not in done.stderr
    return done.stdout


def test_counters_of_short_runs_get_the_weight_that_they_are_to_have() -> None:
    def pack(*numbers: int) -> bytes:
        return struct.pack(f"={len(numbers)}Q", *numbers)

    assert weighted_sum(pack(900, 0, 100), pack(0, 6, 4), 0.5) == pack(900, 600, 500)
    assert weighted_sum(pack(900, 0, 100), pack(0, 6, 4), 0.2) == pack(900, 150, 200)
    # Never less than they were counted; and nothing to divide by is no error.
    assert weighted_sum(pack(1, 0, 0), pack(0, 6, 4), 0.5) == pack(1, 6, 4)
    assert weighted_sum(pack(1, 2), pack(0, 0), 0.5) == pack(1, 2)
