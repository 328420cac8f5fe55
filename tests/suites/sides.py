"""The two programs that run a suite: a product, and beside it a plain interpreter with the same packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.uv import failure, run_uv
from coachwhip.resolve import Options
from coachwhip.resolve.compile import configured_indexes
from coachwhip.resolve.indexes import index_arguments
from tests.products.building import environment
from tests.products.cpython_product import plain_interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.runtime import Runtime
    from tests.suites.model import Suite

__all__ = ["Sides", "make_sides"]

_PROGRAM = Path(__file__).with_name("program.py")
_SHOWN = 2000
_LIST = """\
import importlib.metadata, json
print(json.dumps({d.name: d.version for d in importlib.metadata.distributions()}))
"""


@dataclass(frozen=True)
class Sides:
    """What to run.

    Attributes:
        commands: side -> the beginning of its command.
        versions: distribution -> version, the same on both sides.
    """

    commands: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, str]


def make_sides(suite: Suite, runtime: Runtime, folder: Path) -> Sides:
    """Build the product, and make a virtual environment with exactly what is in it.

    Both are kept in `folder`, which a second call with the same suite uses as they are.
    """
    script = folder / f"{suite.name}_tests.py"
    text = _script(suite)
    product, venv = folder / "product", folder / "venv"
    if not (script.exists() and script.read_text() == text and product.exists() and venv.exists()):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        script.write_text(text)
        build: list[str | Path] = [
            sys.executable,
            "-m",
            "coachwhip",
            "build",
            script,
            "-o",
            product,
            "--explain",
        ]
        _run(build, folder / "build.log", os.environ)
        _make_venv(runtime, venv, _versions(product))
    # As isolated as a product is: no user's packages, no script's folder.
    plain = (str(venv / "bin" / "python"), "-I", str(script))
    return Sides({"plain": plain, "product": (str(product),)}, _versions(product))


def _script(suite: Suite) -> str:
    wanted = "".join(f'#     "{requirement}",\n' for requirement in suite.requirements)
    imports = "".join(f"import {name}\n" for name in suite.imports)
    body = _PROGRAM.read_text().replace("IMPORTS = ()\n", imports)
    snapshot = f"# [tool.coachwhip.snapshot]\n# deny = {json.dumps(suite.deny)}\n" if suite.deny else ""
    return f"# /// script\n# dependencies = [\n{wanted}# ]\n{snapshot}# ///\n{body}"


def _versions(product: Path) -> dict[str, str]:
    done = subprocess.run(
        [product, "-c", _LIST],
        env=environment(COACHWHIP_INTERPRETER="1"),
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _make_venv(runtime: Runtime, venv: Path, versions: Mapping[str, str]) -> None:
    base = plain_interpreter(runtime, [], venv.parent)
    _run([base, "-m", "venv", "--without-pip", venv], venv.parent / "venv.log", environment())
    options = Options(environ=os.environ)
    where = index_arguments(options, configured_indexes(options, venv.parent))
    pins = [f"{name}=={version}" for name, version in versions.items()]
    command: list[str | Path] = [
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--python",
        venv / "bin" / "python",
        *where,
        *pins,
    ]
    done = run_uv(command, environ=os.environ, cwd=venv.parent)
    if not done.ok:
        raise failure(done, "install the same packages")


def _run(command: list[str | Path], log: Path, variables: Mapping[str, str]) -> None:
    with log.open("wb") as stream:
        done = subprocess.run(command, env=variables, stdout=stream, stderr=stream, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{log.read_text()[-_SHOWN:]}")
