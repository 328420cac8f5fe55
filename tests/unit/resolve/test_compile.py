from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.process import Completed
from coachwhip.errors import NetworkError, ResolutionError
from coachwhip.model import Target
from coachwhip.resolve import compile as module
from coachwhip.resolve.compile import (
    Query,
    compile_lock,
    configured_indexes,
    every_file_of,
    export_lock,
    uv_platform,
)
from coachwhip.resolve.indexes import PipIndexes
from coachwhip.resolve.model import Options, Project
from tests.unit.resolve.wheels import Interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET = Target((3, 13))


class Uv:
    """Stands for uv: remembers what it was asked, files included."""

    def __init__(self, status: int = 0, stderr: str = "") -> None:
        self.status, self.stderr = status, stderr
        self.args: list[str] = []
        self.stdin: str | None = None
        self.cwd: Path | None = None
        self.texts: dict[str, str] = {}

    def __call__(
        self, args: Sequence[str | Path], *, cwd: Path, stdin: str | None = None, environ: object
    ) -> Completed:
        del environ
        self.args, self.stdin, self.cwd = [str(arg) for arg in args], stdin, cwd
        self.texts = {path.name: path.read_text() for path in map(Path, self.args) if path.suffix == ".txt"}
        return Completed((), self.status, "answer", self.stderr)

    def values(self, option: str) -> list[str]:
        return [value for name, value in zip(self.args, self.args[1:], strict=False) if name == option]


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> Uv:
    fake = Uv()
    monkeypatch.setattr(module, "run_uv", fake)
    return fake


@pytest.mark.parametrize(("minor", "expected"), [(17, 17), (18, 28), (27, 28), (28, 28), (40, 40), (50, 40)])
def test_uv_knows_few_platforms(minor: int, expected: int) -> None:
    assert uv_platform(Target((3, 13), (2, minor))) == f"x86_64-manylinux_2_{expected}"


def test_without_a_firm_glibc_no_old_release_is_taken_for_its_wheels() -> None:
    assert uv_platform(Target((3, 13), firm=False)) == "x86_64-manylinux_2_40"


def test_what_is_asked(uv: Uv, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("idna")
    options = Options(
        constraints=("a<2",),
        constraint_files=(tmp_path / "requirements.txt",),
        overrides=("b==1",),
        offline=True,
        prerelease=True,
        exclude_newer="2026-01-01",
        from_source=frozenset({"c"}),
        default_index="https://index.example",
    )
    query = Query(
        TARGET, Interpreter(python_version="3.13.5"), options, ("x>1", "y"), (tmp_path / "requirements.txt",)
    )
    assert compile_lock(query, only_wheels_of=["d"], constraints=["e==3"]) == "answer"
    assert uv.stdin == "x>1\ny\n"
    assert uv.values("--python-platform") == ["x86_64-manylinux_2_17"]
    assert uv.values("--python-version") == ["3.13.5"]
    assert uv.values("--no-binary") == ["c"]
    assert uv.values("--only-binary") == ["d"]
    assert uv.values("--exclude-newer") == ["2026-01-01"]
    assert uv.values("--default-index") == ["https://index.example"]
    assert {"--offline", "-", "allow", str(tmp_path / "requirements.txt")} <= set(uv.args)
    assert uv.texts["constraints.txt"] == "a<2\ne==3\n"
    assert uv.texts["overrides.txt"] == "b==1\n"
    assert len(uv.values("--constraints")) == 2


def test_a_projects_dependencies(uv: Uv, tmp_path: Path) -> None:
    query = Query(TARGET, Interpreter(), Options(), project=Project(tmp_path, ("web",), ("dev",)))
    compile_lock(query)
    assert uv.stdin is None
    assert "-" not in uv.args
    assert str(tmp_path / "pyproject.toml") in uv.args
    assert (uv.values("--extra"), uv.values("--group")) == (["web"], ["dev"])
    assert uv.cwd == tmp_path


def test_all_files_of_a_release(uv: Uv) -> None:
    every_file_of(Query(TARGET, Interpreter(), Options()), ["a==1"])
    assert uv.stdin == "a==1\n"
    assert {"--universal", "--no-deps"} <= set(uv.args)
    assert "--python-platform" not in uv.args


def test_failures_keep_uvs_words(uv: Uv) -> None:
    uv.status, uv.stderr = 1, "error: No solution found\n  cause: because"
    with pytest.raises(ResolutionError) as caught:
        compile_lock(Query(TARGET, Interpreter(), Options(), ("a",)))
    assert "cause: because" in caught.value.detail
    uv.stderr = "error: error sending request for url (https://index.example/a)"
    with pytest.raises(NetworkError):
        compile_lock(Query(TARGET, Interpreter(), Options(), ("a",)))


def test_an_outdated_lock_is_not_used(uv: Uv, tmp_path: Path) -> None:
    project = Project(tmp_path)
    query = Query(TARGET, Interpreter(), Options(), project=project)
    assert export_lock(query, project) == "answer"
    assert "--locked" in uv.args
    uv.status, uv.stderr = (
        1,
        "error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.",
    )
    with pytest.raises(ResolutionError) as caught:
        export_lock(query, project)
    assert "uv lock" in caught.value.hint


def test_pips_configuration_counts_when_uv_has_none(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nfind-links = /wheels\n")
    folder = tmp_path / "project"
    folder.mkdir()
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    assert configured_indexes(Options(environ=environ), folder).find_links == ("/wheels",)
    (folder / "pyproject.toml").write_text('[tool.uv]\nindex-url = "https://index.example"\n')
    assert configured_indexes(Options(environ=environ), folder) == PipIndexes()
    assert configured_indexes(Options(environ={**environ, "UV_INDEX": "x"}), tmp_path) == PipIndexes()


@pytest.mark.parametrize(
    ("files", "asked"),
    [
        (["pyproject.toml"], "pyproject.toml"),
        (["setup.py"], "setup.py"),
        (["pyproject.toml", "setup.py"], "pyproject.toml"),
    ],
)
def test_where_a_project_names_its_requirements(uv: Uv, tmp_path: Path, files: list[str], asked: str) -> None:
    for name in files:
        (tmp_path / name).touch()
    compile_lock(Query(TARGET, Interpreter(), Options(), project=Project(tmp_path)))
    named = [arg for arg in uv.args if arg.endswith(("pyproject.toml", "setup.py"))]
    assert named == [str(tmp_path / asked)]
