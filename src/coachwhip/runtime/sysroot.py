"""A glibc 2.17 sysroot made of what zig ships: start files and libraries that only name symbols.

zig generates these when it links, and its own driver then refuses most linker options. Laid out as a
sysroot, the same files serve clang and lld, both inside the zig binary, with every option they have.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.process import run
from coachwhip.errors import RuntimeBuildError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["GLIBC", "collect_link_inputs", "make_sysroot"]

#: The oldest glibc that runtimes and stubs run on.
GLIBC = "2.17"

_SUPPORT = Path(__file__).parent / "support"
_LIBRARIES = ("c", "m", "pthread", "dl", "rt", "util", "resolv")
_EMPTY_OBJECTS = ("crti.o", "crtn.o", "crtend.o", "crtendS.o")


def collect_link_inputs(trace: str, directories: Sequence[Path] = ()) -> dict[str, Path]:
    """Find zig's generated files in what it prints with `ZIG_VERBOSE_LINK=1`.

    Args:
        trace: the linker command lines, one per line, their words not quoted.
        directories: where the files may be; only their own names may contain spaces.

    Returns:
        File name -> path of `crt1.o`, `libc_nonshared.a` and the shared libraries.

    Raises:
        ValueError: no line links an executable.
    """
    for line in trace.splitlines():
        if "--dynamic-linker" in line:
            paths = [Path(word) for word in _words(line, directories)]
            return {p.name: p for p in paths if p.name in ("crt1.o", "libc_nonshared.a") or ".so." in p.name}
    raise ValueError("no executable is linked in the trace")


def _words(line: str, directories: Sequence[Path]) -> list[str]:
    names = {f"{path}/": f"\0{number}/" for number, path in enumerate(directories)}
    for directory, mark in names.items():
        line = line.replace(directory, mark)
    words = line.split()
    for directory, mark in names.items():
        words = [word.replace(mark, directory) for word in words]
    return words


def make_sysroot(zig: Path, clang: list[str], root: Path, scratch: Path, env: Mapping[str, str]) -> None:
    """Fill `root` with `usr/lib` as clang and lld expect it.

    Args:
        zig: the zig binary.
        clang: command that compiles for the target.
        root: where the sysroot is made.
        scratch: a directory for temporary files and for zig's cache.
        env: environment for zig.

    Raises:
        RuntimeBuildError: zig could not link a trivial program.
    """
    library = root / "usr" / "lib"
    library.mkdir(parents=True)
    for name, path in _link_trivial_program(zig, scratch, env).items():
        shutil.copyfile(scratch / path, library / name)
    _check_libraries(library)
    # zig's is position-independent; under this name clang looks for it when it links such executables.
    shutil.copyfile(library / "crt1.o", library / "Scrt1.o")
    for name in _LIBRARIES[1:]:
        (library / f"lib{name}.so").symlink_to(next(library.glob(f"lib{name}.so.*")).name)
    loader = next(library.glob("ld-linux*.so.*")).name
    (library / "libc.so").write_text(f"GROUP ( libc.so.6 libc_nonshared.a AS_NEEDED ( {loader} ) )\n")
    _support_objects(zig, clang, library, scratch)


def _link_trivial_program(zig: Path, scratch: Path, env: Mapping[str, str]) -> dict[str, Path]:
    (scratch / "main.c").write_text("int main(void) { return 0; }\n")
    target = f"x86_64-linux-gnu.{GLIBC}"
    done = run(
        [zig, "cc", "-target", target, "-O2", "-g0", "main.c", "-o", "main"],
        cwd=scratch,
        env={**env, "ZIG_VERBOSE_LINK": "1"},
    )
    try:
        caches = [Path(env[name]) for name in env if name.startswith("ZIG_") and name.endswith("_CACHE_DIR")]
        return collect_link_inputs(done.stderr if done.ok else "", caches)
    except ValueError as error:
        raise RuntimeBuildError(
            f"zig can't link a program for glibc {GLIBC}: {error}",
            hint="check that the `ziglang` package is whole: `pip install --force-reinstall ziglang`",
            detail=done.stderr,
        ) from error


def _check_libraries(library: Path) -> None:
    missing = [name for name in _LIBRARIES if not list(library.glob(f"lib{name}.so.*"))]
    missing += [name for name in ("crt1.o", "libc_nonshared.a") if not (library / name).exists()]
    if missing:
        raise RuntimeBuildError(
            f"this version of zig links without {', '.join(missing)}",
            hint="install the version of `ziglang` that this version of coachwhip asks for",
        )


def _support_objects(zig: Path, clang: list[str], library: Path, scratch: Path) -> None:
    """The start files and the libgcc that clang names: 128-bit division, else nothing."""
    (scratch / "empty.c").write_text("")
    sources = dict.fromkeys(_EMPTY_OBJECTS, scratch / "empty.c")
    sources |= dict.fromkeys(("crtbegin.o", "crtbeginS.o"), _SUPPORT / "crt.c")
    sources["int128.o"] = _SUPPORT / "int128.c"
    for name, source in sources.items():
        _must(run([*clang, "-O2", "-fPIC", "-c", source, "-o", library / name]).stderr, library / name)
    for archive, members in (("libgcc.a", ["int128.o"]), ("libgcc_eh.a", [])):
        done = run([zig, "ar", "rcsD", archive, *members], cwd=library)
        _must(done.stderr, library / archive)


def _must(messages: str, path: Path) -> None:
    if not path.exists():
        raise RuntimeBuildError(f"zig could not make {path.name}", detail=messages)
