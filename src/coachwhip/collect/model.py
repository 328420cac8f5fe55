"""What goes into collecting: options, the interpreter that compiles, files as they come, and notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Note", "Options", "PythonRuntime", "RawFile", "library", "site_packages"]


class PythonRuntime(Protocol):
    """What collecting needs of a `runtime.Runtime`."""

    @property
    def interpreter(self) -> Path:
        """An ordinary Python interpreter made of this runtime."""
        ...

    @property
    def stdlib(self) -> Path:
        """The directory of the standard library's Python sources."""
        ...

    @property
    def test_stdlib(self) -> Path:
        """A directory that may hold the `test` package."""
        ...

    @property
    def recipe(self) -> str:
        """A hash of how it was made; layers made with another one are not reused."""
        ...

    @property
    def python_version(self) -> str:
        """Full version, `3.13.5`."""
        ...


@dataclass(frozen=True)
class Options:
    """How layers are made.

    Attributes:
        optimize: 0, 1 or 2, as `-O` and `-OO`.
        include: patterns (`filters`) that bring back parts of the standard library that are left out by
            default.
        jobs: processes and threads to use; 0 for as many as this process has processors.
    """

    optimize: int = 0
    include: tuple[str, ...] = ()
    jobs: int = 0


@dataclass(frozen=True)
class RawFile:
    """A file as it comes from a wheel or the runtime.

    Attributes:
        path: below the product's root.
        data: its content.
        executable: whether it has an execute bit.
        script: whether it is Python although it does not lie where modules do.
        bytecode: whether its bytecode is to be kept as the file's content, in place of its text.
    """

    path: str
    data: bytes
    executable: bool = False
    script: bool = False
    bytecode: bool = False


@dataclass(frozen=True)
class Note:
    """Something that the build report says about one file; `line` is 0 when it is about all of it."""

    path: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.message}"


def library(python_version: str) -> str:
    """Directory of the standard library below the product's root, `lib/python3.13`."""
    return "lib/python{}.{}".format(*python_version.split(".")[:2])


def site_packages(python_version: str) -> str:
    """Directory of the distributions' modules below the product's root."""
    return f"{library(python_version)}/site-packages"
