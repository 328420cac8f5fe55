"""Libraries get their addresses, and everything in them that depends on those."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import zstandard
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from coachwhip.elf.loadable import LoadableFile
from coachwhip.prelink import Native, prelink
from coachwhip.prelink.model import FIRST_LIBRARY, SLOTS, STUB_SIZE, STUBS, FixupKind, Protection
from coachwhip.prelink.originals import Memory, difference
from tests.unit.prelink.samples import OUTSIDE, compile_one, in_memory, library, natives, word

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.prelink import Prelinked
    from coachwhip.prelink.model import Library

DEP = """
__thread int counter = 7;
int shared_value = 42;
int dep_function(void) { return shared_value + counter; }
int both(void) { return 1; }
"""
MAIN = """
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
extern int dep_function(void), shared_value, both(void);
extern void *PyLong_FromLong(long);
extern int perhaps(void) __attribute__((weak));
__thread int own = 5;
static int local = 3;
int *to_local = &local, *to_shared = &shared_value;
int (*to_dep)(void) = dep_function;
void *(*to_stub)(long) = PyLong_FromLong;
int (*to_open)(const char *, int, ...) = open;
void *(*to_outside)(void *, const void *, unsigned long) = memcpy;
FILE **to_data = &stdout;
int (*to_perhaps)(void) = perhaps;
int (*to_both)(void) = both;
int both(void) { return 2; }
int use(char *a, char *b) { memcpy(a, b, 3); return own + dep_function(); }
__attribute__((constructor)) static void start(void) { local = dep_function(); }
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("prelink")
    dep = compile_one(folder, "libdep.so", DEP)
    main = compile_one(folder, "main.so", MAIN, str(folder / "libdep.so"))
    return {"lib/libdep.so": dep, "lib/main.so": main}


@pytest.fixture(scope="module")
def linked(files: dict[str, bytes]) -> Prelinked:
    return prelink(natives(files), OUTSIDE)


@pytest.fixture(scope="module")
def main(linked: Prelinked) -> Library:
    return library(linked, "lib/main.so")


@pytest.fixture(scope="module")
def dep(linked: Prelinked) -> Library:
    return library(linked, "lib/libdep.so")


def address(files: dict[str, bytes], library: Library, name: str) -> int:
    symbols = LoadableFile(files[library.path]).all_symbols()
    return library.base + next(symbol.value for symbol in symbols if symbol.name == name)


def pointer(files: dict[str, bytes], library: Library, name: str) -> int:
    return word(library, address(files, library, name))


def test_libraries_have_places_of_their_own(linked: Prelinked) -> None:
    end = FIRST_LIBRARY
    for one in linked.libraries:
        assert one.start >= end
        assert one.start % 4096 == 0
        end = one.start + one.size
        assert [piece.address for piece in one.pieces] == sorted(piece.address for piece in one.pieces)
        for piece in one.pieces:
            assert piece.protection & 6 != 6, "writable and executable"
            assert piece.content is None or len(piece.content) == piece.size
    assert linked.end == end
    assert not linked.refused


def test_pointers_within_a_product_are_final(files: dict[str, bytes], main: Library, dep: Library) -> None:
    assert word(main, pointer(files, main, "to_local")) & 0xFFFFFFFF == 3
    assert pointer(files, main, "to_shared") == address(files, dep, "shared_value")
    assert pointer(files, main, "to_dep") == address(files, dep, "dep_function")
    assert pointer(files, main, "to_stub") == OUTSIDE.addresses["PyLong_FromLong"]


def test_the_stub_comes_before_libc(files: dict[str, bytes], main: Library) -> None:
    assert pointer(files, main, "to_open") == OUTSIDE.addresses["open"]


def test_a_library_prefers_its_own_definition(files: dict[str, bytes], main: Library) -> None:
    assert pointer(files, main, "to_both") == address(files, main, "both")


def test_functions_of_the_outside_are_jump_stubs(
    files: dict[str, bytes], linked: Prelinked, main: Library
) -> None:
    number = next(n for n, slot in enumerate(linked.slots) if slot.name == "memcpy")
    assert pointer(files, main, "to_outside") == STUBS + STUB_SIZE * number
    assert number in main.slots
    assert linked.slots[number].version == "GLIBC_2.14"
    code = linked.stubs()[STUB_SIZE * number :][:STUB_SIZE]
    # jmp *distance(%rip), counted from the end of the 6-byte instruction
    assert code[:2] == b"\xff\x25"
    distance = int.from_bytes(code[2:6], "little")
    assert STUBS + STUB_SIZE * number + 6 + distance == SLOTS + STUB_SIZE * number


