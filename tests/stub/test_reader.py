"""The image reader and the small parts below it."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
import xxhash

from coachwhip.image import format as fmt
from coachwhip.model import NativeLib
from coachwhip.prelink import model as prelink
from tests.stub.libraries import prelinked_libraries
from tests.stub.programs import STUB, TESTS, Content, compile_program, write_image

READER = (STUB / "image.c", STUB / "libraries.c", STUB / "xxh64.c")


@pytest.fixture(scope="session")
def small(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert c_compiler
    sources = (TESTS / "small.c", STUB / "say.c", STUB / "xxh64.c")
    return compile_program(tmp_path_factory.mktemp("small") / "small", sources)


@pytest.fixture(scope="session")
def fuzzer(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert c_compiler
    return compile_program(tmp_path_factory.mktemp("fuzz") / "fuzz", (TESTS / "fuzz_image.c", *READER))


@pytest.fixture(scope="session")
def small_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that is mostly tables."""
    native = NativeLib("libx.so", ("liby.so",), ("$ORIGIN",), (2, 17), "memcpy")
    files = {
        **{f"lib/pkg/part{n}/module.py": Content(b"x = 1\n" * 20, compress=True) for n in range(8)},
        "lib/bare.py": Content(None),
        "lib/x.so": Content(b"\x7fELF", native=native),
        "lib/liby.so": Content(b"\x7fELF", native=NativeLib("liby.so", (), (), (2, 17), "memcpy")),
    }
    libraries = prelinked_libraries("lib/liby.so", "lib/x.so")
    return write_image(tmp_path_factory.mktemp("fuzzed") / "image", files, prelinked=libraries)


@pytest.mark.parametrize("seed", range(4))
def test_no_change_of_an_image_leads_the_reader_astray(fuzzer: Path, small_image: Path, seed: int) -> None:
    rounds = int(os.environ.get("COACHWHIP_FUZZ_ROUNDS", "10000"))
    command = [str(fuzzer), str(small_image), str(seed + 1), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    opened = int(done.stdout.split()[0])
    assert opened > rounds // 10, "hardly any image was opened: the fuzzer tests the checksums only"


def test_writer_and_reader_have_the_same_layout(c_compiler: str, tmp_path: Path) -> None:
    assert c_compiler
    program = compile_program(tmp_path / "layout", [TESTS / "layout.c"])
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    found = {name: int(value) for name, value in (line.split() for line in output.splitlines())}
    assert found == {
        "cw_header": fmt.HEADER_SIZE,
        "cw_range": fmt.RANGE.size,
        "cw_string": fmt.STRING.size,
        "cw_list": fmt.LIST.size,
        "cw_blob": fmt.BLOB.size,
        "cw_node": fmt.NODE_SIZE,
        "cw_settings": fmt.SETTINGS_SIZE,
        "cw_library": fmt.LIBRARY.size,
        "cw_piece": fmt.PIECE.size,
        "cw_need": fmt.NEED.size,
        "cw_slot": fmt.SLOT.size,
        "cw_fixup": fmt.FIXUP.size,
        "cw_snapshot_head": fmt.SNAPSHOT_HEAD.size,
        "cw_header.sections": fmt.HEADER.size,
        "cw_node.parent": fmt.STRING.size,
        "cw_node.data": fmt.STRING.size + fmt.NODE.size,
        "cw_node.code": fmt.STRING.size + fmt.NODE.size + fmt.BLOB.size,
        "cw_settings.name": fmt.SETTINGS.size,
        "cw_settings.xoptions": fmt.SETTINGS.size + 4 * fmt.STRING.size,
        "cw_snapshot_head.image_id": 48,
        "cw_snapshot_head.plan_size": 120,
        "cw_snapshot_head.working_set_size": 128,
        "cw_snapshot_head.cpu": 136,
        "cw_snapshot_range": fmt.SNAPSHOT_RANGE.size,
        "cw_page_run": fmt.PAGE_RUN.size,
        "cw_snapshot_head.checksum": fmt.SNAPSHOT_HEAD.size - 8,
        "CW_VERSION": fmt.VERSION,
        "CW_SEGMENT_TAG": fmt.SEGMENT_TAG,
        "CW_SECTIONS": len(fmt.Section),
        "CW_NODES": fmt.Section.NODES,
        "CW_DATA": fmt.Section.DATA,
        "CW_HAS_DATA": fmt.NodeFlag.HAS_DATA,
        "CW_HAS_CODE": fmt.NodeFlag.HAS_CODE,
        "CW_DATA_ZSTD": fmt.NodeFlag.DATA_ZSTD,
        "CW_EXECUTABLE": fmt.NodeFlag.EXECUTABLE,
        "CW_NATIVE": fmt.NodeFlag.NATIVE,
        "CW_LIBRARIES": fmt.Section.LIBRARIES,
        "CW_PAGES": fmt.Section.PAGES,
        "CW_DATA_DIFFERENCE": fmt.NodeFlag.DATA_DIFFERENCE,
        "CW_WEAK": fmt.SlotFlag.WEAK,
        "CW_RELRO": prelink.Protection.RELRO,
        "CW_FIX_RESOLVED": prelink.FixupKind.RESOLVED,
        "CW_REGION": prelink.REGION,
        "CW_REGION_END": prelink.REGION_END,
        "CW_STUBS": prelink.STUBS,
        "CW_CODE_SLOTS": prelink.SLOTS,
        "CW_FIRST_LIBRARY": prelink.FIRST_LIBRARY,
        "CW_QUIET": fmt.NodeFlag.QUIET,
        "CW_INTERPRETER": fmt.SettingsFlag.INTERPRETER,
        "CW_ENVIRONMENT": fmt.SettingsFlag.ENVIRONMENT,
        "CW_REBAKE": fmt.SettingsFlag.REBAKE,
        "CW_SNAPSHOT_ROOM": fmt.SNAPSHOT_ROOM,
    }


def test_the_hash_is_xxh64(small: Path) -> None:
    numbers = random.Random(1)  # noqa: S311  (any bytes will do)
    for size in (*range(100), 1000, 4096, 100_001):
        data = numbers.randbytes(size)
        done = subprocess.run([small, "hash"], input=data, capture_output=True, check=True)
        assert done.stdout.decode().strip() == xxhash.xxh64_hexdigest(data), size


def test_messages_are_one_line_each(small: Path) -> None:
    done = subprocess.run(
        [small, "say", "/usr/bin/app", "what happened"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 124
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "app: what happened",
        "app: 100% of what happened, ?",
        "coachwhip: the end",
    ]


def test_long_messages_are_cut(small: Path) -> None:
    done = subprocess.run([small, "say", "app", "x" * 5000], capture_output=True, text=True, check=False)
    assert [len(line) for line in done.stderr.splitlines()[:2]] == [2047, 2047]


def test_messages_to_nobody_are_lost(small: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([small, "say", "app", "x"], stderr=full, check=False)
    assert done.returncode == 124
