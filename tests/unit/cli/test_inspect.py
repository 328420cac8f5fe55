"""`coachwhip inspect` on a product that is made here, without any runtime."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coachwhip.cli.main import main
from coachwhip.errors import ExitCode
from coachwhip.image import Manifest, plan_image, write_product
from coachwhip.image.manifest import DistributionRecord, NativeRecord
from coachwhip.model import Bundle, EntryPoint, NativeLib, Target
from tests.unit.image.samples import LayerBuilder, fake_stub

if TYPE_CHECKING:
    from pathlib import Path

SITE = "lib/python3.13/site-packages"


@pytest.fixture
def product(tmp_path: Path) -> Path:
    return make_product(tmp_path, fake_stub())


def make_product(tmp_path: Path, stub: bytes) -> Path:
    library = NativeLib("", ("libc.so.6",), (), (2, 28), "fcntl64")
    layer = LayerBuilder("app", tmp_path / "layer")
    layer.add(f"{SITE}/app/__init__.py", b"x = 1\n" * 100, code=b"\xe3" * 300)
    layer.add(f"{SITE}/app/fast.so", b"\x7fELF" * 500, native=library)
    bundle = Bundle("app", "1.0", EntryPoint("app", "app", "main"), Target((3, 13)), (layer.layer(),))
    manifest = Manifest(
        builder="0.1.0",
        app="app",
        version="1.0",
        entry="app:main",
        target=str(bundle.target),
        python="3.13.5",
        runtime="0123456789abcdef",
        stub_glibc="2.17",
        distributions=(DistributionRecord("app", "1.0", "", "", 2, 2900, 3000),),
        natives=(NativeRecord(f"{SITE}/app/fast.so", "2.28", "fcntl64", 2000, 2000),),
    )
    path = tmp_path / "app"
    with path.open("wb") as output:
        write_product(stub, plan_image(bundle, f"{SITE}/app/__init__.py"), manifest, output)
    return path


def inspect_json(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    main(["inspect", "--json", str(path)])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_it_tells_what_a_person_wants_to_know(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(product)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "intact, every checksum matches" in out
    assert "app:main" in out
    assert "CPython 3.13.5" in out
    assert "2.28 or newer, because of app/fast.so" in out
    assert max(len(line) for line in out.splitlines() if str(product) not in line) <= 80


def test_it_tells_whether_addresses_are_fixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for pie in (False, True):
        product = make_product(tmp_path, fake_stub(pie=pie))
        assert main(["inspect", str(product)]) == 0
        found.append(next(line for line in capsys.readouterr().out.splitlines() if "addresses" in line))
        assert inspect_json(product, capsys)["hardening"]["position_independent"] is pie
    assert "are fixed" in found[0]
    assert "hardened but for relro" in found[1]


def test_parts_add_up_to_the_file(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = inspect_json(product, capsys)
    assert sum(found["parts"].values()) == found["size"] == product.stat().st_size
    assert found["parts"]["bytecode"] == 300
    assert found["parts"]["native libraries"] == 2000
    assert found["parts"]["sources and data"] == 600


def test_json_has_what_the_tables_have(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = inspect_json(product, capsys)
    assert found["intact"] is True
    assert found["damage"] is None
    assert found["glibc"] == {"floor": "2.28", "set_by": f"{SITE}/app/fast.so", "interpreter": "2.17"}
    assert found["app"] == {"name": "app", "version": "1.0", "entry": "app:main"}
    assert found["natives"][0]["path"] == f"{SITE}/app/fast.so"
    assert found["settings"]["interpreter"] is True


def test_damage_is_reported_and_ends_with_its_own_exit_code(
    product: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(product.read_bytes())
    content[content.index(b"x = 1\n")] ^= 1
    product.write_bytes(content)
    assert main(["inspect", str(product)]) == ExitCode.IMAGE
    out, err = capsys.readouterr()
    assert "DAMAGED" in out
    assert f"{SITE}/app/__init__.py" in err
    found = inspect_json(product, capsys)
    assert found["intact"] is False
    assert f"{SITE}/app/__init__.py" in found["damage"]


def test_a_truncated_file_is_called_truncated(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = product.read_bytes()
    product.write_bytes(content[: len(content) - 100])
    assert main(["inspect", str(product)]) == ExitCode.IMAGE
    assert "truncated" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF"])
def test_other_files_are_no_products(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    assert main(["inspect", str(path)]) == ExitCode.IMAGE
    assert capsys.readouterr().err.startswith("error: ")


def test_a_missing_file_and_a_folder_are_said_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(tmp_path / "none")]) == ExitCode.INPUT
    assert "does not exist" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path)]) == ExitCode.INPUT
    assert "is a folder" in capsys.readouterr().err
    assert main(["inspect", "/dev/null"]) == ExitCode.INPUT
    assert "is no ordinary file" in capsys.readouterr().err
    assert main(["inspect", "x" * 300]) == ExitCode.ENVIRONMENT
    assert "File name too long" in capsys.readouterr().err
