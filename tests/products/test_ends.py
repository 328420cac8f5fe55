"""What happens at the end of a process: the same, byte for byte, as under the plain interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.products.building import Product

pytestmark = pytest.mark.product

WAYS = (
    *("globals", "cycles", "atexit", "finalize", "threads", "daemon", "generator", "garbage", "at end"),
    *("thread error", "unraisable"),
)


@pytest.mark.parametrize("way", WAYS)
def test_the_end_is_the_same(ending: Product, plain: Product, way: str) -> None:
    script = ending.path.with_suffix(".py")
    here, there = ending.run(way), plain.run(script, way)
    assert here.stdout == there.stdout
    # Addresses differ from one process to the next.
    expected = there.stderr.replace(str(script), "/__app__/bin/ending")
    expected = expected.replace(str(plain.path.parent.parent), "/__app__")
    words = [[word for word in text.split() if not word.startswith("0x")] for text in (here.stderr, expected)]
    assert words[0] == words[1]
    assert here.returncode == there.returncode


def test_open_files_are_written(ending: Product, plain: Product, tmp_path: Path) -> None:
    found = []
    for name, product, first in (("here", ending, []), ("there", plain, [ending.path.with_suffix(".py")])):
        paths = [tmp_path / f"{name}{number}" for number in range(3)]
        assert product.run(*first, "files", *paths).returncode == 0
        found.append([path.read_text() for path in paths])
    assert found[0] == found[1] == ["in module\n", "in class\n", "in a cycle\n"]


def test_objects_of_imported_modules_end_too(probe: Product) -> None:
    code = """
        import probe
        class Noisy:
            def __del__(self):
                print("end", flush=True)
        probe.kept = Noisy()
        cycle = Noisy()
        cycle.itself = cycle
    """
    assert probe.output(code) == "end\nend\n"


NATIVE_PLACES = (
    "closer = CLOSER",
    "closer = (1, (2, CLOSER))",
    "closer = {1: ({2: CLOSER},)}",
    "class Holder: closer = CLOSER",
    "class Holder: __slots__ = 'closer', 'me'\nholder = Holder(); holder.me = holder; holder.closer = CLOSER",
    "function.closer = CLOSER",
    "function.__doc__ = CLOSER",
    "from functools import partial\nfunction.kept = partial(function, CLOSER)",
)


@pytest.mark.parametrize("place", NATIVE_PLACES)
def test_objects_of_native_types_end_too(probe: Product, tmp_path: Path, place: str) -> None:
    code = f"""
from probe._native import Closer
import gc
def function():
    "Makes a cycle of this namespace."
{place.replace("CLOSER", f"Closer({str(tmp_path / 'file')!r})")}
gc.collect() # takes what can't be in a cycle from what the collector looks at
"""
    assert probe.output(code) == ""
    assert (tmp_path / "file").read_text() == "closed"


def test_a_callback_for_what_is_in_a_cycle(probe: Product) -> None:
    code = """
        import sys, weakref
        class Node:
            pass
        node = Node()
        node.itself = node
        sys.kept = weakref.ref(node, lambda gone: print("gone", flush=True))
        del node
    """
    assert probe.output(code) == "gone\n"


def test_a_pool_of_threads_is_waited_for(probe: Product, tmp_path: Path) -> None:
    code = f"""
        import concurrent.futures, time
        executor = concurrent.futures.ThreadPoolExecutor(2)
        def late():
            time.sleep(0.1)
            with open({str(tmp_path / "late")!r}, "w") as file:
                file.write("written")
        executor.submit(late)
    """
    assert probe.output(code) == ""
    assert (tmp_path / "late").read_text() == "written"
