"""The files of a wheel, where they belong in a product. Reads the wheel through `installer`."""

from __future__ import annotations

import base64
import hashlib
import io
import posixpath
import zipfile
from typing import TYPE_CHECKING, BinaryIO

from installer import install
from installer.destinations import WheelDestination
from installer.exceptions import InstallerError
from installer.records import Hash, InvalidRecordEntry, RecordEntry
from installer.sources import WheelFile
from installer.utils import construct_record_file

from coachwhip.collect.entry import interpreter_path, with_interpreter
from coachwhip.collect.model import Note, RawFile, site_packages
from coachwhip.effects.source import ZIP_DAMAGE, sha256_of
from coachwhip.errors import BuildError, InputError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from installer.scripts import ScriptSection
    from installer.sources import WheelContentElement
    from installer.utils import Scheme

    from coachwhip.model import Wheel

__all__ = ["read_wheel"]


def read_wheel(wheel: Wheel, python_version: str) -> tuple[list[RawFile], list[Note]]:
    """Read a wheel and check it against its hash and its RECORD.

    Files come with their paths below the product's root: modules and metadata in `site-packages`, scripts in
    `bin`, data at the root. C headers and compiled caches are left out. Console scripts are not made: a
    product has only its own.

    Raises:
        InputError: the wheel is damaged, and the user named it.
        BuildError: the wheel is damaged, and came from elsewhere.
        MachineError: it can't be read.
    """
    if sha256_of(wheel.path) != wheel.sha256:
        raise _damaged(wheel, "its SHA-256 is not the one that was expected")
    destination = _Destination(python_version)
    try:
        with zipfile.ZipFile(wheel.path) as archive:
            source = _CheckedWheel(archive)
            install(source, destination, {"INSTALLER": b"coachwhip\n"})
    except ZIP_DAMAGE as error:
        raise _damaged(wheel, f"its archive is damaged: {error}") from error
    except (InstallerError, InvalidRecordEntry, ValueError, KeyError, AssertionError) as error:
        raise _damaged(wheel, str(error)) from error
    return destination.files, [*source.notes, *destination.notes]


def _damaged(wheel: Wheel, reason: str) -> InputError | BuildError:
    kind = InputError if wheel.origin == "local" else BuildError
    hint = {
        "local": "get or build that wheel anew",
        "built": "this is the result of the project's build backend; look there for the cause",
    }.get(wheel.origin, "fetch it again: `coachwhip cache prune` drops damaged downloads")
    return kind(f"the wheel {wheel.path.name} can't be used: {reason}", hint=hint)


class _CheckedWheel(WheelFile):
    """A wheel whose files are compared with RECORD while they are read, each only once."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        super().__init__(archive)
        self.notes: list[Note] = []

    def get_contents(self) -> Iterator[WheelContentElement]:
        for elements, stream, executable in super().get_contents():
            path = elements[0]
            # Compiled for another interpreter or from another text; Python would not trust them either.
            if "__pycache__" in path.split("/"):
                continue
            content = stream.read()
            if path != f"{self.dist_info_dir}/RECORD":
                self._check(RecordEntry.from_elements(*elements), content)
            yield elements, io.BytesIO(content), executable

    def _check(self, entry: RecordEntry, content: bytes) -> None:
        if entry.hash_ is None:
            if not entry.path.startswith(self.dist_info_dir):
                self.notes.append(Note(entry.path, "is not listed with a hash in its wheel's RECORD"))
        elif not entry.validate(content):
            raise ValueError(f"{entry.path} is not what its RECORD says")


class _Destination(WheelDestination):
    """Keeps what would be installed."""

    def __init__(self, python_version: str) -> None:
        packages = site_packages(python_version)
        self._interpreter = interpreter_path(python_version)
        self._roots = {"purelib": packages, "platlib": packages, "scripts": "bin", "data": ""}
        self.files: list[RawFile] = []
        self.notes: list[Note] = []

    def write_script(self, name: str, module: str, attr: str, section: ScriptSection) -> RecordEntry:
        """Make none: what a product runs is not a file of the wheel's."""
        del module, attr, section
        return RecordEntry(name, None, None)

    def write_file(
        self,
        scheme: Scheme,
        path: str | os.PathLike[str],
        stream: BinaryIO,
        is_executable: bool,  # noqa: FBT001
    ) -> RecordEntry:
        """Keep one file."""
        name = posixpath.normpath(str(path))
        content = stream.read()
        entry = RecordEntry(name, Hash("sha256", _record_hash(content)), len(content))
        if name.startswith(("../", "/")) or name == "..":
            raise ValueError(f"{path} lies outside of the wheel")
        if scheme == "headers":
            return entry
        if scheme == "scripts":
            content = with_interpreter(content, self._interpreter)
        where = posixpath.join(self._roots[scheme], name)
        self.files.append(RawFile(where, content, executable=is_executable or scheme == "scripts"))
        return entry

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """Write RECORD for what was kept, so that `importlib.metadata` lists these files."""
        kept = [item for item in records if item[0] != "headers" and (item[1].hash_ or item[0] == scheme)]
        home = self._roots[scheme]

        def prefix(other: str) -> str | None:
            if other == scheme or self._roots[other] == home:
                return None
            return posixpath.relpath("/" + self._roots[other], "/" + home) + "/"

        with construct_record_file(kept, prefix) as stream:
            self.files.append(RawFile(posixpath.join(home, record_file_path), stream.read()))


def _record_hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
