"""Carries a finished runtime in a wheel, and takes one out of an index or a folder.

The wheel's version is the Python version and, as a post-release number, the first 32 bits of the recipe
hash: so a plain version requirement asks an index for exactly the fitting build.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import atomic_write, remove_tree, translated_os_errors
from coachwhip.effects.uv import run_uv
from coachwhip.errors import RuntimeBuildError
from coachwhip.runtime.layout import complete_layout
from coachwhip.runtime.model import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coachwhip.progress import Progress
    from coachwhip.runtime.recipe import Recipe

__all__ = ["fetch_packed", "pack_runtime", "packed_version"]

_TAG = "py3-none-manylinux_2_17_x86_64"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE, _PROGRAM = 0o100644, 0o100755


def _project(abi: str, *, pie: bool) -> str:
    return f"coachwhip-runtime-{abi}-pie" if pie else f"coachwhip-runtime-{abi}"


def packed_version(python_version: str, digest: str) -> str:
    """Return the version of the wheel of a runtime, `3.13.5.post2374190234`."""
    return f"{python_version}.post{int(digest[:8], 16)}"


def pack_runtime(runtime: Runtime, directory: Path) -> Path:
    """Write a wheel of a runtime into a directory; the same runtime gives the same bytes.

    Raises:
        MachineError: it can't be written.
    """
    project = _project(runtime.abi, pie=runtime.pie)
    folder = project.replace("-", "_")
    version = packed_version(runtime.python_version, runtime.recipe)
    path = directory / f"{folder}-{version}-{_TAG}.whl"
    info = f"{folder}-{version}.dist-info"
    record = []
    with (
        translated_os_errors("write the wheel"),
        atomic_write(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        for name, data, mode in (*_content(runtime, folder), *_metadata(runtime, info, project, version)):
            _add(archive, name, data, mode)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")
        record.append(f"{info}/RECORD,,\n")
        _add(archive, f"{info}/RECORD", "".join(record).encode(), _FILE)
    return path


def _add(archive: zipfile.ZipFile, name: str, data: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = mode << 16
    archive.writestr(entry, data)


def _content(runtime: Runtime, folder: str) -> Iterator[tuple[str, bytes, int]]:
    """The files of a runtime; links and what running it left behind are not among them."""
    for path in sorted(runtime.root.rglob("*")):
        relative = path.relative_to(runtime.root)
        if path.is_symlink() or not path.is_file() or "__pycache__" in relative.parts:
            continue
        mode = _PROGRAM if relative.parts[0] == "bin" else _FILE
        yield f"{folder}/{relative.as_posix()}", path.read_bytes(), mode


def _metadata(runtime: Runtime, info: str, project: str, version: str) -> Iterator[tuple[str, bytes, int]]:
    sources = ", ".join(f"{source.name} {source.version}" for source in runtime.sources)
    metadata = (
        "Metadata-Version: 2.1\n"
        f"Name: {project}\n"
        f"Version: {version}\n"
        f"Summary: CPython {runtime.python_version} as a static library, for coachwhip ({runtime.recipe})\n"
        "Description-Content-Type: text/plain\n\n"
        f"Made from {sources}. Licences are in `licenses`.\n"
    )
    wheel = f"Wheel-Version: 1.0\nGenerator: coachwhip\nRoot-Is-Purelib: false\nTag: {_TAG}\n"
    yield f"{info}/METADATA", metadata.encode(), _FILE
    yield f"{info}/WHEEL", wheel.encode(), _FILE


def fetch_packed(  # noqa: PLR0913  (what is wanted, where it goes, where to look)
    recipe: Recipe,
    digest: str,
    target: Path,
    *,
    environ: Mapping[str, str],
    find_links: Sequence[str],
    progress: Progress,
) -> bool:
    """Install the wheel that fits a recipe to `target`, if an index or a folder has it.

    Args:
        recipe: what is wanted.
        digest: its hash, which must be the one in the wheel's `runtime.json`.
        target: where the runtime goes; appears by rename.
        environ: environment of the command; uv finds the configured indexes there.
        find_links: further folders or pages.
        progress: hears why a wheel was not used.

    Returns:
        Whether it was installed.

    Raises:
        RuntimeBuildError: the wheel that was found is not what its name says.
    """
    project = _project(recipe.abi, pie=recipe.pie)
    requirement = f"{project}=={packed_version(recipe.source.version, digest)}"
    links = [word for place in find_links for word in ("--find-links", place)]
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as scratch:
        arguments = ["pip", "install", "--python", sys.executable, "--target", scratch, "--no-deps"]
        with progress.step("Looking for a ready-made runtime"):
            done = run_uv(
                [*arguments, "--only-binary", ":all:", "--link-mode", "copy", *links, requirement],
                environ=environ,
                cwd=target.parent,
            )
        if not done.ok:
            progress.detail(f"no ready-made runtime: {done.stderr.strip()}")
            return False
        root = Path(scratch) / project.replace("-", "_")
        complete_layout(root)
        runtime = Runtime.load(root)
        if runtime.recipe != digest or runtime.abi != recipe.abi:
            raise RuntimeBuildError(
                f"the wheel {requirement} has a runtime of another recipe ({runtime.recipe}) inside",
                hint="do not use the place it came from; `--from-source` builds the runtime instead",
            )
        remove_tree(target)
        with translated_os_errors("install the runtime"):
            root.rename(target)
    progress.note(f"took the ready-made runtime {requirement}")
    return True
