"""What a wheel file is and needs: its name, its tags, and the newest glibc among its libraries."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import asdict, dataclass
from email.parser import HeaderParser
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from coachwhip.effects.download import sha256_of
from coachwhip.elf import ElfError, is_elf, native_lib, read_header
from coachwhip.errors import InputError, ResolutionError
from coachwhip.target import fits, glibc_needed

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.tags import Tag

    from coachwhip.model import NativeLib, Target

__all__ = ["Native", "WheelFacts", "check_fits", "read_wheel", "tags_of"]


@dataclass(frozen=True)
class Native:
    """An ELF file in a wheel.

    Attributes:
        path: inside the wheel.
        machine: that it is for, as `uname -m` gives it.
        needed: the libraries that it asks for.
        glibc: the newest glibc that it requires; `(0, 0)` when none.
        symbol: one symbol that requires it.
    """

    path: str
    machine: str
    needed: tuple[str, ...]
    glibc: tuple[int, int]
    symbol: str


@dataclass(frozen=True)
class WheelFacts:
    """What was found in a wheel file.

    Attributes:
        filename: its name.
        name: normalised project name.
        version: as in its metadata.
        sha256: of the file, hex.
        tags: its tag set as in the file name.
        natives: its ELF files.
    """

    filename: str
    name: str
    version: str
    sha256: str
    tags: str
    natives: tuple[Native, ...]

    def document(self) -> dict[str, Any]:
        """Return the facts as values that JSON can hold."""
        return asdict(self)

    @classmethod
    def parse(cls, document: dict[str, Any]) -> WheelFacts:
        """Return the facts of a decoded `document()`; ValueError, KeyError or TypeError when it is none."""
        natives = tuple(
            Native(n["path"], n["machine"], tuple(n["needed"]), (n["glibc"][0], n["glibc"][1]), n["symbol"])
            for n in document["natives"]
        )
        return cls(**{**document, "natives": natives})


def tags_of(filename: str) -> frozenset[Tag]:
    """Return the tags in a wheel's file name.

    Raises:
        InputError: it is not the name of a wheel.
    """
    try:
        return parse_wheel_filename(filename)[3]
    except InvalidWheelFilename as error:
        raise InputError(
            f"{filename} is not a valid name for a wheel: {error}",
            hint="wheels are called NAME-VERSION-PYTHON-ABI-PLATFORM.whl; don't rename them",
        ) from error


def read_wheel(path: Path) -> WheelFacts:
    """Read a whole wheel, every checksum in it included.

    Raises:
        InputError: it is damaged, or not a wheel.
        MachineError: it can't be read.
    """
    tags_of(path.name)
    sha256 = sha256_of(path)
    name, version, _, _ = parse_wheel_filename(path.name)
    natives: list[Native] = []
    try:
        with zipfile.ZipFile(path) as archive:
            info = _info_directory(archive, path.name, name)
            metadata = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode("utf-8"))
            archive.getinfo(f"{info}/WHEEL")
            archive.getinfo(f"{info}/RECORD")
            for member in archive.infolist():
                _check_place(member.filename, path.name)
                data = archive.read(member)
                if is_elf(data):
                    natives.append(_native(member.filename, data))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        UnicodeDecodeError,
        NotImplementedError,
    ) as error:
        raise _damaged(path.name, str(error).strip("'\"")) from error
    found = canonicalize_name(str(metadata["Name"] or ""))
    if found != name:
        raise _damaged(path.name, f"its metadata is that of {found or 'nothing'}")
    return WheelFacts(
        filename=path.name,
        name=name,
        version=str(metadata["Version"] or version),
        sha256=sha256,
        tags="-".join(path.stem.split("-")[-3:]),
        natives=tuple(natives),
    )


def check_fits(facts: WheelFacts, target: Target) -> None:
    """Make sure that a wheel can be used on `target`, by its tags and by the libraries in it.

    Libraries that need more than the tags promise raise the glibc of a target that is not firm.

    Raises:
        ResolutionError: it can't.
    """
    tags = parse_tag(facts.tags)
    if not fits(tags, target):
        needed = glibc_needed(tags, target)
        if needed is None:
            raise ResolutionError(
                f"{facts.filename} is not for {target}",
                hint=_where_it_fits(tags),
                detail=f"its tags: {facts.tags}",
            )
        raise ResolutionError(
            f"{facts.filename} is for glibc {needed[0]}.{needed[1]} and newer, not for {target}",
            hint=f"use --glibc {needed[0]}.{needed[1]} to accept it",
        )
    for native in facts.natives if target.firm else ():
        # Files for other machines are data to whoever ships them.
        if native.machine == target.arch and native.glibc > target.glibc:
            floor = "{}.{}".format(*native.glibc)
            raise ResolutionError(
                f"{native.path} in {facts.filename} needs glibc {floor} ({native.symbol}), whatever the "
                f"wheel's tags promise; the target is {target}",
                hint=f"use --glibc {floor} to accept it, or take another release",
            )


def _where_it_fits(tags: frozenset[Tag]) -> str:
    platforms = sorted({tag.platform for tag in tags})
    if any(platform.startswith("linux_") for platform in platforms):
        return (
            "a wheel tagged linux_... works on the machine that built it; name its sources to have it built"
        )
    interpreters = ", ".join(sorted({tag.interpreter for tag in tags}))
    return f"it is for {interpreters} on {', '.join(platforms)}"


def _native(path: str, data: bytes) -> Native:
    # Shipped as data there may be anything that only begins like an ELF file, test files for example.
    try:
        machine = read_header(data).machine
        library: NativeLib = native_lib(data)
    except ElfError:
        return Native(path, "", (), (0, 0), "")
    return Native(path, machine, library.needed, library.glibc, library.glibc_symbol)


def _info_directory(archive: zipfile.ZipFile, filename: str, name: str) -> str:
    tops = {PurePosixPath(member).parts[0] for member in archive.namelist() if "/" in member}
    found = [top for top in tops if top.endswith(".dist-info")]
    mine = [
        top for top in found if canonicalize_name(top.removesuffix(".dist-info").rpartition("-")[0]) == name
    ]
    if len(mine) != 1:
        raise _damaged(
            filename, "it has no .dist-info directory of its own" if not mine else "it has several"
        )
    return mine[0]


def _check_place(member: str, filename: str) -> None:
    path = PurePosixPath(member)
    if path.is_absolute() or ".." in path.parts:
        raise _damaged(filename, f"it would write outside of its place: {member}")


def _damaged(filename: str, why: str) -> InputError:
    return InputError(f"{filename} is damaged or not a wheel: {why}", hint="get it again, or build it anew")
