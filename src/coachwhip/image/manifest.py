"""The manifest of an image: what a person or a tool wants to know about a product, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["DistributionRecord", "Manifest", "NativeRecord", "SystemRecord"]


@dataclass(frozen=True)
class DistributionRecord:
    """One distribution in a product.

    Attributes:
        wheel: sha256 of the wheel, empty for the standard library and the app's own start code.
        files: number of files.
        stored: bytes that its code and data take in the image.
        raw: bytes of its files when unpacked.
    """

    name: str
    version: str
    wheel: str
    tags: str
    files: int
    stored: int
    raw: int


@dataclass(frozen=True)
class NativeRecord:
    """One native library in a product.

    Attributes:
        glibc: the version that it needs, empty for none.
        stored: bytes that it takes in the image, those that it is mapped from among them.
        raw: bytes of its file.
        mapped: bytes that it is mapped from; 0 when it is unpacked to be loaded.
        address: what its own addresses count from when it is mapped, in every run; else 0.
    """

    path: str
    glibc: str
    glibc_symbol: str
    stored: int
    raw: int
    mapped: int = 0
    address: int = 0


@dataclass(frozen=True)
class SystemRecord:
    """A library that the machine must have beside glibc: its name, and the packaged library that needs it."""

    name: str
    needed_by: str


@dataclass(frozen=True)
class Manifest:
    """Facts about a product. Nothing in it depends on the building machine, user or time.

    Attributes:
        builder: version of Coachwhip.
        python: full version of the interpreter.
        runtime: recipe hash of the runtime.
        stub_glibc: the glibc version that the stub needs.
        system: what is needed of the machine beside glibc.
        entry: `module:attribute`, `module` or `script`.
    """

    builder: str
    app: str
    version: str
    entry: str
    target: str
    python: str
    runtime: str
    stub_glibc: str
    distributions: tuple[DistributionRecord, ...]
    natives: tuple[NativeRecord, ...]
    system: tuple[SystemRecord, ...] = ()

    def to_json(self) -> bytes:
        """Encode canonically."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Decode.

        Raises:
            ValueError: it is not the JSON of a manifest.
        """
        try:
            fields: dict[str, Any] = json.loads(data)
            fields["distributions"] = tuple(DistributionRecord(**d) for d in fields["distributions"])
            fields["natives"] = tuple(NativeRecord(**n) for n in fields["natives"])
            fields["system"] = tuple(SystemRecord(**s) for s in fields["system"])
            return cls(**fields)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a manifest: {error}") from error

    def floor(self) -> tuple[str, str]:
        """Return the newest glibc version that anything in the product needs, and what needs it."""

        def key(version: str) -> tuple[int, ...]:
            return tuple(int(part) for part in version.split("."))

        best, culprit = self.stub_glibc, "the interpreter"
        for native in self.natives:
            if native.glibc and key(native.glibc) > key(best):
                best, culprit = native.glibc, native.path
        return best, culprit
