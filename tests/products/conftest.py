"""The products that these tests look into, each built once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from coachwhip.cli.places import default_cache
from coachwhip.progress import Silent
from coachwhip.runtime import install_runtime
from tests.products.apps import CONFIGURED, ENDING, NATIVE, PARALLEL, STRICT, probe_wheels
from tests.products.building import Product, build
from tests.products.extensions import SUFFIX, compile_extension
from tests.products.subjects import SUBJECT, Subject, build_script

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.effects.cache import Cache
    from coachwhip.runtime import Runtime


@pytest.fixture(scope="session")
def cache() -> Cache:
    """The user's cache, where the runtime is."""
    return default_cache()


@pytest.fixture(scope="session")
def runtime(cache: Cache) -> Runtime:
    """The runtime that products are made of."""
    return install_runtime(None, cache=cache, environ=os.environ, progress=Silent())


@pytest.fixture(scope="session")
def plain(runtime: Runtime) -> Product:
    """The same interpreter as products have, as an ordinary one, to compare with."""
    return Product(runtime.interpreter)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything is built."""
    return tmp_path_factory.mktemp("products")


@pytest.fixture(scope="session")
def probe(runtime: Runtime, cache: Cache, folder: Path) -> Product:
    """A console script that runs the code it is given, with all kinds of things to import."""
    source = folder / "native.c"
    source.write_text(NATIVE)
    native = compile_extension(runtime, cache, [source], folder / f"_native{SUFFIX}")
    wheels = folder / "wheels"
    wheel = probe_wheels(wheels, native.read_bytes())
    more = ("--with", "spread-two", "--with", "lines-of-pth")
    return Product(build(wheel, "--find-links", wheels, *more, output=folder / "probe"))


def _script(folder: Path, name: str, text: str) -> Product:
    script = folder / f"{name}.py"
    script.write_text(text)
    return Product(build(script, output=folder / name))


@pytest.fixture(scope="session")
def parallel(folder: Path) -> Product:
    """A script that uses `multiprocessing`; its text is beside it as parallel.py."""
    return _script(folder, "parallel", PARALLEL)


@pytest.fixture(scope="session")
def ending(folder: Path) -> Product:
    """A script that ends in the way it is told to; its text is beside it as ending.py."""
    return _script(folder, "ending", ENDING)


@pytest.fixture(scope="session")
def strict(folder: Path) -> Product:
    """A script without sources that is no interpreter."""
    return _script(folder, "strict", STRICT)


@pytest.fixture(scope="session")
def configured(folder: Path) -> Product:
    """A script that honours PYTHON* variables and has options of its own."""
    return _script(folder, "configured", CONFIGURED)


@pytest.fixture(scope="session")
def subject(folder: Path) -> Subject:
    """A script that runs the code it is given, from a snapshot."""
    return build_script(folder, "subject", SUBJECT)


@pytest.fixture(scope="session")
def parallel_subject(folder: Path) -> Subject:
    """A script that uses `multiprocessing`, from a snapshot."""
    return build_script(folder, "parallel_subject", PARALLEL)
