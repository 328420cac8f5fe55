"""The functions that compilers call by themselves (128-bit division, complex arithmetic), and only those.

zig's compiler_rt is one object, in which there are also `memcmp`, `log2`, `fma` and 80 more of libc's own:
whoever needs one division of 128-bit numbers gets all of them, slower and less exact than glibc's, in place
of glibc's. So it is compiled once here, libc's names in it are replaced by others, and extension modules
are linked with the result.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import atomic_write, translated_os_errors
from coachwhip.effects.process import run
from coachwhip.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.effects.cache import Cache
    from coachwhip.model import Target
    from coachwhip.resolve.toolchain import Zig

__all__ = ["compiler_builtins", "without_libc_names"]

_SHT_SYMTAB = 2
_SECTION = "<IIQQQQIIQQ"
_SYMBOL_SIZE = 24
_PREFIX = b"__coachwhip_"


def compiler_builtins(zig: Zig, target: Target, cache: Cache, environ: Mapping[str, str]) -> Path:
    """Return the archive to link with; made on first use, which takes about ten seconds.

    Raises:
        BuildError: zig does not compile its own library.
        MachineError: the cache can't be written.
    """
    archive = cache.area("zig") / f"builtins-{zig.version}-{target.arch}.a"
    if not archive.exists():
        with cache.lock(archive.name):
            if not archive.exists():
                _make(archive, zig, target, environ)
    return archive


def without_libc_names(data: bytes) -> bytes:
    """Return a 64-bit object file in which no symbol has a name that libc may have.

    The compiler's own functions begin with two underscores, libc's do not.

    Raises:
        ValueError: it is not such a file.
    """
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit ELF file")
    out = bytearray(data)
    try:
        (table,) = struct.unpack_from("<Q", data, 40)
        size, count = struct.unpack_from("<HH", data, 58)
        sections = [struct.unpack_from(_SECTION, data, table + number * size) for number in range(count)]
        symbols = next(section for section in sections if section[1] == _SHT_SYMTAB)
        strings = sections[symbols[6]]
        names = bytearray(data[strings[4] : strings[4] + strings[5]])
        for place in range(symbols[4], symbols[4] + symbols[5], _SYMBOL_SIZE):
            (offset,) = struct.unpack_from("<I", data, place)
            name = bytes(names[offset : names.index(0, offset)])
            if name and not name.startswith(b"__") and data[place + 4] >> 4:
                struct.pack_into("<I", out, place, len(names))
                names += _PREFIX + name + b"\0"
        # The longer table of names goes to the end; where the old one was, nobody looks any more.
        struct.pack_into("<QQ", out, table + symbols[6] * size + 24, len(out), len(names))
    except (struct.error, StopIteration, IndexError, OverflowError) as error:
        raise ValueError(f"a damaged ELF file: {error}") from error
    return bytes(out + names)


def _make(archive: Path, zig: Zig, target: Target, environ: Mapping[str, str]) -> None:
    source = zig.executable.parent / "lib" / "compiler_rt.zig"
    with translated_os_errors("make the compiler's functions"), tempfile.TemporaryDirectory() as name:
        made = Path(name) / "builtins.o"
        flags = ["-OReleaseFast", "-fPIC", "-fstrip", "-mcpu=baseline", "-target", f"{target.arch}-linux-gnu"]
        done = run([zig.executable, "build-obj", source, *flags, f"-femit-bin={made}"], env=environ)
        if not done.ok:
            raise BuildError("zig can't compile its own compiler_rt", detail=done.stderr.strip())
        made.write_bytes(without_libc_names(made.read_bytes()))
        with atomic_write(archive) as temporary:
            done = run([zig.executable, "ar", "rcsD", temporary, made], env=environ)
            if not done.ok:
                raise BuildError("zig can't make an archive", detail=done.stderr.strip())
