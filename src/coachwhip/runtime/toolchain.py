"""The C compiler and linker: clang and lld out of the `ziglang` package, for glibc 2.17 and baseline x86-64.

`zig cc` always compiles position-independent code and refuses most linker options, so its clang and its
lld are called directly (`zig clang`, `zig ld.lld`) with a sysroot made by `sysroot.py`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import atomic_directory, atomic_write
from coachwhip.effects.process import run
from coachwhip.errors import BuildError, MachineError
from coachwhip.runtime.sysroot import GLIBC, make_sysroot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coachwhip.effects.cache import Cache
    from coachwhip.runtime.model import Runtime

__all__ = [
    "DYNAMIC_LOADER",
    "LIBRARY_FLAGS",
    "PIE_FLAGS",
    "SHARED_FLAGS",
    "TARGET",
    "Toolchain",
    "clean_environment",
    "exported_c_api",
    "glibc_libraries",
    "link_executable",
    "prepare_toolchain",
    "support_hash",
    "zig_cc",
]

#: What everything is compiled for, as zig writes it.
TARGET = f"x86_64-linux-gnu.{GLIBC}"
DYNAMIC_LOADER = "/lib64/ld-linux-x86-64.so.2"

#: How libraries are compiled. Their symbols stay out of the product's exports, and what is not used can
#: be dropped at link time.
LIBRARY_FLAGS = ("-O2", "-g0", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections")
#: What is added to compile and link a shared library, which exports what its version script says.
SHARED_FLAGS = (
    *("-fPIC", "-fvisibility=default", "-shared", "-Wl,--gc-sections", "-Wl,--strip-all"),
    *("-Wl,--build-id=none", "-Wl,--hash-style=gnu", "-Wl,-z,relro", "-Wl,--as-needed"),
)
#: How everything is compiled for position-independent executables.
PIE_FLAGS = ("-fPIE", "-pie", "-fstack-protector-strong", "-fstack-clash-protection")

_FIXED_FLAGS = ("-fno-pic", "-no-pie")
_SUPPORT = Path(__file__).parent / "support"
#: Part of the name of a prepared toolchain: count up when what is made below changes.
_REVISION = 2
_PASSED_ON = ("HOME", "TMPDIR", "LANG", "USER", "LOGNAME")


@dataclass(frozen=True)
class Toolchain:
    """A prepared compiler and linker.

    Attributes:
        zig: the zig binary of the `ziglang` package.
        version: its version.
        home: a directory with `bin` and `bin-pie` (wrappers called cc, ar, ranlib, ld.lld) and `sysroot`.
        zig_cache: where zig itself may cache.
        base: the few variables of the user's environment that build programs see.
        pie: whether executables are position-independent.
    """

    zig: Path
    version: str
    home: Path
    zig_cache: Path
    base: Mapping[str, str]
    pie: bool = False

    @property
    def bin(self) -> Path:
        """The directory of the wrappers; put it first on PATH and set `CC=cc`."""
        return self.home / ("bin-pie" if self.pie else "bin")

    @property
    def sysroot(self) -> Path:
        """The glibc sysroot."""
        return self.home / "sysroot"

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A whole environment for build programs: the wrappers on PATH, nothing of the user's settings."""
        base = dict(self.base)
        base["PATH"] = f"{self.bin}{os.pathsep}{base['PATH']}"
        base["ZIG_GLOBAL_CACHE_DIR"] = base["ZIG_LOCAL_CACHE_DIR"] = str(self.zig_cache)
        return {**base, **(extra or {})}


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The few variables that build programs may see.

    Compiler flags, Python settings and locales of the user would change what is built.
    """
    kept = {name: environ[name] for name in _PASSED_ON if name in environ}
    return {
        **kept,
        "PATH": environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": "1",
        "ZERO_AR_DATE": "1",
    }


def prepare_toolchain(cache: Cache, environ: Mapping[str, str], *, pie: bool = False) -> Toolchain:
    """Return the toolchain, made on first use (takes a few seconds).

    Args:
        cache: where it is kept.
        environ: environment of the command.
        pie: whether it is to make position-independent executables.

    Raises:
        MachineError: the `ziglang` package is not installed.
        RuntimeBuildError: zig does not work.
    """
    zig = _find_zig()
    version = run([zig, "version"]).stdout.strip()
    zig_cache = cache.area("zig") / "zig-cache"
    identity = "\n".join([version, str(zig), str(cache.root), str(_REVISION), support_hash()])
    name = f"toolchain-{version}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    toolchain = Toolchain(zig, version, cache.area("zig") / name, zig_cache, clean_environment(environ), pie)
    if not toolchain.home.exists():
        with cache.lock(name):
            if not toolchain.home.exists():
                _make(toolchain)
    return toolchain


def zig_cc(
    toolchain: Toolchain, args: Sequence[str | Path], *, cwd: Path | None = None, what: str = ""
) -> None:
    """Run the C compiler; code is for executables of the toolchain's kind unless `args` say otherwise.

    Args:
        toolchain: from `prepare_toolchain`.
        args: compiler arguments.
        cwd: working directory.
        what: what is compiled, for the message of an error.

    Raises:
        BuildError: it failed; the compiler's messages are the error's detail.
    """
    done = run([toolchain.bin / "cc", *args], cwd=cwd, env=toolchain.environment())
    if not done.ok:
        raise BuildError(f"{what or 'C code'} does not compile", detail=done.stderr)


def link_executable(  # noqa: PLR0913  (a linker has many inputs)
    toolchain: Toolchain,
    objects: Sequence[Path],
    output: Path,
    runtime: Runtime,
    *,
    gc_sections: bool = True,
    flags: Sequence[str | Path] = (),
) -> None:
    """Link an executable of `objects` and a runtime's archives, with lld.

    The C API is exported and nothing else; the linker is deterministic and no path gets into the file.
    What is made of a position-independent runtime is position-independent.

    Args:
        toolchain: from `prepare_toolchain`.
        objects: what comes before the archives; must define `main`. An object that defines only
            `_PyImport_Inittab` replaces the runtime's table of built-in modules.
        output: the executable; appears by rename.
        runtime: whose archives and export list are used.
        gc_sections: drop what can't be reached from `main` and the exported C API.
        flags: further options of ld.lld (`--defsym=...`, `-T`, `script`), put before the objects.

    Raises:
        BuildError: the linker failed; its messages are the error's detail.
    """
    library = toolchain.sysroot / "usr" / "lib"
    start = [library / name for name in ("crt1.o", "crti.o", "crtbegin.o")]
    end = [library / name for name in ("crtend.o", "crtn.o")]
    arguments: list[str | Path] = [
        *("-m", "elf_x86_64", "-dynamic-linker", DYNAMIC_LOADER),
        # Code then has pages of its own in the file; constants that share one could be executed.
        *(("--pie", "-z", "separate-code") if runtime.pie else ("--no-pie",)),
        *("--build-id=none", "--hash-style=gnu", "--eh-frame-hdr", "-z", "relro", "-z", "now"),
        *("--strip-debug", "-O2", f"--dynamic-list={runtime.exports}", f"-L{library}"),
        *(f"--undefined={name}" for name in exported_c_api(runtime)),
        *(["--gc-sections"] if gc_sections else []),
        *flags,
        *start,
        *objects,
        *runtime.archives,
        # libc before the others: what it has itself needs no second library to be loaded at each start.
        *("--as-needed", "-lc", *runtime.link_system, "-lgcc", "-lc"),
        *end,
    ]
    _link(toolchain, arguments, output)


def glibc_libraries(toolchain: Toolchain) -> list[Path]:
    """Return the libraries that glibc consists of, as the linker sees them: symbols without code."""
    return sorted((toolchain.sysroot / "usr" / "lib").glob("*.so.[0-9]"))


def exported_c_api(runtime: Runtime) -> list[str]:
    """Return the names in a runtime's export list."""
    return re.findall(r"(\w+);", runtime.exports.read_text())


