"""An executable made of tables alone, with and without each of its safeguards."""

from __future__ import annotations

import struct
from dataclasses import fields

import pytest

from coachwhip.elf import ElfError
from coachwhip.elf.hardening import Hardening, hardening

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
SYMBOL = struct.Struct("<IBBHQQ")
READ, WRITE, EXECUTE = 4, 2, 1
LOAD, DYNAMIC, INTERP, STACK, RELRO = 1, 2, 3, 0x6474E551, 0x6474E552
TABLES, SIZE = 0x400, 0x800


def executable(  # noqa: PLR0913  (as many as there are safeguards)
    *,
    kind: int = 3,
    code: int = READ | EXECUTE,
    stack: int | None = READ | WRITE,
    relro: bool = True,
    entries: tuple[tuple[int, int], ...] = ((0x6FFFFFFB, 0x08000001),),
    protected: bool = True,
) -> bytes:
    """An ELF file; by default it has everything."""
    names = b"\0__stack_chk_fail\0"
    symbols = bytes(SYMBOL.size) + SYMBOL.pack(1 if protected else 0, 0x12, 0, 0, 0, 0)
    # DT_HASH, DT_SYMTAB, DT_STRTAB, DT_STRSZ; the hash table tells how many symbols there are.
    places = ((4, TABLES), (6, TABLES + 16), (5, TABLES + 16 + len(symbols)), (10, len(names)))
    tables = struct.pack("<IIII", 0, 2, 0, 0) + symbols + names
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in (*places, *entries, (0, 0)))
    headers = [
        PHDR.pack(LOAD, code, 0, 0, 0, SIZE, SIZE, 0x1000),
        PHDR.pack(INTERP, READ, 0x300, 0x300, 0x300, 8, 8, 1),
        PHDR.pack(DYNAMIC, READ, 0x200, 0x200, 0x200, len(dynamic), len(dynamic), 8),
    ]
    if stack is not None:
        headers.append(PHDR.pack(STACK, stack, 0, 0, 0, 0, 0, 16))
    if relro:
        headers.append(PHDR.pack(RELRO, READ, 0, 0, 0, SIZE, SIZE, 1))
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = EHDR.pack(ident, kind, 62, 1, 0, EHDR.size, 0, 0, EHDR.size, PHDR.size, len(headers), 0, 0, 0)
    content = (header + b"".join(headers)).ljust(0x200, b"\0") + dynamic
    return (content.ljust(TABLES, b"\0") + tables).ljust(SIZE, b"\0")


def test_one_that_has_everything_lacks_nothing() -> None:
    found = hardening(executable())
    assert found.complete
    assert all(getattr(found, field.name) for field in fields(Hardening))


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"kind": 2}, ("position_independent",)),
        ({"relro": False}, ("relro",)),
        ({"entries": ()}, ("bind_now",)),
        ({"entries": ((24, 0), (22, 0))}, ("constant_code",)),
        ({"entries": ((30, 8 | 4),)}, ("constant_code",)),
        ({"code": READ | WRITE | EXECUTE}, ("separate_code",)),
        ({"stack": READ | WRITE | EXECUTE}, ("data_stack",)),
        # The kernel's default for an executable without the header is an executable stack.
        ({"stack": None}, ("data_stack",)),
        ({"protected": False}, ("stack_protector",)),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, object], lacks: tuple[str, ...]) -> None:
    found = hardening(executable(**changes))  # type: ignore[arg-type]
    assert found.lacks == lacks
    assert not found.complete


@pytest.mark.parametrize("entries", [((30, 8),), ((24, 0),), ((0x6FFFFFFB, 1),)])
def test_there_are_three_ways_to_ask_for_binding_at_the_start(entries: tuple[tuple[int, int], ...]) -> None:
    assert hardening(executable(entries=entries)).complete


def test_a_shared_library_is_no_position_independent_executable() -> None:
    content = executable().replace(PHDR.pack(INTERP, READ, 0x300, 0x300, 0x300, 8, 8, 1), bytes(PHDR.size))
    assert hardening(content).lacks == ("position_independent",)


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF", executable()[:200]])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(ElfError):
        hardening(content)
