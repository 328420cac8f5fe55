"""What a runtime must pass before it is installed. The judgements are pure; `check` gathers the facts."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.process import run
from coachwhip.elf import native_lib
from coachwhip.elf.hardening import Hardening, hardening
from coachwhip.errors import RuntimeBuildError
from coachwhip.image.natives import GLIBC_LIBRARIES
from coachwhip.runtime.elf_facts import archive_index, executable_symbols, exported_names
from coachwhip.runtime.toolchain import exported_c_api

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coachwhip.model import NativeLib
    from coachwhip.runtime.model import Runtime
    from coachwhip.runtime.workspace import Context

__all__ = [
    "Gate",
    "check",
    "judge_carried",
    "judge_exports",
    "judge_floor",
    "judge_hardening",
    "judge_paths",
    "judge_replacements",
]

_TEST_TIMEOUT = 300
_SHOWN = 8


@dataclass(frozen=True)
class Gate:
    """The result of one check: what was checked, what is wrong with it (empty when it is passed)."""

    name: str
    failures: tuple[str, ...]


def judge_floor(versions: Iterable[str], floor: tuple[int, int]) -> Gate:
    """No symbol is newer than the oldest glibc that is promised."""
    too_new = []
    for version in versions:
        match = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", version)
        if match is None or (int(match[1]), int(match[2])) > floor:
            too_new.append(version)
    return Gate("no symbol newer than GLIBC_{}.{}".format(*floor), tuple(sorted(too_new)))


def judge_exports(exported: frozenset[str], wanted: frozenset[str]) -> Gate:
    """Exactly the C API is exported."""
    missing = [f"missing: {name}" for name in sorted(wanted - exported)]
    foreign = [f"foreign: {name}" for name in sorted(exported - wanted)]
    return Gate("exactly the C API is exported", (*missing, *foreign))


def judge_replacements(defined: frozenset[str], libc: frozenset[str]) -> Gate:
    """No function or variable of glibc is replaced by one of the same name in our static libraries."""
    return Gate("no function of glibc is replaced", tuple(sorted(defined & libc)))


def judge_paths(files: Iterable[tuple[str, bytes]], forbidden: Iterable[str]) -> Gate:
    """No path of the building machine is left in any file."""
    needles = [path.encode() for path in forbidden]
    found = [name for name, data in files if any(needle in data for needle in needles)]
    return Gate("no path of the building machine inside", tuple(sorted(found)))


def judge_carried(libraries: Mapping[str, NativeLib], floors: Mapping[str, str]) -> Gate:
    """Each library that products may carry has its name, needs what is promised and is whole with the others.

    Args:
        libraries: by file name, in the order of the recipe.
        floors: the newest glibc that each of them may need.
    """
    wrong = []
    known: set[str] = set()
    for name, library in libraries.items():
        if library.soname != name:
            wrong.append(f"{name} calls itself {library.soname}")
        if library.glibc > tuple(int(part) for part in floors[name].split(".")):
            wrong.append(
                f"{name} needs {library.glibc_symbol} of glibc {library.glibc[0]}.{library.glibc[1]}"
            )
        wrong += [f"{name} needs {other}" for other in library.needed if other not in known | GLIBC_LIBRARIES]
        known.add(name)
    return Gate("the libraries that products carry are what they should be", tuple(wrong))


def judge_hardening(found: Hardening, *, pie: bool) -> Gate:
    """A position-independent interpreter has all that hardened products promise; others promise nothing."""
    return Gate("executables are hardened", found.lacks if pie else ())


def check(context: Context, runtime: Runtime) -> list[Gate]:
    """Check a runtime that was put together in the workspace.

    Returns:
        All gates, passed.

    Raises:
        RuntimeBuildError: a gate was not passed; the detail says why.
    """
    interpreter = runtime.interpreter.read_bytes()
    symbols = executable_symbols(interpreter)
    gates = [
        judge_floor(symbols.versions, runtime.glibc_floor),
        judge_hardening(hardening(interpreter), pie=runtime.pie),
        judge_exports(symbols.exported, frozenset(exported_c_api(runtime))),
        judge_replacements(_archived(runtime), _libc(context)),
        judge_paths(_contents(runtime), _build_paths(context)),
        judge_carried(
            {path.name: native_lib(path.read_bytes()) for path in runtime.carried_libraries},
            context.recipe.carried,
        ),
        _modules(runtime, context),
    ]
    _refuse(context, gates)
    gates.append(_own_tests(context, runtime))
    _refuse(context, gates)
    return gates


def _refuse(context: Context, gates: list[Gate]) -> None:
    failed = [gate for gate in gates if gate.failures]
    if failed:
        lines = [f"{gate.name}: {', '.join(gate.failures[:_SHOWN])}" for gate in failed]
        raise RuntimeBuildError(
            "the finished runtime did not pass its checks and is not installed",
            hint=f"please report this; the build is kept in {context.workspace.root}",
            detail="\n".join(lines),
        )


def _archived(runtime: Runtime) -> frozenset[str]:
    return frozenset[str]().union(*(archive_index(path.read_bytes()) for path in runtime.archives))


def _libc(context: Context) -> frozenset[str]:
    libraries = (context.toolchain.sysroot / "usr" / "lib").glob("*.so.*")
    return frozenset[str]().union(*(exported_names(path.read_bytes()) for path in libraries))


def _build_paths(context: Context) -> list[str]:
    return [str(context.workspace.root), str(context.toolchain.home), str(context.toolchain.zig.parent)]


def _contents(runtime: Runtime) -> Iterable[tuple[str, bytes]]:
    for path in sorted(runtime.root.rglob("*")):
        if path.is_file() and runtime.test_stdlib not in path.parents:
            yield str(path.relative_to(runtime.root)), path.read_bytes()


def _modules(runtime: Runtime, context: Context) -> Gate:
    """Every built-in module can be imported from any directory."""
    names = [builtin.name for builtin in runtime.builtins]
    code = "import sys, importlib\nfor n in sys.argv[1:]: importlib.import_module(n)\nprint(sys.prefix)"
    env = dict(context.toolchain.base)
    done = run([runtime.interpreter, "-c", code, *names], cwd=Path("/"), env=env)
    good = done.ok and done.stdout.strip() == str(runtime.root.resolve())
    return Gate("all built-in modules can be imported", () if good else (done.stderr or done.stdout,))


def _own_tests(context: Context, runtime: Runtime) -> Gate:
    """CPython's own tests, run with the interpreter as it will be installed."""
    step = "tests"
    scratch = context.workspace.build("tests")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    command: list[str | Path] = [runtime.interpreter, "-m", "test", f"-j{context.cpus}"]
    command += [f"--timeout={_TEST_TIMEOUT}", f"--tempdir={scratch}", *context.recipe.tests]
    env = {**context.toolchain.base, "PYTHONPATH": str(runtime.test_stdlib), "PYTHONDONTWRITEBYTECODE": "1"}
    log = context.workspace.log(step)
    log.unlink(missing_ok=True)
    status = context.jobs.run(command, cwd=scratch, env=env, log=log)
    failures = [] if status == 0 else [line.strip() for line in _failed(log.read_text(errors="replace"))]
    if status and not failures:
        failures = [f"ended with {status}, see {log}"]
    return Gate("CPython's own tests", tuple(failures))


def _failed(output: str) -> list[str]:
    return re.findall(r"^(?:ERROR|FAIL): .*$|^.*\b(?:crashed|timed out)\b.*$", output, re.MULTILINE)
