"""Configures and compiles CPython: plain, or instrumented, trained and compiled again with the profile."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.errors import RuntimeBuildError
from coachwhip.runtime.elf_facts import sections
from coachwhip.runtime.libraries import unpack_source
from coachwhip.runtime.profile import function_counts, indexed_profile, weighted_sum

if TYPE_CHECKING:
    from coachwhip.runtime.workspace import Context

__all__ = ["FINAL", "PREFIX", "compile_final", "compile_instrumented", "configure", "train"]

#: Name of the build directory whose result becomes the runtime.
FINAL = "python"
#: Stands for the runtime's root in the interpreter and in its `sysconfig` data; does not exist.
PREFIX = "/__runtime__"

_CONFIGURED = "python-configured"
_INSTRUMENTED = "python-instrumented"
_SUPPORT = Path(__file__).parent / "support"
_SECTION_FLAGS = "-ffunction-sections -fdata-sections"
#: The driver's own switch would also ask the linker for LLVM's profile runtime. Value profiles need that
#: runtime as well.
_INSTRUMENT = "-Xclang -fprofile-instrument=llvm -mllvm -disable-vp=true"
_USE_PROFILE = "-fprofile-use={profile} -mllvm -disable-vp=true -Wno-profile-instr-unprofiled"
#: Seconds after which one test of the training run is given up.
_TEST_TIMEOUT = 600
#: What part of the profile's counts comes of starts; the rest are CPython's own tests, which run for long and
#: start rarely.
_STARTS_SHARE = 0.5
#: A training run that enters fewer functions than this did not run.
_LEAST_FUNCTIONS = 3000


def configure(context: Context) -> None:
    """Unpack CPython and run its `configure`, everything relative so that no path gets into the result."""
    step = "configure"
    unpack_source(context, context.recipe.source)
    directory = _fresh(context.workspace.build(_CONFIGURED))
    script = Path("..") / ".." / "src" / context.recipe.source.name / "configure"
    arguments = [
        "--build=x86_64-linux-gnu",
        "--host=x86_64-linux-gnu",
        f"--prefix={PREFIX}",
        "--with-openssl=../../deps/usr",
        *context.recipe.configure,
    ]
    context.run(step, [script, *arguments], directory, _configure_environment(context))


def _configure_environment(context: Context) -> dict[str, str]:
    include, library = "-I../../deps/usr/include", "-L../../deps/usr/lib"
    libraries = {
        "ZLIB": "-lz",
        "BZIP2": "-lbz2",
        "LIBLZMA": "-llzma",
        "LIBFFI": "-lffi",
        "LIBSQLITE3": "-lsqlite3 -lm",
        "LIBUUID": "-luuid",
        "CURSES": "-lncurses",
        "PANEL": "-lpanel -lncurses",
        "LIBEDIT": "-ledit -lncurses",
    }
    found = {f"{name}_CFLAGS": include for name in libraries}
    found |= {f"{name}_LIBS": f"{library} {flags}" for name, flags in libraries.items()}
    return {
        "CC": "cc",
        "CXX": "cc",
        "AR": "ar",
        "RANLIB": "ranlib",
        "PKG_CONFIG": "false",
        "MODULE_BUILDTYPE": "static",
        "OPT": " ".join(context.recipe.flags),
        "CFLAGS_NODIST": _SECTION_FLAGS,
        **found,
    }


def compile_instrumented(context: Context) -> None:
    """Compile an interpreter that counts how often its code is run."""
    step = "instrument"
    directory = _copy_configured(context, _INSTRUMENTED)
    counter = directory / "coachwhip-profile.o"
    context.run(step, ["cc", "-O2", "-c", _SUPPORT / "profile.c", "-o", counter], directory)
    _make(context, step, directory, _INSTRUMENT, f"LDFLAGS_NODIST={counter.name}")


def train(context: Context) -> None:
    """Run CPython's own training tests and starts in the instrumented interpreter, and write the profile."""
    directory = context.workspace.build(_INSTRUMENTED)
    records, names, places = sections(
        (directory / "python").read_bytes(), "__llvm_prf_data", "__llvm_prf_names", "__llvm_prf_cnts"
    )
    empty = bytes(len(places.data))
    # A test that fails on this machine takes nothing away from the profile of the others.
    tests = ["-m", "test", "--pgo", f"--timeout={_TEST_TIMEOUT}", f"-j{context.cpus}"]
    tested = _counters(context, directory, "tests", [tests]) or empty
    starts = _starts(context)
    # The first time bytecode is written, which is not what a program does when it starts.
    for arguments in starts:
        context.run("train", ["./python", *arguments], directory)
    started = _counters(context, directory, "starts", starts) or empty
    counts = weighted_sum(tested, started, _STARTS_SHARE)
    functions = function_counts(records.data, records.address, names.data, counts, places.address)
    entered = sum(any(function.counts) for function in functions)
    if entered < _LEAST_FUNCTIONS:
        raise RuntimeBuildError(
            f"the training run of CPython entered only {entered} functions",
            hint=f"the log is {context.workspace.log('train')}; `--quick` builds without a training run",
        )
    context.progress.detail(f"the training run entered {entered} of {len(functions)} functions")
    context.workspace.profile.write_bytes(indexed_profile(functions))


def _starts(context: Context) -> list[list[str]]:
    """Arguments of runs that start, import what programs import, and end."""
    return [["-I", "-S", "-c", f"import {', '.join(modules)}"] for modules in context.recipe.starts]


def _counters(context: Context, directory: Path, name: str, runs: list[list[str]]) -> bytes:
    """Run the instrumented interpreter and return the sums of its counters; empty when none were left."""
    counters = directory / f"counters-{name}"
    counters.unlink(missing_ok=True)
    env = context.toolchain.environment({"COACHWHIP_PROFILE": str(counters)})
    for run in runs:
        context.jobs.run(["./python", *run], cwd=directory, env=env, log=context.workspace.log("train"))
    return counters.read_bytes() if counters.exists() else b""


def compile_final(context: Context) -> None:
    """Compile the interpreter that becomes the runtime."""
    directory = _copy_configured(context, FINAL)
    flags = _USE_PROFILE.format(profile=context.workspace.profile) if context.pgo else ""
    _make(context, "compile", directory, flags)


def _make(context: Context, step: str, directory: Path, flags: str, *variables: str) -> None:
    targets = ["python", "pybuilddir.txt"]
    command = ["make", f"-j{context.cpus}", f"CFLAGS_NODIST={flags}", *variables]
    context.run(step, [*command, *targets], directory)


def _copy_configured(context: Context, name: str) -> Path:
    directory = context.workspace.build(name)
    shutil.rmtree(directory, ignore_errors=True)
    # copytree keeps time stamps, without which make would configure again.
    shutil.copytree(context.workspace.build(_CONFIGURED), directory, symlinks=True)
    return directory


def _fresh(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory
