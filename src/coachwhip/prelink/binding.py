"""Which definition a reference means: ld.so's search, done when a product is built."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from coachwhip.prelink.candidate import (
    STB_GLOBAL,
    STB_UNIQUE,
    STB_WEAK,
    STT_FUNC,
    STT_IFUNC,
    STT_NOTYPE,
    STT_OBJECT,
    STT_TLS,
    Candidate,
    Refusal,
)
from coachwhip.prelink.model import Slot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coachwhip.elf.loadable import DynamicSymbol
    from coachwhip.prelink.outside import Outside

__all__ = ["Binder", "Binding", "Kind", "LibraryBinder", "scope_of"]

#: What nothing defines in a process that is not profiled and has no transactional memory.
_NOWHERE = frozenset(
    {"__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "_Jv_RegisterClasses"}
)
_PROTECTED = 3


class Kind(Enum):
    """What a reference was bound to."""

    ADDRESS = 0
    RESOLVER = 1
    THREAD = 2
    OUTSIDE = 3
    NOTHING = 4


class Binding(NamedTuple):
    """What a reference was bound to.

    `value` is an address (of the symbol, or of the function that returns its address), an offset in
    thread-local storage, or the number of a slot. `owner` is the path of the library whose storage that is.
    `function` tells of what is outside whether it is one.
    """

    kind: Kind
    value: int = 0
    owner: str = ""
    function: bool = False
    weak: bool = False


def scope_of(path: str, candidates: Mapping[str, Candidate]) -> list[Candidate]:
    """Return a library and the prelinked libraries that it needs, breadth-first."""
    order: list[Candidate] = []
    seen = {path}
    queue = deque([path])
    while queue:
        candidate = candidates.get(queue.popleft())
        if candidate is None:
            continue
        order.append(candidate)
        for _, needed in candidate.native.needed:
            if needed is not None and needed not in seen:
                seen.add(needed)
                queue.append(needed)
    return order


@dataclass(frozen=True)
class _Key:
    name: str
    version: str
    fallback: int
    sources: tuple[str, ...]


class Binder:
    """Binds references of prelinked libraries; numbers the symbols of the outside.

    Args:
        candidates: all libraries that are prelinked, by path.
        bases: the address that each one's own addresses count from.
        outside: stub and glibc.
    """

    def __init__(
        self, candidates: Mapping[str, Candidate], bases: Mapping[str, int], outside: Outside
    ) -> None:
        self._candidates = candidates
        self._bases = bases
        self._outside = outside
        self._numbers: dict[_Key, int] = {}
        self._strong: set[int] = set()

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All symbols of the outside so far."""
        return tuple(
            Slot(key.name, key.version, key.fallback, weak=number not in self._strong)
            for key, number in self._numbers.items()
        )

    def library(self, candidate: Candidate) -> LibraryBinder:
        """Return what binds the references of one library."""
        return LibraryBinder(self, candidate, scope_of(candidate.native.path, self._candidates))

    def definition(self, owner: Candidate, symbol: DynamicSymbol) -> Binding:
        """Bind to a packaged library's definition."""
        if symbol.type == STT_TLS:
            return Binding(Kind.THREAD, symbol.value, owner.native.path)
        base = 0 if symbol.absolute else self._bases[owner.native.path]
        kind = Kind.RESOLVER if symbol.type == STT_IFUNC else Kind.ADDRESS
        return Binding(kind, base + symbol.value)

    def from_stub(self, name: str) -> Binding | None:
        """Bind to what the stub offers under a name."""
        address = self._outside.addresses.get(name)
        return None if address is None else Binding(Kind.ADDRESS, address)

    def in_glibc(self, name: str) -> bool:
        """Return whether glibc has a symbol of this name."""
        return name in self._outside.glibc

    def slot(self, symbol: DynamicSymbol, sources: Iterable[str], fallback: int = 0) -> Binding:
        """Bind to the outside; `sources` are the outside libraries that may have it."""
        in_glibc = self.in_glibc(symbol.name)
        key = _Key(symbol.name, symbol.version, fallback, () if in_glibc else tuple(sources))
        number = self._numbers.setdefault(key, len(self._numbers))
        weak = symbol.binding == STB_WEAK
        if not weak:
            self._strong.add(number)
        function = symbol.type in (STT_FUNC, STT_IFUNC) or (
            symbol.type == STT_NOTYPE and self._outside.glibc.get(symbol.name, False)
        )
        return Binding(Kind.OUTSIDE, number, function=function, weak=weak)


