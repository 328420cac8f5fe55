"""An entry point that is not in the product is found while building."""

from __future__ import annotations

from pathlib import Path

import pytest

from coachwhip.errors import InputError
from coachwhip.model import (
    Blob,
    Bundle,
    Compression,
    Distribution,
    EntryPoint,
    Layer,
    NativeLib,
    Node,
    Target,
)
from coachwhip.pipeline.entry import check_entry

BLOB = Blob(0, 1, 1, Compression.NONE, 0)
SITE = "lib/python3.13/site-packages"
NODES = (
    Node(f"{SITE}/shop/__init__.py", BLOB, BLOB),
    Node(f"{SITE}/shop/cli.py", BLOB, BLOB),
    Node(f"{SITE}/shop/data.json", BLOB),
    Node(f"{SITE}/fast.cpython-313-x86_64-linux-gnu.so", BLOB, native=NativeLib("", (), (), (0, 0), "")),
    Node(f"{SITE}/tool/__init__.py", BLOB, BLOB),
    Node(f"{SITE}/tool/__main__.py", BLOB, BLOB),
    Node("lib/python3.13/platform.py", None, BLOB),
)


def check(module: str, attribute: str = "main", path_lines: tuple[str, ...] = ()) -> None:
    layer = Layer(Distribution("shop", "1"), NODES, Path("blobs"), path_lines)
    bundle = Bundle("shop", "1", EntryPoint("shop", module, attribute), Target((3, 13)), (layer,))
    check_entry(bundle, "3.13.5", ["_json"])


@pytest.mark.parametrize("module", ["shop", "shop.cli", "fast", "platform", "_json"])
def test_what_is_there_is_accepted(module: str) -> None:
    check(module)


@pytest.mark.parametrize(
    ("module", "hint"), [("shop.cly", "did you mean shop.cli?"), ("elsewhere", "check its spelling")]
)
def test_what_is_not_there_is_refused_with_what_comes_near(module: str, hint: str) -> None:
    with pytest.raises(InputError, match="is not in the product") as caught:
        check(module)
    assert hint in caught.value.hint


def test_data_is_no_module() -> None:
    with pytest.raises(InputError):
        check("shop.data")


def test_a_package_without_main_cant_be_run() -> None:
    check("tool", attribute="")
    check("shop.cli", attribute="")
    with pytest.raises(InputError, match="no __main__"):
        check("shop", attribute="")


def test_a_script_needs_no_module() -> None:
    layer = Layer(Distribution("shop", "1"), (), Path("blobs"))
    entry = EntryPoint("shop", source=b"print()")
    check_entry(Bundle("shop", "", entry, Target((3, 13)), (layer,)), "3.13.5", [])


def test_path_lines_may_lead_anywhere() -> None:
    check("elsewhere", path_lines=("/opt/lib",))
