"""Compilers for extension modules: zig under the names that build systems look for.

`zig cc` brings headers and libraries of every glibc and looks at nothing of the building machine, so
what it compiles needs no newer glibc than the target and no library that happens to be installed here.
"""

from __future__ import annotations

import importlib.util
import shlex
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import translated_os_errors
from coachwhip.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.model import Target

__all__ = ["Zig", "compiler_environment", "find_zig", "write_wrappers", "zig_target"]

_COMPILERS = {"cc": "cc", "gcc": "cc", "clang": "cc", "c++": "c++", "g++": "c++", "clang++": "c++"}
_TOOLS = ("ar", "ranlib")
#: glibc of the oldest target, also where SOURCE_DATE_EPOCH points to: the first moment a zip file can hold.
_EPOCH = "315532800"

# Debug information is for who debugs here, not for products, so the last word on it is ours; zig's
# own C++ library, which is linked in, would bring paths of this machine with it. The first `-O` decides
# how zig makes that library where a link line has none.
# Options of GNU ld that zig refuses are left out where they only narrow what is exported; gcc's
# unwinder, which Rust asks for by name, is LLVM's here.
_WRAPPER = """\
#!/bin/sh
link=yes
for argument do
    shift
    case $argument in
        -c|-S|-E|-M|-MM|-fsyntax-only) link= ;;
    esac
    case $argument in
        -Wl,--exclude-libs*|-Wl,--dynamic-list*|-Wl,--no-undefined-version) ;;
        -lgcc_s|-lgcc_eh) set -- "$@" -lunwind ;;
        -lgcc) ;;
        *) set -- "$@" "$argument" ;;
    esac
done
[ -z "$link" ] || set -- "$@" -rtlib=none {builtins}
exec {zig} {driver} -target {target} -O2 -fno-sanitize=undefined {maps} "$@" -g0 -s
"""
# Given as flags they would be part of the hash that Rust puts into symbol names, paths included.
_RUSTC = """\
#!/bin/sh
rustc=$1
shift
exec "$rustc" "$@" {remap}
"""
_TOOL = '#!/bin/sh\nexec {zig} {tool} "$@"\n'

# The building machine's libraries and headers are no part of a target; only its programs may be used.
_CMAKE = """\
set(CMAKE_C_COMPILER "{bin}/cc")
set(CMAKE_CXX_COMPILER "{bin}/c++")
set(CMAKE_AR "{bin}/ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "{bin}/ranlib" CACHE FILEPATH "")
set(CMAKE_SYSTEM_IGNORE_PREFIX_PATH "/;/usr;/usr/local;/opt" CACHE STRING "")
"""


@dataclass(frozen=True)
class Zig:
    """The compiler.

    Attributes:
        executable: zig itself.
        version: of the `ziglang` package.
    """

    executable: Path
    version: str


def find_zig() -> Zig:
    """Return the zig of the `ziglang` package.

    Raises:
        MachineError: it is not installed.
    """
    spec = importlib.util.find_spec("ziglang")
    executable = Path(spec.origin).parent / "zig" if spec and spec.origin else None
    if executable is None or not executable.is_file():
        raise MachineError(
            "the C compiler is missing: there is no `ziglang` package beside coachwhip",
            hint="install it into the same environment: pip install ziglang",
        )
    try:
        return Zig(executable, version("ziglang"))
    except PackageNotFoundError:
        return Zig(executable, "unknown")


def zig_target(target: Target) -> str:
    """Return zig's name for a target, `x86_64-linux-gnu.2.17`."""
    return f"{target.arch}-linux-gnu.{target.glibc[0]}.{target.glibc[1]}"


def write_wrappers(
    directory: Path, zig: Zig, target: Target, maps: Mapping[Path, str], builtins: Path
) -> None:
    """Write programs called `cc`, `c++`, `ar` and so on, and `toolchain.cmake`, into a new directory.

    Args:
        directory: to be made.
        zig: the compiler.
        target: to compile for.
        maps: directories of this machine, and what they are called in compiled files.
        builtins: from `builtins.compiler_builtins`; linked in place of zig's.

    Raises:
        MachineError: the directory can't be written.
    """
    flags = " ".join(shlex.quote(f"-ffile-prefix-map={path}={name}") for path, name in maps.items())
    quoted = shlex.quote(str(zig.executable))
    texts = {
        name: _WRAPPER.format(
            zig=quoted,
            driver=driver,
            target=zig_target(target),
            maps=flags,
            builtins=shlex.quote(str(builtins)),
        )
        for name, driver in _COMPILERS.items()
    }
    remap = " ".join(shlex.quote(f"--remap-path-prefix={path}={name}") for path, name in maps.items())
    texts["rustc-wrapper"] = _RUSTC.format(remap=remap)
    texts |= {tool: _TOOL.format(zig=quoted, tool=tool) for tool in _TOOLS}
    with translated_os_errors("write the compiler wrappers"):
        directory.mkdir(parents=True)
        for name, text in texts.items():
            path = directory / name
            path.write_text(text)
            path.chmod(0o755)
        (directory / "toolchain.cmake").write_text(_CMAKE.format(bin=directory))
        (directory / "pkgconfig").mkdir()


def compiler_environment(directory: Path, target: Target, python: Path) -> dict[str, str]:
    """Return the variables by which build systems find the wrappers in `directory`.

    Args:
        directory: from `write_wrappers`.
        target: to compile for.
        python: the interpreter that extension modules are built for.
    """
    triple = f"{target.arch}-unknown-linux-gnu"
    # These may have arguments, so that those who read them split them into words; the others are paths.
    commands = {name: shlex.quote(str(directory / name)) for name in ("cc", "c++", "ar", "ranlib")}
    return {
        "CC": commands["cc"],
        "CXX": commands["c++"],
        "AR": commands["ar"],
        "RANLIB": commands["ranlib"],
        "LDSHARED": f"{commands['cc']} -shared",
        "LDCXXSHARED": f"{commands['c++']} -shared",
        "CMAKE_TOOLCHAIN_FILE": str(directory / "toolchain.cmake"),
        "PKG_CONFIG_LIBDIR": str(directory / "pkgconfig"),
        f"CARGO_TARGET_{triple.upper().replace('-', '_')}_LINKER": str(directory / "cc"),
        f"CC_{triple.replace('-', '_')}": str(directory / "cc"),
        f"CXX_{triple.replace('-', '_')}": str(directory / "c++"),
        "CARGO_PROFILE_RELEASE_STRIP": "symbols",
        "PYO3_PYTHON": str(python),
        "RUSTC_WRAPPER": str(directory / "rustc-wrapper"),
        "SOURCE_DATE_EPOCH": _EPOCH,
        "ZERO_AR_DATE": "1",
    }
