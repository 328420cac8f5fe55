"""Mistakes that `coachwhip build` finds before it needs a runtime, and how it says so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from coachwhip.cli.main import main
from coachwhip.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = '[project]\nname = "shop"\nversion = "1"\n[project.scripts]\nshop = "shop:main"\n'


@pytest.fixture(autouse=True)
def _nothing_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a test fail that gets as far as building a runtime."""

    def install(*_: object, **__: object) -> None:
        raise AssertionError("the mistake was not found in time")

    monkeypatch.setattr("coachwhip.pipeline.build.install_runtime", install)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the current one."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def project(place: Path) -> Path:
    """Return a project in the current folder."""
    (place / "pyproject.toml").write_text(PROJECT)
    (place / "shop.py").write_text("def main():\n    print('hi')\n")
    return place


def said(capsys: pytest.CaptureFixture[str]) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    return err


def test_a_path_that_is_not_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "tool.py").touch()
    assert main(["build", "tol.py"]) == ExitCode.INPUT
    assert said(capsys) == "error: there is no tol.py\nhint: did you mean tool.py?\n"


def test_a_folder_without_a_project(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "tool.py").touch()
    assert main(["build"]) == ExitCode.INPUT
    err = said(capsys)
    assert "no pyproject.toml" in err
    assert "tool.py" in err


def test_a_project_without_an_entry_point(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    assert main(["build"]) == ExitCode.INPUT
    err = said(capsys)
    assert "no console script" in err
    assert "--entry module:function" in err


def test_a_script_that_is_not_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--script", "shopp"]) == ExitCode.INPUT
    assert "did you mean shop?" in said(capsys)
    assert project.exists()


def test_an_unknown_key_names_the_nearest(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text(PROJECT + '[tool.coachwhip]\nexclud = ["x"]\n')
    assert main(["build"]) == ExitCode.CONFIG
    assert "did you mean 'exclude'?" in said(capsys)


def test_an_impossible_value_of_an_option(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--glibc", "2.5"]) == ExitCode.CONFIG
    assert "products need at least glibc 2.17" in said(capsys)
    assert project.exists()


def test_an_output_that_is_a_folder(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "out").mkdir()
    assert main(["build", "-o", "out"]) == ExitCode.INPUT
    assert said(capsys) == (
        "error: the output out is a folder\nhint: name a file: -o out/NAME, or another place\n"
    )


def test_an_output_that_would_overwrite_the_app(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "tool.py").write_text("print(1)\n")
    assert main(["build", "tool.py", "-o", "tool.py"]) == ExitCode.INPUT
    assert "is the app itself" in said(capsys)
    assert (place / "tool.py").read_text() == "print(1)\n"


def test_an_output_that_is_a_device(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(project / "pipe")
    assert main(["build", "-o", "pipe"]) == ExitCode.INPUT
    assert said(capsys).startswith("error: the output pipe is no ordinary file\n")
    assert (project / "pipe").is_fifo()


@pytest.mark.parametrize("name", ["python", "python3", "python3.13"])
def test_an_output_that_would_be_python(project: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["build", "-o", str(project / name)]) == ExitCode.INPUT
    assert "under this name it is Python and not the app" in said(capsys)


def test_something_that_is_no_requirement(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "httpie>"]) == ExitCode.INPUT
    assert "is no requirement" in said(capsys)
    assert list(place.iterdir()) == []


def test_no_runtime_and_no_network(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--offline"]) == ExitCode.NETWORK
    assert "coachwhip runtime install" in said(capsys)
    assert not (project / "dist").exists()


def test_what_is_neither_file_nor_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(place / "pipe.py")
    (place / "link.py").symlink_to("link.py")
    assert main(["build", "pipe.py"]) == ExitCode.INPUT
    assert said(capsys).startswith("error: pipe.py is no ordinary file\n")
    assert main(["build", "link.py"]) == ExitCode.INPUT
    assert said(capsys).startswith("error: link.py is a link that leads nowhere\n")
    assert main(["build", "-r", "pipe.py"]) == ExitCode.INPUT
    assert said(capsys).startswith("error: pipe.py is no ordinary file\n")


def test_a_name_that_no_file_can_have(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", f"./{'x' * 300}.py"]) == ExitCode.INPUT
    assert said(capsys).startswith("error: there is no ./xxx")
    (place / "tool.py").write_text("print(1)\n")
    assert main(["build", "tool.py", "-o", "x" * 300]) == ExitCode.ENVIRONMENT
    assert "File name too long" in said(capsys)
    (place / "tool.py").unlink()
    assert list(place.iterdir()) == []


def test_a_folder_that_is_gone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place.rmdir()
    assert main(["build", "app.py"]) == ExitCode.INPUT
    assert said(capsys).startswith("error: the current folder does not exist any more\n")