def test_data_of_the_outside_is_left_for_the_start(
    files: dict[str, bytes], linked: Prelinked, main: Library
) -> None:
    fixups = {fixup.address: fixup for fixup in main.fixups}
    data = fixups[address(files, main, "to_data")]
    assert (data.kind, linked.slots[data.slot].name) == (FixupKind.DATA, "stdout")
    maybe = fixups[address(files, main, "to_perhaps")]
    assert linked.slots[maybe.slot].weak
    assert pointer(files, main, "to_perhaps") == 0


def test_thread_local_variables_are_asked_for_by_module(
    files: dict[str, bytes], main: Library, dep: Library
) -> None:
    assert main.threads is not None
    assert dep.threads is not None
    assert {main.threads.module, dep.threads.module} == {1, 2}
    assert in_memory(main, main.threads.image, 4) == (5).to_bytes(4, "little")
    assert in_memory(dep, dep.threads.image, 4) == (7).to_bytes(4, "little")
    modules = [
        word(dep, dep.base + place)
        for place, kind, _, _ in LoadableFile(files[dep.path]).relocations()
        if kind == 16
    ]
    assert modules == [dep.threads.module]


def test_what_a_loader_needs_is_found(files: dict[str, bytes], main: Library, dep: Library) -> None:
    elf = ELFFile(io.BytesIO(files[main.path]))
    table = elf.get_section_by_name(".dynsym")
    assert isinstance(table, SymbolTableSection)
    assert main.symbols == (main.base + table["sh_addr"], table.num_symbols())
    starts_at = {section.name: section["sh_addr"] for section in elf.iter_sections()}
    assert main.hash == main.base + starts_at[".gnu.hash"]
    assert main.frames == main.base + starts_at[".eh_frame_hdr"]
    array, count = main.arrays[0]
    starts = [word(main, array + 8 * n) for n in range(count)]
    assert starts
    code = [piece for piece in main.pieces if piece.protection & Protection.EXECUTE]
    assert all(any(p.address <= start < p.address + p.size for p in code) for start in starts)
    assert (main.needs[0].name, main.needs[0].path) == ("libdep.so", dep.path)
    assert main.folders == ("lib",)


def test_the_order_of_the_input_does_not_matter(files: dict[str, bytes], linked: Prelinked) -> None:
    assert prelink(reversed(natives(files)), OUTSIDE) == linked


def test_pages_that_no_fixup_changes_are_read_only_from_the_start(tmp_path: Path) -> None:
    source = "static int x; int *const fixed[600] = {&x}; int **get(void) { return (int **)fixed; }"
    content = compile_one(tmp_path, "libro.so", source, "-Wl,-z,relro,-z,now")
    (one,) = prelink(natives({"lib/libro.so": content}), OUTSIDE).libraries
    changed = {fixup.address & ~4095 for fixup in one.fixups}
    for piece in one.pieces:
        if piece.protection & Protection.RELRO:
            assert any(piece.address <= page < piece.address + piece.size for page in changed)


def test_something_that_is_no_library_is_passed_over_or_refused(files: dict[str, bytes]) -> None:
    broken = Native("lib/broken.so", files["lib/libdep.so"][:200])
    text = Native("lib/text.so", b"no ELF file")
    linked = prelink([*natives(files), broken, text], OUTSIDE)
    assert set(linked.refused) == {"lib/broken.so", "lib/text.so"}
    assert len(linked.libraries) == 2


def test_what_a_refused_library_needs_is_refused_too(files: dict[str, bytes], tmp_path: Path) -> None:
    source = "extern __thread int elsewhere; int f(void) { return elsewhere; }"
    bad = compile_one(
        tmp_path, "libbad.so", source + "extern int dep_function(void); int (*g)(void) = dep_function;"
    )
    (one,) = natives({"lib/libbad.so": bad})
    one = Native(one.path, one.content, needed=(("libdep.so", "lib/libdep.so"),))
    linked = prelink([*natives(files), one], OUTSIDE)
    assert "elsewhere" in linked.refused["lib/libbad.so"]
    assert linked.refused["lib/libdep.so"] == "lib/libbad.so needs it"
    main = library(linked, "lib/main.so")
    names = {linked.slots[slot].name for slot in main.slots}
    assert "dep_function" in names, "what stays prelinked gets it from the system's loader"


def test_the_file_comes_back_from_memory_and_difference(files: dict[str, bytes], linked: Prelinked) -> None:
    for path, content in files.items():
        packed, size = linked.originals[path]
        assert size == len(content)
        assert len(packed) < len(zstandard.compress(content))
        memory = Memory.of(library(linked, path))
        assert difference(zstandard.decompress(packed), memory) == content
