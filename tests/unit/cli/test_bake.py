"""`coachwhip bake` on files that it can do nothing with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coachwhip.cli.main import main
from coachwhip.errors import ExitCode
from tests.unit.image.samples import product

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COACHWHIP_CACHE_DIR", str(tmp_path / "cache"))


def test_what_is_no_product(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text"
    text.write_text("no product")
    empty = tmp_path / "empty"
    empty.touch()
    for path, code in (
        (tmp_path / "missing", ExitCode.INPUT),
        (tmp_path, ExitCode.INPUT),
        (text, ExitCode.IMAGE),
        (empty, ExitCode.IMAGE),
    ):
        assert main(["bake", str(path)]) == code
        captured = capsys.readouterr()
        assert str(path) in captured.err
        assert captured.out == ""


def test_a_damaged_product_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(product(tmp_path))
    data[-10] ^= 1
    path = tmp_path / "damaged"
    path.write_bytes(data)
    assert main(["bake", str(path)]) == ExitCode.IMAGE
    assert "damaged" in capsys.readouterr().err
    assert path.read_bytes() == data


def test_a_product_that_does_not_run_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = product(tmp_path)
    path = tmp_path / "product"
    path.write_bytes(data)
    path.chmod(0o750)
    assert main(["bake", "--explain", str(path)]) not in (ExitCode.OK, ExitCode.INTERNAL)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "error: " in captured.err
    assert path.read_bytes() == data
    assert path.stat().st_mode & 0o777 == 0o750


def test_training_that_is_no_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bake", "--train", "'no end", "product"]) == ExitCode.USAGE
    assert "No closing quotation" in capsys.readouterr().err
