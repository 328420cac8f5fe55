"""Packaged libraries -> libraries at fixed addresses, bound to one another, the stub and the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachwhip.elf.tables import ElfError
from coachwhip.errors import ImageError
from coachwhip.prelink.binding import Binder
from coachwhip.prelink.candidate import (
    PT_DYNAMIC,
    PT_EH_FRAME,
    PT_TLS,
    Candidate,
    Refusal,
    is_program,
    read_candidate,
)
from coachwhip.prelink.model import (
    FIRST_LIBRARY,
    PAGE,
    REGION_END,
    SLOTS,
    STUB_SIZE,
    STUBS,
    Library,
    Need,
    Prelinked,
    Threads,
)
from coachwhip.prelink.originals import pack_original
from coachwhip.prelink.pieces import pieces_of
from coachwhip.prelink.relocate import Relocator, wants_fixed_storage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coachwhip.prelink.model import Native
    from coachwhip.prelink.outside import Outside

__all__ = ["prelink"]

_DT_INIT, _DT_FINI, _DT_INIT_ARRAY, _DT_FINI_ARRAY = 12, 13, 25, 26
_DT_INIT_ARRAYSZ, _DT_FINI_ARRAYSZ = 27, 28
_DT_STRTAB, _DT_SYMTAB, _DT_STRSZ, _DT_GNU_HASH = 5, 6, 10, 0x6FFFFEF5
_DT_VERSYM, _DT_VERDEF = 0x6FFFFFF0, 0x6FFFFFFC
#: What a TLS descriptor calls.
_DESCRIBER = "cw_native_tlsdesc"
_MOST_SLOTS = (SLOTS - STUBS) // STUB_SIZE


def prelink(natives: Iterable[Native], outside: Outside) -> Prelinked:
    """Give every packaged library its address, and apply its relocations.

    A library that can't be prelinked is left out together with those that it needs: the system's loader,
    which loads it, would load them a second time. That does no harm to carried ones.

    Args:
        natives: all packaged libraries; programs among them are passed over.
        outside: what else they can be bound to.
    """
    # The order of the image's nodes: addresses and nodes then ascend together.
    natives = sorted(
        (n for n in natives if not is_program(n.content)),
        key=lambda n: (n.path.count("/"), n.path.split("/")),
    )
    refused: dict[str, str] = {}
    candidates: dict[str, Candidate] = {}
    for native in natives:
        try:
            candidates[native.path] = read_candidate(native)
        except Refusal as refusal:
            refused[native.path] = str(refusal)
    carried = {native.path for native in natives if native.carried}
    needs = {n.path: [path for _, path in n.needed if path and path not in carried] for n in natives}
    while True:
        _refuse_needed(candidates, refused, needs)
        attempt = _Attempt(candidates, outside)
        found = attempt.run()
        if not attempt.refused:
            originals = {
                library.path: (pack_original(content, library), len(content))
                for library in found
                for content in (candidates[library.path].native.content,)
            }
            return Prelinked(
                attempt.stub(), found, attempt.binder.slots, dict(sorted(refused.items())), originals
            )
        refused |= attempt.refused


def _refuse_needed(
    candidates: dict[str, Candidate], refused: dict[str, str], needs: Mapping[str, list[str]]
) -> None:
    waiting = list(refused)
    while waiting:
        path = waiting.pop()
        candidates.pop(path, None)
        for needed in needs.get(path, ()):
            if needed not in refused:
                refused[needed] = f"{path} needs it"
                waiting.append(needed)


class _Attempt:
    """One try at prelinking certain libraries; `refused` has those that turned out to be impossible."""

    def __init__(self, candidates: Mapping[str, Candidate], outside: Outside) -> None:
        self._candidates = candidates
        self._outside = outside
        self._bases = _bases(candidates)
        self.binder = Binder(candidates, self._bases, outside)
        self._binders = {path: self.binder.library(candidate) for path, candidate in candidates.items()}
        self.refused: dict[str, str] = {}
        self._threads = self._storage()

    def run(self) -> tuple[Library, ...]:
        """Return the libraries; incomplete when some were refused."""
        found = []
        for path in self._candidates:
            try:
                found.append(self._library(path))
            except Refusal as refusal:
                self.refused[path] = str(refusal)
        if len(self.binder.slots) > _MOST_SLOTS:
            raise ImageError("the libraries of this product refer to too many symbols")
        return tuple(found)

    def stub(self) -> bytes:
        """Return the stub with what threads start with where storage has a fixed place."""
        outside = self._outside
        stub = bytearray(outside.stub)
        for path, threads in self._threads.items():
            if threads.offset:
                at = outside.room_position + threads.offset - outside.room_offset
                stub[at : at + threads.size] = self._tls_image(self._candidates[path])
        return bytes(stub)

    def _tls_image(self, candidate: Candidate) -> bytes:
        segment = candidate.segment(PT_TLS)
        if segment is None:
            return b""
        return candidate.file.data[segment.offset : segment.offset + segment.size]

    def _storage(self) -> dict[str, Threads]:
        fixed = self._fixed_storage()
        threads: dict[str, Threads] = {}
        used = 0
        for path, candidate in self._candidates.items():
            segment = candidate.segment(PT_TLS)
            if segment is None:
                continue
            alignment = max(segment.alignment, 1)
            if segment.address % alignment or alignment > PAGE:
                self.refused[path] = "its thread-local storage has an unusual alignment"
            offset = 0
            if path in fixed:
                start = self._outside.room_offset + used
                start += (segment.address - start) % alignment
                used = start - self._outside.room_offset + segment.room
                offset = start if used <= self._outside.room else 0
            threads[path] = Threads(
                module=len(threads) + 1,
                image=self._bases[path] + segment.address,
                size=segment.size,
                room=segment.room,
                alignment=alignment,
                offset=offset,
            )
        return threads

    def _fixed_storage(self) -> set[str]:
        fixed: set[str] = set()
        for path, candidate in self._candidates.items():
            try:
                fixed |= wants_fixed_storage(candidate, self._binders[path])
            except (Refusal, ElfError) as refusal:
                self.refused[path] = str(refusal)
        return fixed

    def _library(self, path: str) -> Library:
        candidate, base = self._candidates[path], self._bases[path]
        describer = self._outside.addresses.get(_DESCRIBER, 0)
        relocator = Relocator(candidate, base, self._binders[path], self._threads, describer)
        relocator.run()
        fixups = relocator.fixups
        pieces = pieces_of(candidate, base, relocator.memory, {fixup.address for fixup in fixups})
        native, file = candidate.native, candidate.file

        def at(tag: int) -> int:
            return base + file.value(tag) if file.value(tag) else 0

        headers = _address_of(candidate, file.headers_offset)
        return Library(
            path=path,
            soname=candidate.soname,
            base=base,
            start=base + candidate.start,
            size=candidate.end - candidate.start,
            pieces=tuple(pieces),
            needs=tuple(Need(name, path) for name, path in native.needed),
            folders=native.folders,
            slots=tuple(sorted(relocator.slots)),
            fixups=tuple(fixups),
            dynamic=base + _start(candidate, PT_DYNAMIC),
            headers=(base + headers, file.headers_count),
            symbols=(at(_DT_SYMTAB), len(candidate.symbols)),
            strings=(at(_DT_STRTAB), file.value(_DT_STRSZ)),
            hash=at(_DT_GNU_HASH),
            versions=at(_DT_VERSYM),
            definitions=at(_DT_VERDEF),
            functions=(at(_DT_INIT), at(_DT_FINI)),
            arrays=(
                (at(_DT_INIT_ARRAY), file.value(_DT_INIT_ARRAYSZ) // 8),
                (at(_DT_FINI_ARRAY), file.value(_DT_FINI_ARRAYSZ) // 8),
            ),
            frames=base + start if (start := _start(candidate, PT_EH_FRAME)) else 0,
            threads=self._threads.get(path),
        )


def _start(candidate: Candidate, kind: int) -> int:
    segment = candidate.segment(kind)
    return segment.address if segment else 0


def _address_of(candidate: Candidate, position: int) -> int:
    """The address, from the library's base, of a position in its file."""
    for segment in candidate.loads:
        if segment.offset <= position < segment.offset + segment.size:
            return segment.address + position - segment.offset
    raise Refusal("its program headers are not part of its memory")


def _bases(candidates: Mapping[str, Candidate]) -> dict[str, int]:
    """An address for each library, with an empty page between neighbours."""
    bases = {}
    free = FIRST_LIBRARY
    for path, candidate in candidates.items():
        start = -(-(free - candidate.start) // candidate.alignment) * candidate.alignment
        bases[path] = start
        free = start + candidate.end + PAGE
    if free > REGION_END:
        raise ImageError("the libraries of this product are larger than the room for them")
    return bases
