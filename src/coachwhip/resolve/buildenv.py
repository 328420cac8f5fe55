"""What a build back end gets to see of the environment. Pure.

Everything else is withheld: a variable that is not part of the cache entry's name must not be able to
change what is built.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coachwhip.resolve.toolchain import compiler_environment

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.model import Target
    from coachwhip.resolve.model import Options

__all__ = ["Room", "build_environment", "key_environment"]

#: Needed to run programs and to reach hosts; assumed not to change the result.
_PASSED_ON = frozenset(
    {
        "ALL_PROXY",
        "CARGO_HOME",
        "CARGO_NET_OFFLINE",
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "HOME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "LOGNAME",
        "MAKEFLAGS",
        "NO_PROXY",
        "REQUESTS_CA_BUNDLE",
        "RUSTUP_HOME",
        "SSH_AUTH_SOCK",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "USER",
    }
)
#: Ways to steer a build that users know; they are part of the key.
_STEERING = frozenset(
    {
        "ARCHFLAGS",
        "CFLAGS",
        "CPPFLAGS",
        "CXXFLAGS",
        "LDFLAGS",
        "LD_LIBRARY_PATH",
        "PKG_CONFIG_PATH",
        "RUSTUP_TOOLCHAIN",
    }
)
_STEERING_PREFIXES = (
    "CMAKE_",
    "HATCH_",
    "MATURIN_",
    "MESON",
    "PDM_",
    "POETRY_",
    "SETUPTOOLS_",
    "SKBUILD_",
    "VCS_",
)


@dataclass(frozen=True)
class Room:
    """The directories of one build, at the same place in each build of the same thing."""

    root: Path

    @property
    def source(self) -> Path:
        """Where the sources are copied to."""
        return self.root / "src"

    @property
    def env(self) -> Path:
        """The virtual environment with the build requirements."""
        return self.root / "env"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.env / "bin" / "python"

    @property
    def tools(self) -> Path:
        """Where the compilers are."""
        return self.root / "tools"

    @property
    def out(self) -> Path:
        """Where the back end puts its wheel."""
        return self.root / "out"

    @property
    def finished(self) -> Path:
        """Where the finished wheel is."""
        return self.root / "finished"


def key_environment(options: Options) -> dict[str, str]:
    """Return the variables that may change what is built."""
    steering = {
        name: value
        for name, value in options.environ.items()
        if name in _STEERING or name.startswith(_STEERING_PREFIXES)
    }
    return {**steering, **options.build_environment}


def build_environment(options: Options, target: Target, room: Room, zig_cache: Path) -> dict[str, str]:
    """Return the whole environment of a build.

    Args:
        options: whose `environ` is filtered, and whose `build_environment` wins over all.
        target: to compile for.
        room: the directories of the build, with compilers in it.
        zig_cache: where zig keeps what it compiled before.
    """
    outside = options.environ
    kept = {
        name: value for name, value in outside.items() if name in _PASSED_ON or name.upper() in _PASSED_ON
    }
    path = [str(room.env / "bin"), str(room.tools), outside.get("PATH", os.defpath)]
    return {
        **kept,
        **compiler_environment(room.tools, target, room.python),
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join(path),
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "TZ": "UTC",
        "VIRTUAL_ENV": str(room.env),
        "ZIG_GLOBAL_CACHE_DIR": str(zig_cache),
        "ZIG_LOCAL_CACHE_DIR": str(zig_cache),
        **key_environment(options),
    }
