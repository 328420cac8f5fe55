"""From a lock file for many machines to the files for one target. Pure."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockValidationError,
)
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from coachwhip.errors import InputError, ResolutionError
from coachwhip.resolve.model import Kind, LockedFile, NewerGlibc
from coachwhip.target import (
    fits,
    format_tags,
    glibc_needed,
    marker_environment,
    newer_glibc_tags,
    supported_tags,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from packaging.tags import Tag

    from coachwhip.model import Target

__all__ = ["Misfit", "Selection", "parse_lock", "select", "wheels_of"]


@dataclass(frozen=True)
class Misfit:
    """A project whose wheels need a newer glibc than the target has.

    Attributes:
        name: of the project.
        version: that was chosen.
        glibc: the oldest glibc for which there is a wheel.
        tags: the tag sets of the wheels that would fit a target with a newer glibc.
    """

    name: str
    version: str
    glibc: tuple[int, int]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """What to take of a lock, what of it needs a newer glibc than was preferred, and what does not fit."""

    files: tuple[LockedFile, ...]
    misfits: tuple[Misfit, ...]
    newer: tuple[NewerGlibc, ...] = ()


def parse_lock(text: str, where: str) -> Pylock:
    """Read a `pylock.toml`.

    Args:
        text: its content.
        where: its name, for messages.

    Raises:
        InputError: it is not one.
    """
    try:
        return Pylock.from_dict(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, PylockValidationError) as error:
        raise InputError(
            f"{where} is not a valid lock file: {error}",
            hint="write it anew, for example with `uv export --format pylock.toml`, or remove it",
        ) from error


def select(  # noqa: PLR0913 - each is told apart by name
    lock: Pylock,
    target: Target,
    python_version: str,
    base: Path,
    *,
    from_source: Collection[str] = (),
    extras: Collection[str] = (),
    groups: Collection[str] | None = None,
) -> Selection:
    """Choose one file per project that `target` needs.

    Args:
        lock: the lock file.
        target: what to choose for. Where it is not firm, wheels for a newer glibc are taken, those for the
            oldest one possible, of releases that have no others.
        python_version: full version of the target's interpreter.
        base: what relative paths in the lock are relative to.
        from_source: normalised names of projects whose sdist is wanted even where a wheel fits.
        extras: of the lock.
        groups: dependency groups of the lock; its default ones when None.

    Raises:
        ResolutionError: the lock has nothing for this target.
    """
    files: list[LockedFile] = []
    misfits: list[Misfit] = []
    newer: list[NewerGlibc] = []
    chosen = lock.select(
        environment=marker_environment(target, python_version),  # type: ignore[arg-type]
        tags=[*supported_tags(target), *newer_glibc_tags(target)],
        extras=extras,
        dependency_groups=groups,
        prefer_sdist_predicate=lambda name: name in from_source,
    )
    try:
        for package, taken in chosen:
            if isinstance(taken, PackageWheel) and not fits(_tags(taken), target):
                misfit = _misfit(package, target)
                if target.firm:
                    misfits.append(misfit)
                    continue
                newer.append(NewerGlibc(misfit.name, misfit.version, misfit.glibc))
            files.append(_locked(package, taken, base))
            if isinstance(taken, PackageArchive) and not target.firm:
                newer += _newer_archive(files[-1], target)
    except PylockSelectError as error:
        raise _unavailable(lock, target, error) from error
    return Selection(tuple(sorted(files, key=lambda file: file.name)), tuple(misfits), tuple(newer))


def wheels_of(lock: Pylock, name: str) -> tuple[str, ...]:
    """Return the tag sets of all wheels that a lock lists for a project, sorted."""
    wheels = [wheel for package in lock.packages if package.name == name for wheel in package.wheels or ()]
    return tuple(sorted({format_tags(_tags(wheel)) for wheel in wheels}))


def _tags(wheel: PackageWheel) -> frozenset[Tag]:
    return parse_wheel_filename(wheel.filename)[3]


def _misfit(package: Package, target: Target) -> Misfit:
    needed = {tags: glibc_needed(tags, target) for tags in map(_tags, package.wheels or ())}
    found = {tags: glibc for tags, glibc in needed.items() if glibc is not None}
    return Misfit(
        package.name,
        str(package.version or ""),
        min(found.values()),
        tuple(format_tags(tags) for tags in sorted(found, key=lambda tags: found[tags])),
    )


def _newer_archive(file: LockedFile, target: Target) -> list[NewerGlibc]:
    """A wheel that was named by its place and needs a newer glibc than is preferred."""
    try:
        tags = parse_wheel_filename(file.filename)[3]
    except InvalidWheelFilename:
        return []  # an sdist, or what reading it will complain about
    glibc = glibc_needed(tags, target)
    return [NewerGlibc(file.name, file.version, glibc)] if glibc and glibc > target.glibc else []


def _locked(
    package: Package,
    taken: PackageVcs | PackageDirectory | PackageArchive | PackageWheel | PackageSdist,
    base: Path,
) -> LockedFile:
    version = str(package.version or "")
    if isinstance(taken, PackageVcs):
        location = taken.url or _absolute(taken.path or "", base)
        return LockedFile(
            package.name,
            version,
            Kind.VCS,
            location,
            commit=taken.commit_id,
            subdirectory=taken.subdirectory or "",
        )
    if isinstance(taken, PackageDirectory):
        location = _absolute(taken.path, base)
        return LockedFile(
            package.name, version, Kind.DIRECTORY, location, subdirectory=taken.subdirectory or ""
        )
    location = taken.url or _absolute(taken.path or "", base)
    if location.startswith("file://"):
        location = unquote(urlsplit(location).path)
    if isinstance(taken, PackageArchive):
        filename = unquote(PurePosixPath(urlsplit(location).path if "://" in location else location).name)
        subdirectory = taken.subdirectory or ""
    else:
        filename, subdirectory = taken.filename, ""
    kind = Kind.WHEEL if filename.endswith(".whl") else Kind.SDIST
    sha256 = taken.hashes.get("sha256", "")
    return LockedFile(package.name, version, kind, location, filename, sha256, subdirectory=subdirectory)


def _absolute(path: str, base: Path) -> str:
    # Lexically, and not through symbolic links: what a lock calls `..` is what its writer saw.
    return str((base / path).absolute())


def _unavailable(lock: Pylock, target: Target, error: PylockSelectError) -> ResolutionError:
    """Name the projects of which nothing fits, with what there is of them."""
    acceptable = {*supported_tags(target), *newer_glibc_tags(target)}
    lines = []
    for package in lock.packages:
        wheels = [_tags(wheel) for wheel in package.wheels or ()]
        if wheels and package.sdist is None and not any(acceptable & tags for tags in wheels):
            exists = ", ".join(sorted({format_tags(tags) for tags in wheels}))
            lines.append(f"{package.name}=={package.version}: {exists}")
    if not lines:
        return ResolutionError(f"the lock file can't be used for {target}: {error}")
    return ResolutionError(
        f"no wheel fits {target}, and there are no sources to build: {lines[0].split(':')[0]}",
        hint="take another release, or one with sources",
        detail="wheels that exist:\n" + "\n".join(lines),
    )
