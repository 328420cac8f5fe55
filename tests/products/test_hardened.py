"""Products without a snapshot whose addresses the kernel chooses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coachwhip.elf import native_lib, symbols
from coachwhip.elf.hardening import hardening
from coachwhip.errors import ExitCode
from coachwhip.image import read_image
from tests.movable import movable_runtime
from tests.products.apps import NATIVE, probe_wheels
from tests.products.building import Product, build, environment
from tests.products.extensions import SUFFIX, compile_extension

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coachwhip.effects.cache import Cache
    from coachwhip.runtime import Runtime

pytestmark = pytest.mark.product

#: Above all that usual products have at fixed addresses, below all that the kernel chooses.
LOWEST = 1 << 40

#: Prints the process's mappings: address, protection and name of each.
MAPS = """\
import json
rows = [line.split(None, 5) for line in open('/proc/self/maps')]
print(json.dumps([[int(r[0].split('-')[0], 16), r[1], r[5].strip() if len(r) > 5 else ''] for r in rows]))
"""

_RANDOMIZE = Path("/proc/sys/kernel/randomize_va_space")
needs_random_addresses = pytest.mark.skipif(
    not _RANDOMIZE.exists() or _RANDOMIZE.read_text().strip() != "2", reason="this kernel does not randomise"
)


@pytest.fixture(scope="session")
def movable() -> Runtime:
    """The runtime that hardened products are made of."""
    return movable_runtime()


@pytest.fixture(scope="session")
def wheels(movable: Runtime, cache: Cache, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the app, which has a native library."""
    folder = tmp_path_factory.mktemp("hardened")
    source = folder / "native.c"
    source.write_text(NATIVE)
    native = compile_extension(movable, cache, [source], folder / f"_native{SUFFIX}")
    return probe_wheels(folder / "wheels", native.read_bytes()).parent


def _build(wheels: Path, output: Path) -> Product:
    (wheel,) = wheels.glob("probe-*.whl")
    return Product(build(wheel, "--find-links", wheels, "--pie", output=output))


@pytest.fixture(scope="session")
def hardened(wheels: Path) -> Product:
    """A console script that runs the code it is given."""
    return _build(wheels, wheels.parent / "probe")


def coachwhip(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coachwhip", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def maps(
    product: Product, code: str = "", env: Mapping[str, str] | None = None
) -> list[tuple[int, str, str]]:
    return [tuple(row) for row in product.value(code + MAPS, env=env)]


def test_the_executable_has_all_that_is_promised(hardened: Product) -> None:
    image = read_image(hardened.path)
    assert hardening(image.stub).lacks == ()
    # The image's header was added to the stub's.
    assert hardening(hardened.path.read_bytes()).lacks == ()
    assert native_lib(image.stub).glibc <= (2, 17)


def test_memory_comes_from_the_machines_allocator(hardened: Product, probe: Product) -> None:
    def offered(product: Product) -> set[str]:
        return {symbol.name for symbol in symbols(read_image(product.path).stub) if symbol.defined}

    allocator = {"malloc", "calloc", "realloc", "free", "posix_memalign"}
    assert allocator <= offered(probe)
    assert not allocator & offered(hardened)


def test_no_code_for_snapshots_is_inside(hardened: Product, probe: Product) -> None:
    assert b"CWSNAP" in read_image(probe.path).stub
    assert b"CWSNAP" not in read_image(hardened.path).stub


def test_inspect_says_that_it_is_hardened(hardened: Product) -> None:
    shown = coachwhip("inspect", hardened.path).stdout
    assert any("hardened" in line and "but" not in line for line in shown.splitlines() if "addresses" in line)
    found: dict[str, Any] = json.loads(coachwhip("inspect", "--json", hardened.path).stdout)
    assert set(found["hardening"].values()) == {True}
    assert found["parts"]["snapshot"] == 0
    assert [native["mapped"] for native in found["natives"]] == [0]


@needs_random_addresses
def test_every_process_has_other_addresses(hardened: Product) -> None:
    def places() -> dict[str, int]:
        found = maps(hardened, "import probe._native, probe; keep = bytearray(100)\n")
        names = {"text": str(hardened.path), "heap": "[heap]", "stack": "[stack]", "native": "_native"}
        return {key: next(at for at, _, name in found if text in name) for key, text in names.items()}

    one, two = places(), places()
    assert {key for key in one if one[key] == two[key]} == set()


