"""Reads binary packages of Debian (deb(5)): an `ar` archive whose member `data.tar` holds the files."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_package", "package_data", "unpack_package"]

_MAGIC = b"!<arch>\n"
_HEADER = 60
_NAME, _SIZE, _END = slice(0, 16), slice(48, 58), slice(58, 60)


def is_package(data: bytes) -> bool:
    """Return whether the bytes begin as a binary package does."""
    return data.startswith(_MAGIC + b"debian-binary")


def package_data(data: bytes) -> bytes:
    """Return the tar archive in a package, compressed as it is there.

    Raises:
        ValueError: it is not a package.
    """
    position = len(_MAGIC)
    while is_package(data) and position + _HEADER <= len(data):
        header = data[position : position + _HEADER]
        text = header[_SIZE].strip()
        if header[_END] != b"`\n" or not text.isdigit():
            break
        start, size = position + _HEADER, int(text)
        if start + size > len(data):
            break
        if header[_NAME].startswith(b"data.tar"):
            return data[start : start + size]
        position = start + size + size % 2
    raise ValueError("not a Debian package with files")


def unpack_package(data: bytes, directory: Path) -> None:
    """Unpack a package's files into a directory.

    Raises:
        ValueError: it is not a package.
        tarfile.TarError: its files can't be read, or would be written elsewhere.
    """
    with tarfile.open(fileobj=io.BytesIO(package_data(data))) as tar:
        tar.extractall(directory, filter="data")
