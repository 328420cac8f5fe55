"""`Lock` -> wheels: from the cache, from the network, or built from source for the target."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from coachwhip.effects.download import Download, Downloader, sha256_of
from coachwhip.effects.files import translated_os_errors
from coachwhip.errors import NetworkError, ResolutionError
from coachwhip.progress import Silent
from coachwhip.resolve.build import Builder
from coachwhip.resolve.compile import configured_indexes
from coachwhip.resolve.model import Kind, Options
from coachwhip.resolve.store import WheelStore, wheel_of
from coachwhip.resolve.wheelfile import check_fits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coachwhip.effects.cache import Cache
    from coachwhip.model import Target, Wheel
    from coachwhip.progress import Progress
    from coachwhip.resolve.model import BuildPython, Lock, LockedFile
    from coachwhip.resolve.wheelfile import WheelFacts

__all__ = ["fetch"]


def fetch(  # noqa: PLR0913 - each is told apart by name
    lock: Lock,
    target: Target,
    python: BuildPython,
    cache: Cache,
    *,
    options: Options | None = None,
    progress: Progress | None = None,
) -> tuple[Wheel, ...]:
    """Return the wheels of a lock, each of them checked against its hash and against the lock's target.

    Args:
        lock: from `resolve`.
        target: that was asked for: what has no wheel is built for it, even if the lock's is raised.
        python: the interpreter that builds what has no wheel.
        cache: where wheels are kept.
        options: credentials, offline or not, and what builds may see.
        progress: hears what is going on.

    Raises:
        NetworkError: a file can't be had.
        ResolutionError: a file has another hash, or does not fit the target.
        InputError: a wheel is damaged.
        BuildError: something can't be built from source.
    """
    options = options or Options()
    progress = progress or Silent()
    store = WheelStore(cache)
    builder = Builder(replace(target, firm=True), python, store, options, progress)
    with (
        translated_os_errors("use the cache"),
        tempfile.TemporaryDirectory(
            prefix=".incoming-", dir=cache.area("wheels"), ignore_cleanup_errors=True
        ) as name,
    ):
        wanted = [file for file in lock.files if not _at_hand(file, store, builder)]
        arrived = _download(wanted, Path(name), options, progress)
        return tuple(_wheel(file, arrived.get(file.name), lock.target, store, builder) for file in lock.files)


def _at_hand(file: LockedFile, store: WheelStore, builder: Builder) -> bool:
    """Return whether nothing has to be downloaded for this file."""
    if "://" not in file.location or file.kind in (Kind.DIRECTORY, Kind.VCS):
        return True
    if not file.sha256:
        return False
    key = file.sha256 if file.kind is Kind.WHEEL else builder.key_of_sdist(file.sha256, file.subdirectory)
    return store.find(key) is not None


def _download(
    files: Sequence[LockedFile], directory: Path, options: Options, progress: Progress
) -> Mapping[str, Path]:
    """Download files; return their paths by project name."""
    if not files:
        return {}
    if options.offline:
        names = ", ".join(file.filename for file in files)
        raise NetworkError(
            f"can't download without the network: {names}",
            hint="run once without --offline, or name a folder of wheels with --find-links",
        )
    downloads = {
        file.name: Download(file.location, file.sha256, directory / file.name / file.filename)
        for file in files
    }
    what = files[0].filename if len(files) == 1 else f"{len(files)} files"
    with progress.step(f"Downloading {what}"):
        Downloader(options.environ, credentials=_credentials(options)).get_all(
            list(downloads.values()), lambda download: progress.detail(f"downloaded {download.path.name}")
        )
    return {name: download.path for name, download in downloads.items()}


def _wheel(
    file: LockedFile, arrived: Path | None, target: Target, store: WheelStore, builder: Builder
) -> Wheel:
    if file.kind is Kind.WHEEL:
        path, facts = _stored(file, arrived, store)
        check_fits(facts, target)
        return wheel_of(path, facts, "index" if "://" in file.location else "local")
    if file.kind is Kind.SDIST:
        source = arrived or Path(file.location)
        path, facts = builder.from_sdist(source, file)
    elif file.kind is Kind.VCS:
        path, facts = builder.from_repository(file)
    else:
        path, facts = builder.from_directory(Path(file.location) / file.subdirectory)
    if facts.name != file.name:
        raise ResolutionError(f"{file.location} is the project {facts.name}, not {file.name}")
    return wheel_of(path, facts, "built")


def _stored(file: LockedFile, arrived: Path | None, store: WheelStore) -> tuple[Path, WheelFacts]:
    if file.sha256 and (found := store.find(file.sha256)):
        return found
    path = arrived or Path(file.location)
    if file.sha256 and arrived is None and (actual := sha256_of(path)) != file.sha256:
        raise ResolutionError(
            f"{path} is not the file that was locked: its hash is wrong",
            hint="resolve again if you changed it yourself",
            detail=f"expected sha256 {file.sha256}\nfound    sha256 {actual}",
        )
    return store.add("", path)


def _credentials(options: Options) -> dict[str, str]:
    """Return `user:password` by host, as found in the configured indexes and uv's variables."""
    environ = options.environ
    pip = configured_indexes(options, Path.cwd())
    urls = [*options.index, options.default_index, pip.index_url, *pip.extra, *pip.find_links]
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"):
        for entry in environ.get(name, "").split():
            label, is_named, url = entry.partition("=")
            urls.append(url if is_named and "://" not in label else entry)
            stem = f"UV_INDEX_{label.upper().replace('-', '_')}"
            if user := environ.get(f"{stem}_USERNAME") if is_named else None:
                urls[-1] = _with_user(url, user, environ.get(f"{stem}_PASSWORD", ""))
    found = {}
    for parts in map(urlsplit, urls):
        if parts.username is not None and parts.hostname:
            found[parts.hostname] = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return found


def _with_user(url: str, user: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest.rpartition('@')[2]}"