def _link(toolchain: Toolchain, arguments: Sequence[str | Path], output: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="coachwhip-link-") as scratch,
        atomic_write(output, mode=0o755) as temporary,
    ):
        response = Path(scratch) / "arguments"
        response.write_text("\n".join(shlex.quote(os.fspath(argument)) for argument in arguments))
        done = run([toolchain.zig, "ld.lld", f"@{response}", "-o", temporary], env=toolchain.environment())
        if not done.ok:
            raise BuildError(f"{output.name} can't be linked", detail=done.stderr)


def _find_zig() -> Path:
    spec = importlib.util.find_spec("ziglang")
    binary = Path(spec.origin).parent / "zig" if spec and spec.origin else None
    if binary is None or not binary.exists():
        raise MachineError(
            "the C compiler is missing: there is no `ziglang` package beside coachwhip",
            hint="install it with `pip install ziglang` into the same environment",
        )
    return binary


def support_hash() -> str:
    """Return a hash of the C files that go into toolchains and runtimes."""
    digest = hashlib.sha256()
    for path in sorted(_SUPPORT.glob("*.c")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _clang_flags(zig: Path, sysroot: Path, kind: Sequence[str] = _FIXED_FLAGS) -> list[str]:
    library = zig.parent / "lib"
    headers = ["x86-linux-gnu", "generic-glibc", "x86-linux-any", "any-linux-any"]
    includes = [library / "include", *(library / "libc" / "include" / name for name in headers)]
    return [
        "--target=x86_64-unknown-linux-gnu",
        "-march=x86-64",
        f"--sysroot={sysroot}",
        "--gcc-toolchain=/nonexistent",
        f"-B{sysroot}/usr/lib",
        "-static-libgcc",
        "-nostdinc",
        *(word for path in includes for word in ("-isystem", str(path))),
        f"-D__GLIBC_MINOR__={GLIBC.partition('.')[2]}",
        *kind,
        # Data of shared libraries goes through the GOT. A copy relocation of `environ` would be wrong:
        # zig's libc does not say that `__environ` is the same variable.
        "-fno-direct-access-external-data",
        "-Wno-unused-command-line-argument",
        "-Wno-date-time",
    ]


def _make(toolchain: Toolchain) -> None:
    """Write the wrappers and the sysroot; the wrappers name the final place of the sysroot."""
    zig = toolchain.zig
    toolchain.zig_cache.mkdir(parents=True, exist_ok=True)
    env = {
        **toolchain.base,
        "ZIG_GLOBAL_CACHE_DIR": str(toolchain.zig_cache),
        "ZIG_LOCAL_CACHE_DIR": str(toolchain.zig_cache),
    }
    with atomic_directory(toolchain.home) as home, tempfile.TemporaryDirectory() as scratch:
        clang = [str(zig), "clang", *_clang_flags(zig, home / "sysroot")]
        make_sysroot(zig, clang, home / "sysroot", Path(scratch), env)
        for kind, flags in (("bin", _FIXED_FLAGS), ("bin-pie", PIE_FLAGS)):
            _write_wrappers(home / kind, toolchain, flags)


def _write_wrappers(directory: Path, toolchain: Toolchain, kind: Sequence[str]) -> None:
    """Write programs called cc, ar, ranlib and ld.lld; `kind` are the flags of all compilations."""
    directory.mkdir()
    zig = shlex.quote(str(toolchain.zig))
    flags = shlex.join(_clang_flags(toolchain.zig, toolchain.sysroot, kind))
    lld = shlex.quote(f"--ld-path={toolchain.home / directory.name}/ld.lld")
    commands = {
        "cc": f"{zig} clang {flags} {lld}",
        "ar": f"{zig} ar",
        "ranlib": f"{zig} ranlib",
        "ld.lld": f"{zig} ld.lld",
    }
    for name, command in commands.items():
        path = directory / name
        path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        path.chmod(0o755)
