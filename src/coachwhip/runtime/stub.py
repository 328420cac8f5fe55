"""The stub: the C program that every product of a runtime starts with, linked once and cached."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.files import translated_os_errors
from coachwhip.errors import MachineError
from coachwhip.runtime.elf_facts import referenced_functions
from coachwhip.runtime.toolchain import link_executable, zig_cc

if TYPE_CHECKING:
    from coachwhip.effects.cache import Cache
    from coachwhip.runtime.model import Runtime
    from coachwhip.runtime.toolchain import Toolchain

__all__ = ["build_stub", "stub_sources"]

_PACKAGE = Path(__file__).resolve().parents[1]
_WARNINGS = ("-Wall", "-Wextra", "-Werror")


def stub_sources() -> Path:
    """Return the directory of the stub's C sources, in an installed package or in a checkout.

    Raises:
        MachineError: this installation has none.
    """
    for folder in (_PACKAGE / "stub", _PACKAGE.parents[1] / "stub"):
        if (folder / "image.h").exists():
            return folder
    raise MachineError(
        "this installation of coachwhip lacks the sources of its stub",
        hint="install it again: `pip install --force-reinstall coachwhip`",
    )


def build_stub(
    runtime: Runtime,
    toolchain: Toolchain,
    cache: Cache,
    builtins: frozenset[str] | None = None,
    *,
    strip: bool = True,
) -> Path:
    """Return the stub for a runtime, linked on first use (a few seconds).

    Args:
        runtime: what it is the interpreter of.
        toolchain: compiler and linker, for executables of the runtime's kind.
        cache: where it is kept.
        builtins: names of the standard library's extension modules to link; all of them when None.
        strip: leave out the names of functions.

    Raises:
        BuildError: a source does not compile or the linker fails.
    """
    wanted = _Wanted(runtime, toolchain, stub_sources(), builtins, strip)
    stub = cache.area("stubs") / f"{runtime.abi}-{wanted.identity()}"
    if not stub.exists():
        with cache.lock(f"stub-{stub.name}"):
            if not stub.exists():
                _build(wanted, stub)
    with translated_os_errors("use the cached stub"):
        stub.touch()
    return stub


@dataclass(frozen=True)
class _Wanted:
    """What a stub is made of."""

    runtime: Runtime
    toolchain: Toolchain
    sources: Path
    builtins: frozenset[str] | None
    strip: bool

    def identity(self) -> str:
        """Return a name for it that differs when anything does."""
        program = Path(__file__).read_text()
        digest = hashlib.sha256(f"{self.runtime.recipe}\n{self.toolchain.version}\n{program}".encode())
        chosen = sorted(self.builtins) if self.builtins is not None else None
        digest.update(f"{chosen!r} {self.strip}".encode())
        for path in sorted(self.sources.rglob("*")):
            if path.suffix in (".c", ".h", ".list", ".order"):
                digest.update(f"{path.relative_to(self.sources)}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:16]

    def flags(self) -> list[str]:
        """Return the linker's options; `wrap*.list`, `export*.list` name what the stub takes over."""
        wrapped = [
            name for path in sorted(self.sources.glob("wrap*.list")) for name in path.read_text().split()
        ]
        exported = [f"--dynamic-list={path}" for path in sorted(self.sources.glob("export*.list"))]
        # What a start executes lies together: few pages of the file have to be in memory for it.
        order = [f"--symbol-ordering-file={self.sources / 'start.order'}", "--no-warn-symbol-ordering"]
        return [
            *(["--strip-all"] if self.strip else []),
            *order,
            *(f"--wrap={name}" for name in wrapped),
            *exported,
        ]


def _build(wanted: _Wanted, stub: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="coachwhip-stub-") as scratch:
        units = _units(wanted.sources, hardened=wanted.runtime.pie)
        if wanted.builtins is not None:
            table = Path(scratch) / "inittab.c"
            table.write_text(_inittab(wanted.runtime, wanted.builtins))
            units.append(table)
        objects = [Path(scratch) / f"{unit.stem}.o" for unit in units]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda pair: _compile(wanted, *pair), zip(units, objects, strict=True)))
        linked = Path(scratch) / "stub"
        link_executable(wanted.toolchain, objects, linked, wanted.runtime, flags=wanted.flags())
        if not wanted.runtime.pie:
            objects.append(_pin_functions(wanted.toolchain, linked))
            link_executable(wanted.toolchain, objects, linked, wanted.runtime, flags=wanted.flags())
        shutil.copyfile(linked, temporary := stub.with_name(f".{stub.name}.{Path(scratch).name}"))
        temporary.replace(stub)


def _units(sources: Path, *, hardened: bool) -> list[Path]:
    """The C files of a stub; for hardened products those in `hardened` take the place of their namesakes."""
    units = {path.name: path for path in sorted(sources.glob("*.c"))}
    if hardened:
        units |= {path.name: path for path in sorted((sources / "hardened").glob("*.c"))}
    return list(units.values())


def _pin_functions(toolchain: Toolchain, linked: Path) -> Path:
    """Compile an object that gives libc's functions addresses within the executable.

    Where a function's address is a constant, as in this object's read-only table, the linker takes that of
    the executable's own jump to it, everywhere. Tables and objects that hold such an address stay right in a
    process that goes on from a snapshot; libc's own addresses differ from process to process.
    """
    source = linked.with_name("pinned.s")
    names = sorted(referenced_functions(linked.read_bytes()))
    rows = "".join(f"    .long {name}\n" for name in names)
    source.write_text(f'    .section .rodata.coachwhip_pinned, "aR", @progbits\n{rows}')
    zig_cc(toolchain, ["-c", source, "-o", output := source.with_suffix(".o")], what="the table of functions")
    return output


def _compile(wanted: _Wanted, unit: Path, output: Path) -> None:
    runtime, sources = wanted.runtime, wanted.sources
    major, minor = runtime.version
    zig_cc(
        wanted.toolchain,
        [
            *("-std=gnu11", "-O2", "-g0", *_WARNINGS, "-ffunction-sections", "-fdata-sections"),
            # Assertions in Python's headers would put the paths of this machine into the product.
            *("-DNDEBUG", f"-ffile-prefix-map={runtime.root}=runtime", f"-ffile-prefix-map={sources}=stub"),
            *(f"-I{sources}", f"-I{runtime.include}", f"-I{runtime.root / 'include'}"),
            *(f'-DCW_PYTHON_TAG="{major}{minor}"', f'-DCW_PYTHON_VERSION="{major}.{minor}"'),
            *("-c", unit, "-o", output),
        ],
        what=f"the stub's {unit.name}",
    )


def _inittab(runtime: Runtime, builtins: frozenset[str]) -> str:
    """C source of the table of built-in modules, less those that are not wanted.

    Modules without an init function of their own are the interpreter's core and always stay.
    """
    chosen = [b for b in runtime.builtins if b.name in builtins or not b.init.startswith("PyInit_")]
    declared = "\n".join(f"extern PyObject *{b.init}(void);" for b in chosen if b.init)
    rows = "\n".join(f'    {{"{b.name}", {b.init or "NULL"}}},' for b in chosen)
    return (
        "#include <Python.h>\n"
        f"{declared}\n"
        f"struct _inittab _PyImport_Inittab[] = {{\n{rows}\n    {{NULL, NULL}},\n}};\n"
    )
