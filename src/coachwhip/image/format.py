"""The structures of the image format, version 2; `stub/image.h` says the same in C.

Everything is little-endian. `tests/stub` holds the two definitions against each other.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag

__all__ = [
    "BLOB",
    "FIXUP",
    "HEADER",
    "IMAGE_ADDRESS",
    "LIBRARY",
    "LIST",
    "MAGIC",
    "NEED",
    "NODE",
    "NO_CONTENT",
    "PAGE",
    "PAGE_RUN",
    "PIECE",
    "RANGE",
    "SEGMENT_TAG",
    "SETTINGS",
    "SLOT",
    "SNAPSHOT_HEAD",
    "SNAPSHOT_MAGIC",
    "SNAPSHOT_RANGE",
    "SNAPSHOT_ROOM",
    "STRING",
    "VERSION",
    "NodeFlag",
    "NodeKind",
    "Section",
    "SettingsFlag",
    "SlotFlag",
]

MAGIC = b"CWIMAGE\0"
VERSION = 2
PAGE = 4096

#: Value of `p_paddr` that marks the program header of the image ("ACOWHPW1" read as bytes).
SEGMENT_TAG = 0x31504857434F4143

#: Where the image is mapped beside a stub that is not position-independent: above the stub, below the
#: 39-bit limit of small kernels, and far enough from both for a heap between them.
IMAGE_ADDRESS = 0x4_0000_0000


class Section(IntEnum):
    """Parts of an image in their order in the file."""

    NODES = 0
    STRINGS = 1
    PATHS = 2
    DEPS = 3
    LISTS = 4
    SETTINGS = 5
    MANIFEST = 6
    LIBRARIES = 7
    PIECES = 8
    NEEDS = 9
    SLOTS = 10
    USES = 11
    FIXUPS = 12
    DATA = 13
    PAGES = 14
    SNAPSHOT = 15


class NodeKind(IntEnum):
    """What a node is."""

    DIRECTORY = 0
    FILE = 1


class NodeFlag(IntFlag):
    """Properties of a file node."""

    HAS_DATA = 1
    HAS_CODE = 2
    DATA_ZSTD = 4
    EXECUTABLE = 8
    NATIVE = 16
    QUIET = 32
    DATA_DIFFERENCE = 64


class SettingsFlag(IntFlag):
    """Switches of a product."""

    INTERPRETER = 1
    ENVIRONMENT = 2
    REBAKE = 4


class SlotFlag(IntFlag):
    """Properties of a symbol of the outside."""

    WEAK = 1


#: magic, version, header size, image size, file size, image id, stub id; then the section ranges,
#: the tables' checksum and the header's checksum.
HEADER = struct.Struct("<8sIIQQ32s32s")
RANGE = struct.Struct("<QQ")
STRING = struct.Struct("<II")
LIST = struct.Struct("<II")
BLOB = struct.Struct("<QQQQ")
#: parent, first child, child count, first dependency, dependency count, kind, flags; a STRING (the path)
#: stands before it, the data blob and the code blob behind it.
NODE = struct.Struct("<IIIIIHH")
#: flags, optimize, entry node, reserved; then name, version, python, entry module (strings), X options,
#: warning filters, path lines (lists).
SETTINGS = struct.Struct("<IIII")
#: node, TLS module; base, start, size; soname (string), folders (list); pieces, needs, uses, fixups (first
#: and count each); dynamic section, program headers, their count; number of symbols; addresses of symbols
#: and strings, size of strings, addresses of hash, versions, definitions; DT_INIT, DT_FINI, arrays of them
#: and their counts; unwinding table; TLS: image, size, room, alignment, offset.
LIBRARY = struct.Struct("<II QQQ II II IIIIIIII QQ II QQQQQQ QQQQ II Q QQQQ q")
#: address, size, offset in the pages, protection, reserved
PIECE = struct.Struct("<QQQII")
#: Offset of a piece that starts as zeros.
NO_CONTENT = 0xFFFFFFFFFFFFFFFF
#: name (string), node, reserved
NEED = struct.Struct("<IIII")
#: name, version (strings), fallback, flags, reserved
SLOT = struct.Struct("<IIIIQII")
#: address, kind, slot, value
FIXUP = struct.Struct("<QIIq")
#: magic, size, stub id, image id, tables' checksum, ends of heap and arenas, number of ranges, sizes of
#: thread-locals, gates, plan and working set, processor, checksum
SNAPSHOT_HEAD = struct.Struct("<8sQ32s32sQQQIIQQQ24sQ")
#: address, size, offset in the snapshot
SNAPSHOT_RANGE = struct.Struct("<QQQ")
#: first page, counted from the snapshot's start, and how many
PAGE_RUN = struct.Struct("<II")
SNAPSHOT_MAGIC = b"CWSNAP\0\3"
#: Bytes before those of the ranges.
SNAPSHOT_ROOM = 32768
HEADER_SIZE = HEADER.size + len(Section) * RANGE.size + 16
NODE_SIZE = STRING.size + NODE.size + 2 * BLOB.size
SETTINGS_SIZE = SETTINGS.size + 4 * STRING.size + 3 * LIST.size
