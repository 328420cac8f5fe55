"""Apply a library's relocations for the address that it will have."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Protocol

from coachwhip.elf.tables import ElfError
from coachwhip.prelink.binding import Binding, Kind
from coachwhip.prelink.candidate import PF_W, PT_TLS, STT_TLS, Refusal
from coachwhip.prelink.model import STUB_SIZE, STUBS, Fixup, FixupKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coachwhip.prelink.candidate import Candidate
    from coachwhip.prelink.model import Threads

__all__ = ["Relocator", "wants_fixed_storage"]

_NONE, _WORD, _COPY, _GLOB_DAT, _JUMP_SLOT, _RELATIVE = 0, 1, 5, 6, 7, 8
_DTPMOD, _DTPOFF, _TPOFF, _TLSDESC, _IRELATIVE = 16, 17, 18, 36, 37
_MASK = 0xFFFFFFFFFFFFFFFF
_QUAD = struct.Struct("<Q")
#: The dynamic section's entries that hold addresses; a loader makes them absolute.
_ADDRESS_TAGS = frozenset({3, 4, 5, 6, 7, 23, 0x6FFFFEF5, 0x6FFFFFF0})
_PT_DYNAMIC = 2


class _Binder(Protocol):
    def bind(self, index: int) -> Binding: ...


def wants_fixed_storage(candidate: Candidate, binder: _Binder) -> set[str]:
    """Return the libraries whose thread-local storage this one wants at a fixed place in every thread.

    Raises:
        Refusal: it wants that of a library that is not packaged.
    """
    own = candidate.native.path
    if candidate.segment(PT_TLS) is None and all(s.type != STT_TLS for s in candidate.symbols):
        return set()
    return {
        binder.bind(symbol).owner if symbol else own
        for _, kind, symbol, _ in candidate.file.relocations()
        if kind in (_TPOFF, _TLSDESC)
    }


class Relocator:
    """The memory of one library while its relocations are applied.

    Args:
        candidate: the library.
        base: what its addresses count from.
        binder: binds its references.
        threads: thread-local storage of all libraries, by path.
        describer: address of the function that a TLS descriptor calls; 0 when there is none.
    """

    def __init__(
        self,
        candidate: Candidate,
        base: int,
        binder: _Binder,
        threads: Mapping[str, Threads],
        describer: int,
    ) -> None:
        self._candidate = candidate
        self._base = base
        self._binder = binder
        self._threads = threads
        self._describer = describer
        self._start = candidate.start
        self.memory = bytearray(max(s.address + s.size for s in candidate.loads) - self._start)
        for segment in candidate.loads:
            at = segment.address - self._start
            self.memory[at : at + segment.size] = candidate.file.data[
                segment.offset : segment.offset + segment.size
            ]
        self._writable = [(s.address, s.address + s.size) for s in candidate.loads if s.flags & PF_W]
        self._last = 0, 0
        self._handlers: Mapping[int, Callable[[int, int, int], None]] = {
            _NONE: lambda *_: None,
            _WORD: self._word,
            _GLOB_DAT: self._got,
            _JUMP_SLOT: self._jump,
            _DTPMOD: self._module,
            _DTPOFF: self._offset,
            _TPOFF: self._thread_offset,
            _TLSDESC: self._descriptor,
            _IRELATIVE: self._resolved,
        }
        self.fixups: list[Fixup] = []
        self.slots: set[int] = set()

    def run(self) -> None:
        """Apply everything.

        Raises:
            Refusal: a relocation can't be applied.
        """
        try:
            self._relative()
            for address, kind, symbol, addend in self._candidate.file.relocations():
                if kind == _RELATIVE:
                    self._put(address, self._base + addend)
                else:
                    self._apply(address, kind, symbol, addend)
            self._dynamic_section()
        except (ElfError, struct.error) as error:
            raise Refusal(f"its relocations are damaged ({error})") from error
        # What others may point to comes first, functions that have to run for their result come last.
        self.fixups.sort(key=lambda fixup: (fixup.kind == FixupKind.RESOLVED, fixup.address))

    def _put(self, address: int, value: int) -> None:
        start, end = self._last
        if not start <= address <= end - 8:
            self._last = self._writable_range(address)
        _QUAD.pack_into(self.memory, address - self._start, value & _MASK)

    def _writable_range(self, address: int) -> tuple[int, int]:
        for start, end in self._writable:
            if start <= address <= end - 8:
                return start, end
        raise Refusal(f"a relocation changes memory that is not writable ({address:#x})")

    def _get(self, address: int) -> int:
        value: int = _QUAD.unpack_from(self.memory, address - self._start)[0]
        return value

    def _relative(self) -> None:
        for address in self._candidate.file.relative_addresses():
            self._put(address, self._get(address) + self._base)

    def _apply(self, address: int, kind: int, symbol: int, addend: int) -> None:
        handler = self._handlers.get(kind)
        if handler is None:
            raise Refusal(f"it has a relocation of type {kind}")
        handler(address, symbol, addend)

    def _word(self, address: int, symbol: int, addend: int) -> None:
        self._refer(address, self._bind(symbol), addend)

    def _got(self, address: int, symbol: int, addend: int) -> None:
        del addend
        self._refer(address, self._bind(symbol), 0)

    def _jump(self, address: int, symbol: int, addend: int) -> None:
        del addend
        binding = self._bind(symbol)
        if binding.kind is Kind.OUTSIDE:
            self._put(address, self._stub(binding.value))
        else:
            self._refer(address, binding, 0)

    def _bind(self, symbol: int) -> Binding:
        return self._binder.bind(symbol) if symbol else Binding(Kind.ADDRESS, self._base)

    def _stub(self, slot: int) -> int:
        self.slots.add(slot)
        return STUBS + STUB_SIZE * slot

    def _refer(self, address: int, binding: Binding, addend: int) -> None:
        if binding.kind is Kind.ADDRESS:
            self._put(address, binding.value + addend)
        elif binding.kind is Kind.NOTHING:
            self._put(address, 0)
        elif binding.kind is Kind.RESOLVER:
            self._later(address, FixupKind.RESOLVED, 0, binding.value)
        elif binding.kind is Kind.THREAD:
            raise Refusal("it takes the address of a thread-local variable")
        elif not binding.function:
            self._later(address, FixupKind.DATA, binding.value, addend)
        elif binding.weak:
            self._later(address, FixupKind.WEAK_CALL, binding.value, addend)
            self._stub(binding.value)
        else:
            self._put(address, self._stub(binding.value) + addend)

    def _later(self, address: int, kind: FixupKind, slot: int, value: int) -> None:
        self._put(address, 0)
        self.fixups.append(Fixup(self._base + address, kind, slot, value))

    def _resolved(self, address: int, symbol: int, addend: int) -> None:
        del symbol
        self._later(address, FixupKind.RESOLVED, 0, self._base + addend)

    def _storage(self, symbol: int) -> tuple[Threads | None, int]:
        """The thread-local storage that a relocation means, and the symbol's offset in it."""
        if symbol == 0:
            return self._threads[self._candidate.native.path], 0
        binding = self._binder.bind(symbol)
        if binding.kind is Kind.THREAD:
            return self._threads[binding.owner], binding.value
        if binding.weak or binding.kind is Kind.NOTHING:
            return None, 0
        raise Refusal("a thread-local variable that it uses is none elsewhere")

    def _module(self, address: int, symbol: int, addend: int) -> None:
        del addend
        threads, _ = self._storage(symbol)
        self._put(address, threads.module if threads else 0)

    def _offset(self, address: int, symbol: int, addend: int) -> None:
        self._put(address, self._storage(symbol)[1] + addend)

    def _fixed(self, symbol: int, addend: int) -> int:
        threads, offset = self._storage(symbol)
        if threads is None or not threads.offset:
            raise Refusal("it wants thread-local storage at a fixed place, and there is no room")
        return threads.offset + offset + addend

    def _thread_offset(self, address: int, symbol: int, addend: int) -> None:
        self._put(address, self._fixed(symbol, addend))

    def _descriptor(self, address: int, symbol: int, addend: int) -> None:
        if not self._describer:
            raise Refusal("it uses TLS descriptors")
        self._put(address, self._describer)
        self._put(address + 8, self._fixed(symbol, addend))

    def _dynamic_section(self) -> None:
        dynamic = self._candidate.segment(_PT_DYNAMIC)
        if dynamic is None:
            raise Refusal("it has no dynamic section")
        for at in range(dynamic.address, dynamic.address + dynamic.size, 16):
            tag = self._get(at)
            if tag in _ADDRESS_TAGS:
                _QUAD.pack_into(self.memory, at + 8 - self._start, self._get(at + 8) + self._base)
            if tag == 0:
                break
