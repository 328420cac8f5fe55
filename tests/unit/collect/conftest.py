"""A stand-in for a runtime (the Python that runs the tests), a cache, and a maker of tiny wheels."""

from __future__ import annotations

import base64
import hashlib
import platform
import sys
import sysconfig
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.cache import Cache
from coachwhip.model import Wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class StandIn:
    """Satisfies `collect.PythonRuntime`."""

    interpreter: Path = Path(sys.executable)
    stdlib: Path = Path(sysconfig.get_path("stdlib"))
    test_stdlib: Path = Path("/nonexistent")
    recipe: str = "stand-in"
    python_version: str = field(default_factory=platform.python_version)

    @property
    def lib(self) -> str:
        return "lib/python{}.{}".format(*self.python_version.split(".")[:2])

    @property
    def packages(self) -> str:
        return f"{self.lib}/site-packages"


@pytest.fixture
def runtime() -> StandIn:
    return StandIn()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[..., Wheel]:
    def make(
        files: Mapping[str, bytes],
        *,
        name: str = "demo",
        record: Callable[[str], str] = lambda text: text,
        executable: tuple[str, ...] = (),
        origin: str = "index",
    ) -> Wheel:
        info = f"{name}-1.0.dist-info"
        content = {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            **files,
        }
        lines = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in content.items())
        content[f"{info}/RECORD"] = record(lines + f"{info}/RECORD,,\n").encode()
        path = tmp_path / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for member, data in content.items():
                entry = zipfile.ZipInfo(member)
                entry.external_attr = (0o100755 if member in executable else 0o100644) << 16
                archive.writestr(entry, data)
        return wheel_of(path, name=name, origin=origin)

    return make


def wheel_of(path: Path, *, name: str = "demo", origin: str = "index") -> Wheel:
    return Wheel(name, "1.0", path, hashlib.sha256(path.read_bytes()).hexdigest(), "py3-none-any", origin)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
