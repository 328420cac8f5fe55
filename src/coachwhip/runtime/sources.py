"""Gets the archives of a recipe: from upstream, else from Debian."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.download import Download, Downloader, sha256_of
from coachwhip.effects.files import atomic_write, remove_tree, translated_os_errors
from coachwhip.errors import NetworkError, ResolutionError, RuntimeBuildError
from coachwhip.runtime.debian import PrivateApt
from coachwhip.runtime.packages import is_package, unpack_package

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coachwhip.effects.cache import Cache
    from coachwhip.progress import Progress
    from coachwhip.runtime.recipe import Origin, SourceRecipe

__all__ = ["Archive", "obtain_archives", "unpack"]

_PARALLEL_DOWNLOADS = 6


@dataclass(frozen=True)
class Archive:
    """A source archive on this machine.

    Attributes:
        version: of the release, which differs from the recipe's only for a security fix from Debian.
        sha256: of the file.
        origin: address, or `debian:PACKAGE=VERSION`, or `debian:pool/main/PATH`.
        path: the file.
    """

    version: str
    sha256: str
    origin: str
    path: Path


def obtain_archives(
    sources: Sequence[SourceRecipe], cache: Cache, environ: Mapping[str, str], progress: Progress
) -> dict[str, Archive]:
    """Return an archive for each source, by the source's name; downloads what the cache lacks.

    Raises:
        NetworkError: a source can be had from none of its origins.
    """
    with cache.lock("sources"):
        area = cache.area("sources")
        found = {source.name: _cached(source, area) for source in sources}
        missing = [source for source in sources if found[source.name] is None]
        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            results = pool.map(lambda source: _from_upstream(source, area, environ, progress), missing)
            found |= dict(zip((source.name for source in missing), results, strict=True))
        missing = [source for source in sources if found[source.name] is None]
        if missing:
            found |= _from_debian(missing, area, environ, progress)
    return {name: archive for name, archive in found.items() if archive is not None}


def _record(source: SourceRecipe, area: Path) -> Path:
    return area / f"{source.name}-{source.version}-{source.origins[0].sha256[:12]}.json"


def _cached(source: SourceRecipe, area: Path) -> Archive | None:
    try:
        record = json.loads(_record(source, area).read_text())
        archive = Archive(record["version"], record["sha256"], record["origin"], area / record["file"])
        return archive if archive.path.exists() and sha256_of(archive.path) == archive.sha256 else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _store(source: SourceRecipe, area: Path, archive: Archive) -> Archive:
    record = {
        "version": archive.version,
        "sha256": archive.sha256,
        "origin": archive.origin,
        "file": archive.path.name,
    }
    with translated_os_errors("store a download"), atomic_write(_record(source, area)) as temporary:
        temporary.write_text(json.dumps(record, indent=1))
    return archive


def _from_upstream(
    source: SourceRecipe, area: Path, environ: Mapping[str, str], progress: Progress
) -> Archive | None:
    for origin in source.origins:
        if not origin.url:
            continue
        path = area / f"{origin.sha256[:12]}-{origin.url.rpartition('/')[2]}"
        try:
            Downloader(environ).get_all([Download(origin.url, origin.sha256, path)])
        except (NetworkError, ResolutionError) as error:
            progress.detail(error.message)
        else:
            return _store(source, area, Archive(source.version, origin.sha256, origin.url, path))
    return None


def _from_debian(
    sources: Sequence[SourceRecipe], area: Path, environ: Mapping[str, str], progress: Progress
) -> dict[str, Archive]:
    names = ", ".join(source.title for source in sources)
    if not PrivateApt.usable():
        raise NetworkError(
            f"can't download the source of {names}",
            hint="check the network and proxies (-v shows the addresses), "
            "or install a ready-made runtime with --find-links",
        )
    progress.note(f"taking sources from Debian: {names}")
    with tempfile.TemporaryDirectory(prefix="coachwhip-apt-") as scratch:
        apt = PrivateApt(Path(scratch), environ)
        if any(origin.debian for source in sources for origin in source.origins):
            apt.update()
        return {source.name: _one_from_debian(source, apt, Path(scratch), area) for source in sources}


def _one_from_debian(source: SourceRecipe, apt: PrivateApt, scratch: Path, area: Path) -> Archive:
    for origin in source.origins:
        if origin.pool and (found := _package(source, origin, apt, scratch, area)):
            return found
        if not origin.debian:
            continue
        for candidate in apt.find(origin.debian, origin.sha256, source.version, source.series):
            file = apt.fetch(candidate, scratch)
            if file is None:
                continue
            path = area / f"{candidate.sha256[:12]}-{candidate.file}"
            with translated_os_errors("store a source archive"), atomic_write(path) as temporary:
                shutil.copyfile(file, temporary)
            exact = candidate.sha256 == origin.sha256
            version = source.version if exact else candidate.upstream_version
            where = f"debian:{candidate.package}={candidate.version}"
            return _store(source, area, Archive(version, candidate.sha256, where, path))
    raise NetworkError(
        f"neither upstream nor Debian has {source.title} {source.version} any more",
        hint="a newer version of coachwhip knows newer sources: `pip install --upgrade coachwhip`",
    )


def _package(
    source: SourceRecipe, origin: Origin, apt: PrivateApt, scratch: Path, area: Path
) -> Archive | None:
    file = apt.fetch_package(origin.pool, origin.sha256, scratch)
    if file is None:
        return None
    path = area / f"{origin.sha256[:12]}-{file.name}"
    with translated_os_errors("store a package"), atomic_write(path) as temporary:
        shutil.copyfile(file, temporary)
    where = f"debian:pool/main/{origin.pool}"
    return _store(source, area, Archive(source.version, origin.sha256, where, path))


def unpack(archive: Archive, directory: Path) -> None:
    """Unpack an archive so that `directory` is its one top-level folder, replacing what was there.

    Of a binary package of Debian, `directory` becomes the root.

    Raises:
        RuntimeBuildError: the archive has no single top-level folder or can't be read.
    """
    remove_tree(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        try:
            with translated_os_errors("unpack a source archive"):
                top = _unpack_into(Path(scratch) / "files", archive.path)
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise RuntimeBuildError(
                f"{archive.path} is not a source archive as expected: {error}",
                hint="remove that file and try again",
            ) from error
        top.rename(directory)


def _unpack_into(scratch: Path, path: Path) -> Path:
    """Unpack an archive into a new folder and return its top."""
    scratch.mkdir()
    with path.open("rb") as stream:
        start = stream.read(64)
    if is_package(start):
        unpack_package(path.read_bytes(), scratch)
        return scratch
    with tarfile.open(path) as tar:
        tar.extractall(scratch, filter="data")
    (top,) = scratch.iterdir()
    return top