@needs_random_addresses
def test_objects_have_other_addresses(hardened: Product) -> None:
    code = "import json, probe; print(json.dumps([id(None), id(object()), id(probe)]))"
    one, two = hardened.value(code), hardened.value(code)
    assert not any(a == b for a, b in zip(one, two, strict=True))


def test_hashes_differ_from_process_to_process(hardened: Product) -> None:
    assert len({hardened.output("print(hash('text'))") for _ in range(3)}) > 1


@needs_random_addresses
def test_nothing_is_at_a_low_address(hardened: Product) -> None:
    assert min(at for at, _, _ in maps(hardened, "import probe._native, ctypes, ssl, sqlite3\n")) > LOWEST


def test_no_memory_is_writable_and_executable(hardened: Product) -> None:
    code = (
        "import ctypes, probe._native\n"
        "kept = [ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n + 1) for _ in range(2000)]\n"
        "assert kept[1999](41) == 42\n"
    )
    for env in (environment(), environment(COACHWHIP_CACHE_DIR="/dev/null/none")):
        assert [name for _, how, name in maps(hardened, code, env) if "w" in how and "x" in how] == []


def test_a_start_says_why_there_is_no_snapshot(hardened: Product) -> None:
    done = hardened.run("print('there')", env=environment(COACHWHIP_WHY="1"))
    assert done.stdout == "there\n"
    assert "started without a snapshot: it is hardened" in done.stderr


def test_nothing_is_baked(hardened: Product, tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    plan.write_text(json.dumps({"output": str(tmp_path / "memory")}))
    done = hardened.run("print('there')", env=environment(COACHWHIP_BAKE=str(plan)))
    assert (done.stdout, done.returncode) == ("there\n", 0)
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]
    # Not for the stub but for the app, which takes it for code.
    assert "NameError: name 'coachwhip'" in hardened.run("--coachwhip-bake").stderr
    refused = coachwhip("bake", hardened.path)
    assert refused.returncode == ExitCode.INPUT
    assert "is hardened" in refused.stderr


def test_native_libraries_are_loaded_by_the_system(hardened: Product, tmp_path: Path) -> None:
    env = environment(COACHWHIP_CACHE_DIR=str(tmp_path))
    code = "import probe._native; assert probe._native.answer() == 42\n"
    files = {name for _, _, name in maps(hardened, code, env) if "_native" in name}
    assert len(files) == 1
    assert Path(files.pop()).is_relative_to(tmp_path)


def test_it_is_a_python_too(hardened: Product) -> None:
    done = hardened.python("-c", "import sys, probe; print(sys.version_info[:2])")
    assert (done.stdout, done.stderr) == ("(3, 13)\n", "")
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(42)'], check=True)"
    assert hardened.output(code) == "42\n"


def test_the_loader_can_start_it(hardened: Product) -> None:
    done = Product(Path("/lib64/ld-linux-x86-64.so.2")).run(hardened.path, "print('there')")
    assert (done.stdout, done.returncode) == ("there\n", 0)


def test_a_configured_snapshot_is_not_made_and_the_build_says_so(movable: Runtime, tmp_path: Path) -> None:
    assert movable.pie
    script = tmp_path / "tool.py"
    table = '# pie = true\n# snapshot = "auto"\n'
    script.write_text(f"# /// script\n# [tool.coachwhip]\n{table}# ///\nprint('there')\n")
    command = ("build", "--no-index", script, "-o", tmp_path / "tool")
    assert "no snapshot" in coachwhip(*command).stderr
    assert read_image(tmp_path / "tool").manifest.runtime == movable.recipe
    assert Product(tmp_path / "tool").output() == "there\n"
    # The command line takes the configured choice back.
    coachwhip(*command, "--no-pie", "--no-snapshot")
    assert not hardening(read_image(tmp_path / "tool").stub).position_independent


def test_the_same_inputs_give_the_same_bytes(hardened: Product, wheels: Path, tmp_path: Path) -> None:
    again = _build(wheels, tmp_path / "elsewhere" / "probe")
    assert again.path.read_bytes() == hardened.path.read_bytes()
