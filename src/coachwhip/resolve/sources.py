"""Get a project's sources into a directory: out of an archive, or out of a repository."""

from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING

from coachwhip.effects.files import translated_os_errors
from coachwhip.effects.process import run
from coachwhip.errors import InputError, NetworkError

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.resolve.model import LockedFile, Options

__all__ = ["check_out", "unpack"]


def unpack(archive: Path, destination: Path) -> None:
    """Unpack an sdist; its one top directory becomes `destination`.

    Raises:
        InputError: it is damaged, or wants to write outside of its place.
        MachineError: it can't be read or unpacked.
    """
    temporary = destination.with_name("unpacked")
    try:
        with translated_os_errors("unpack an sdist"):
            _extract(archive, temporary)
            tops = list(temporary.iterdir())
            (tops[0] if len(tops) == 1 and tops[0].is_dir() else temporary).rename(destination)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{archive.name} is damaged: {error}", hint="get it again") from error


def check_out(file: LockedFile, options: Options, destination: Path) -> None:
    """Clone a repository and check the locked commit out, submodules included.

    Raises:
        NetworkError: it can't be had.
    """
    if options.offline and "://" in file.location and not file.location.startswith("file://"):
        raise NetworkError(
            f"can't get {file.location} without the network", hint="run once without --offline"
        )
    env = {**options.environ, "GIT_TERMINAL_PROMPT": "0"}
    steps: tuple[list[str | Path], ...] = (
        ["clone", "--quiet", "--no-checkout", "--", file.location, destination],
        ["-C", destination, "checkout", "--quiet", "--detach", file.commit],
        ["-C", destination, "submodule", "--quiet", "update", "--init", "--recursive"],
    )
    for args in steps:
        done = run(["git", *args], env=env)
        if not done.ok:
            raise NetworkError(
                f"can't get commit {file.commit[:12]} of {file.location}",
                hint="check that the repository can be reached and still has that commit",
                detail=done.stderr.strip(),
            )


def _extract(archive: Path, directory: Path) -> None:
    if archive.suffix == ".zip":
        # The module drops leading slashes and `..` by itself.
        with zipfile.ZipFile(archive) as source:
            source.extractall(directory)  # noqa: S202 - see above
        return
    with tarfile.open(archive) as source:
        # The filter refuses whatever would end up elsewhere.
        source.extractall(directory, filter="data")
