"""`python -m bench`: build the example apps with every tool, measure them, write a table and a plot."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bench.measure as measuring
from bench.apps import APPS
from bench.builds import make
from bench.copies import proportional_memory
from bench.model import PLAIN, App, Result
from bench.plot import as_svg
from bench.report import as_json, as_markdown
from bench.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

_HERE = Path(__file__).resolve().parent


def main() -> int:
    """Measure what the command line asks for; return the number of programs that could not be measured."""
    options = _parser().parse_args()
    python = options.plain or _find_python()
    tools = list(dict.fromkeys([PLAIN, *options.peers]))
    launcher = measuring.Launcher(options.work)
    results: list[Result] = []
    for app in (APPS[name] for name in options.apps):
        results += _measure(app, tools, python, launcher, options)
    facts = _facts(python, options, results)
    options.output.mkdir(parents=True, exist_ok=True)
    needs_python = frozenset(name for name, tool in TOOLS.items() if tool.needs_python)
    table = as_markdown(facts, results, needs_python)
    (options.output / "startup.md").write_text(table, encoding="utf-8")
    (options.output / "startup.json").write_text(as_json(facts, results), encoding="utf-8")
    (options.output / "startup.svg").write_text(as_svg(results), encoding="utf-8")
    print(table)
    return sum(1 for result in results if result.failure)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--apps",
        nargs="+",
        choices=list(APPS),
        default=list(APPS),
        metavar="APP",
        help=f"apps to measure (default: all of {', '.join(APPS)})",
    )
    parser.add_argument(
        "--peers",
        nargs="+",
        choices=list(TOOLS),
        default=list(TOOLS),
        metavar="TOOL",
        help=f"tools to compare with plain Python (default: all of {', '.join(TOOLS)})",
    )
    parser.add_argument("--runs", type=int, default=30, help="warm starts of each program (default: 30)")
    parser.add_argument(
        "--cold-runs", type=int, default=5, help="starts with an empty product cache (default: 5)"
    )
    parser.add_argument(
        "--copies", type=int, default=50, help="how many run at once for the memory of a copy (default: 50)"
    )
    parser.add_argument(
        "--plain",
        type=Path,
        metavar="PYTHON",
        help="the ordinary CPython 3.13 to compare with, and that the peers build for",
    )
    parser.add_argument(
        "--rebuild",
        nargs="*",
        choices=list(TOOLS),
        default=[],
        metavar="TOOL",
        help="build these again although an earlier run has built them",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=_HERE.parent / "build" / "bench",
        help="folder for what the tools make (default: build/bench)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=_HERE / "results",
        help="folder for the table and the plot (default: bench/results)",
    )
    return parser


def _measure(
    app: App, tools: Sequence[str], python: Path, launcher: measuring.Launcher, options: argparse.Namespace
) -> list[Result]:
    results, ready = [], []
    for name in tools:
        print(f"{app.name}: {name}", file=sys.stderr)
        result, program = make(app, TOOLS[name], python, options.work, rebuild=name in options.rebuild)
        results.append(result)
        if program is not None:
            result.cold, result.second = measuring.measure_first(launcher, program, options.cold_runs)
            ready.append((result, program))
    warm = measuring.measure_warm(launcher, [program for _, program in ready], options.runs)
    for (result, _), samples in zip(ready, warm, strict=True):
        result.warm = samples
    for result, program in ready:
        result.calls = launcher.count_calls(program)
        if options.copies:
            result.shared = proportional_memory(program, options.copies)
    return results


def _find_python() -> Path:
    """Return a CPython 3.13 from PATH or pyenv.

    Raises:
        SystemExit: there is none.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = shutil.which("python3.13")
    candidates = [Path(found)] if found else []
    candidates += sorted(pyenv.glob("versions/3.13*/bin/python3.13"))
    code = "import os, sys; print(os.path.realpath(sys.executable))"
    for candidate in candidates:
        # A shim of pyenv may exist for a version that is not switched on.
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Path(done.stdout.strip())
    raise SystemExit("no CPython 3.13 found; name one with --plain")


def _facts(python: Path, options: argparse.Namespace, results: Sequence[Result]) -> dict[str, str]:
    code = "import sys, sysconfig; print(sys.version.split()[0], sysconfig.get_config_var('CONFIG_ARGS'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    version, _, arguments = done.stdout.strip().partition(" ")
    kind = "with PGO" if "--enable-optimizations" in arguments else "built without PGO"
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    facts = {
        "processor": f"{_cpu()}, {os.cpu_count()} cores",
        "system": f"{system}, kernel {platform.release()}",
        "plain Python": f"CPython {version}, {kind}",
        "runs": f"{options.runs} warm, {options.cold_runs} with an empty cache",
    }
    versions = {result.tool: result.version for result in results if result.version}
    facts |= {name: version for name, version in versions.items() if name != PLAIN}
    return facts


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())