class LibraryBinder:
    """Binds the references of one library."""

    def __init__(self, binder: Binder, own: Candidate, scope: list[Candidate]) -> None:
        self._binder = binder
        self._own = own
        self._scope = scope
        paths = {candidate.native.path for candidate in scope}
        self._sources = [
            name
            for candidate in scope
            for name, path in candidate.native.needed
            if path is None or path not in paths
        ]
        self._known: dict[int, Binding] = {}

    def bind(self, index: int) -> Binding:
        """Return what the library's dynamic symbol number `index` means.

        Raises:
            Refusal: it means something that can't be bound when a product is built.
        """
        known = self._known.get(index)
        if known is None:
            if not 0 < index < len(self._own.symbols):
                raise Refusal("a relocation names a symbol that does not exist")
            known = self._known[index] = self._bind(self._own.symbols[index])
        return known

    def _bind(self, symbol: DynamicSymbol) -> Binding:
        binder, own = self._binder, self._own
        if symbol.defined and (
            symbol.binding not in (STB_GLOBAL, STB_WEAK, STB_UNIQUE)
            or symbol.visibility == _PROTECTED
            or own.symbolic
        ):
            return binder.definition(own, symbol)
        if (from_stub := binder.from_stub(symbol.name)) is not None:
            return from_stub
        found = self._search(symbol)
        # The loader asks libc first; a version of the library's own is none of libc's.
        of_glibc = binder.in_glibc(symbol.name) and _is_for_glibc(symbol.version)
        if found is not None and found.kind is Kind.ADDRESS and of_glibc:
            return binder.slot(symbol, (), found.value)
        if found is not None:
            return found
        if symbol.binding == STB_WEAK and symbol.name in _NOWHERE:
            return Binding(Kind.NOTHING)
        if symbol.type == STT_TLS:
            raise Refusal(f"it uses {symbol.name}, a thread-local variable that is not packaged")
        return binder.slot(symbol, self._sources)

    def _search(self, symbol: DynamicSymbol) -> Binding | None:
        """Look through the library and those that it needs.

        A variable that several of them define as one that may exist several times (as C++ does with static
        variables of inline functions) is that of the last one, which all that need that one agree on.
        """
        found: tuple[Candidate, DynamicSymbol] | None = None
        for candidate in self._scope:
            match = _match(candidate.exports.get(symbol.name, ()), symbol.version)
            if match is None:
                continue
            if found is None or (_is_shared(found[1]) and _is_shared(match)):
                found = candidate, match
            if not _is_shared(found[1]):
                break
        return None if found is None else self._binder.definition(*found)


def _is_for_glibc(version: str) -> bool:
    return not version or version.startswith("GLIBC_")


def _is_shared(symbol: DynamicSymbol) -> bool:
    return (
        symbol.type in (STT_OBJECT, STT_TLS)
        and symbol.binding in (STB_WEAK, STB_UNIQUE)
        and not symbol.name.startswith("_ZT")
    )


def _match(definitions: Iterable[DynamicSymbol], version: str) -> DynamicSymbol | None:
    """The definition for a reference: that of its version, else one that is for everybody."""
    common = None
    for definition in definitions:
        if version and definition.version == version:
            return definition
        if not definition.version or (not version and not definition.hidden):
            common = common or definition
    if common is None and not version:
        return next(iter(definitions), None)
    return common
