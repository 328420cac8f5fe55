"""What is not packaged, as seen when a product is built: the stub with its fixed addresses, and glibc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.elf.loadable import LoadableFile
from coachwhip.elf.tables import ElfError
from coachwhip.errors import ImageError
from coachwhip.prelink.candidate import PT_LOAD, PT_TLS, STT_TLS, defined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Outside", "read_outside"]

#: The stub's functions for prelinked libraries alone have the libc name behind this.
_OWN = "cw_native_"
#: Symbols of the stub that tell about the room for thread-local storage at a fixed place.
_ROOM, _ROOM_OFFSET = "cw_static_tls", "cw_static_tls_offset"


@dataclass(frozen=True)
class Outside:
    """What packaged libraries can be bound to besides one another.

    Attributes:
        stub: the executable's bytes.
        addresses: of the names that the stub offers.
        glibc: names of glibc, each with whether it is a function.
        room: bytes for thread-local storage at a fixed place from the thread pointer.
        room_offset: of its first byte from the thread pointer.
        room_position: where in the file the bytes are that every thread starts with.
    """

    stub: bytes
    addresses: Mapping[str, int]
    glibc: Mapping[str, bool]
    room: int
    room_offset: int
    room_position: int


def read_outside(stub: bytes, glibc: Iterable[bytes]) -> Outside:
    """Read a stub, and the libraries that glibc consists of.

    Raises:
        ImageError: the stub is none.
    """
    try:
        return _read(stub, glibc)
    except ElfError as error:
        raise ImageError(f"the stub can't be read: {error}") from error


def _read(stub: bytes, glibc: Iterable[bytes]) -> Outside:
    file = LoadableFile(stub)
    symbols = {symbol.name: symbol for symbol in file.all_symbols() if defined(symbol)}
    addresses = {name: symbol.value for name, symbol in symbols.items() if symbol.type != STT_TLS}
    own = {name.removeprefix(_OWN): address for name, address in addresses.items() if name.startswith(_OWN)}
    functions: dict[str, bool] = {}
    for library in glibc:
        for symbol in LoadableFile(library).all_symbols():
            if defined(symbol):
                functions[symbol.name] = symbol.type not in (1, 6)
    room, offset, position = symbols.get(_ROOM), 0, 0
    if room is not None and _ROOM_OFFSET in addresses:
        at = _position(file, addresses[_ROOM_OFFSET])
        offset = int.from_bytes(stub[at : at + 8], "little", signed=True)
        position = _position(file, _tls_address(file) + room.value)
    return Outside(stub, addresses | own, functions, room.size if room and offset else 0, offset, position)


def _tls_address(file: LoadableFile) -> int:
    return next(segment.address for segment in file.segments if segment.type == PT_TLS)


def _position(file: LoadableFile, address: int) -> int:
    for segment in file.segments:
        if segment.type == PT_LOAD and segment.address <= address < segment.address + segment.size:
            return segment.offset + address - segment.address
    raise ElfError(f"address {address:#x} is not part of the file")
