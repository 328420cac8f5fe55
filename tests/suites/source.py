"""Source archives of packages, which hold their tests."""

from __future__ import annotations

import os
import tarfile
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from coachwhip.effects.download import Download, Downloader
from coachwhip.effects.uv import failure, run_uv
from coachwhip.errors import ResolutionError
from coachwhip.resolve import Options
from coachwhip.resolve.compile import configured_indexes
from coachwhip.resolve.indexes import index_arguments

__all__ = ["unpack_source"]


def unpack_source(requirement: str, folder: Path) -> Path:
    """Download the source archive of `name==version` and unpack it as FOLDER/source, unless that exists.

    Returns:
        The directory that is in the archive.

    Raises:
        CoachwhipError: it is not to be had.
    """
    place = folder / "source"
    if not place.exists():
        sdist = _find(requirement, folder)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            archive, content = Path(name) / "source.tar.gz", Path(name) / "content"
            Downloader(os.environ).get_all([Download(sdist["url"], sdist["hashes"]["sha256"], archive)])
            with tarfile.open(archive) as tar:
                tar.extractall(content, filter="data")
            content.rename(place)
    (top,) = place.iterdir()
    return top


def _find(requirement: str, folder: Path) -> dict[str, Any]:
    """What the index says of a release's source archive."""
    options = Options(environ=os.environ)
    # Places with wheels hide what the index has of the same release.
    main_index = replace(configured_indexes(options, folder), extra=(), find_links=())
    command = [
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--universal",
        "--no-deps",
        "--format",
        "pylock.toml",
    ]
    where = [*index_arguments(options, main_index), "-"]
    done = run_uv([*command, *where], environ=os.environ, cwd=folder, stdin=requirement)
    if not done.ok:
        raise failure(done, f"look for {requirement}")
    (package,) = tomllib.loads(done.stdout)["packages"]
    if "sdist" not in package:
        raise ResolutionError(f"{requirement} has no source archive")
    found: dict[str, Any] = package["sdist"]
    return found
