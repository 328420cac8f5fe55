from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coachwhip.errors import NetworkError, ResolutionError
from coachwhip.model import Target
from coachwhip.resolve import Options, Project, resolve
from coachwhip.resolve import resolver as module
from coachwhip.resolve.model import Kind
from tests.unit.resolve.wheels import Interpreter, lock_text, wheel_entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coachwhip.resolve.compile import Query

TARGET = Target((3, 13))
PYTHON = Interpreter(python_version="3.13.5")
FITS = "cp313-cp313-manylinux_2_17_x86_64"
NEWER = "cp313-cp313-manylinux_2_28_x86_64"
SDIST = 'sdist = { url = "https://files.example/%s-%s.tar.gz", hashes = { sha256 = "00" } }'


def package(name: str, version: str, *tags: str, sdist: bool = True) -> str:
    wheels = ", ".join(wheel_entry(f"{name}-{version}-{tag}.whl") for tag in tags)
    lines = [f'name = "{name}"', f'version = "{version}"']
    lines += [f"wheels = [{wheels}]"] if tags else []
    lines += [SDIST % (name, version)] if sdist else []
    return "\n".join(lines)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let uv answer: `plain` and `wheels` are resolutions, the second of wheels; `files` lists a release."""

    def give(plain: object = "", wheels: object = "", files: object = "", wide: object = "") -> None:
        def tell(answer: object) -> str:
            if isinstance(answer, Exception):
                raise answer
            return str(answer)

        def compile_lock(query: Query, *, only_wheels_of: object = (), constraints: object = ()) -> str:
            del constraints
            if query.target.glibc != TARGET.glibc:
                return tell(wide)
            return tell(wheels if only_wheels_of else plain)

        monkeypatch.setattr(module, "compile_lock", compile_lock)
        monkeypatch.setattr(module, "every_file_of", lambda *_: tell(files))

    return give


def test_nothing_to_resolve_asks_nobody() -> None:
    assert resolve([], TARGET, PYTHON).files == ()


def test_what_fits_is_taken(answers: Callable[..., None]) -> None:
    text = lock_text(package("b", "1", FITS), package("a", "2", "py3-none-any"))
    answers(text)
    lock = resolve(["a", "b"], TARGET, PYTHON)
    assert [str(file) for file in lock.files] == ["a==2", "b==1"]
    assert (lock.text, lock.origin, lock.target) == (text, "uv", TARGET)


def test_a_wheel_for_a_newer_glibc_is_named_with_the_ways_out(answers: Callable[..., None]) -> None:
    answers(
        lock_text(package("demo", "2")),
        wheels=lock_text(package("demo", "1.5", FITS)),
        files=lock_text(
            package("demo", "2", NEWER, "cp313-cp313-manylinux_2_34_x86_64", "cp313-cp313-win_amd64")
        ),
    )
    with pytest.raises(ResolutionError) as caught:
        resolve(["demo"], TARGET, PYTHON)
    error = caught.value
    assert error.message == f"demo==2 has wheels only for a newer glibc than {TARGET} promises"
    assert (
        error.hint
        == "use --glibc 2.28 to accept it, or ask for 'demo<=1.5', which has a wheel for this target"
    )
    assert "manylinux_2_28_x86_64, cp313-cp313-manylinux_2_34_x86_64" in error.detail
    assert "win_amd64" not in error.detail


def test_several_misfits_need_the_newest_of_their_glibcs(answers: Callable[..., None]) -> None:
    files = lock_text(package("a", "1", NEWER), package("b", "1", "cp313-cp313-manylinux_2_34_x86_64"))
    answers(lock_text(package("a", "1"), package("b", "1")), wheels=ResolutionError("no"), files=files)
    with pytest.raises(ResolutionError) as caught:
        resolve(["a", "b"], TARGET, PYTHON)
    assert "(and 1 more)" in caught.value.message
    assert caught.value.hint == "use --glibc 2.34 to accept them"


def test_a_glibc_that_is_not_firm_follows_the_wheels(answers: Callable[..., None], tmp_path: Path) -> None:
    wanted = replace(TARGET, firm=False)
    newest = "cp313-cp313-manylinux_2_34_x86_64"
    answers(
        lock_text(package("a", "1", FITS, NEWER), package("b", "2", newest, NEWER), package("c", "3", newest))
    )
    lock = resolve(["a", "b", "c"], wanted, PYTHON)
    assert [file.filename for file in lock.files] == [
        *(f"a-1-{FITS}.whl", f"b-2-{NEWER}.whl", f"c-3-{newest}.whl"),
    ]
    assert lock.target == replace(wanted, glibc=(2, 34))
    assert [str(item) for item in lock.newer] == ["b 2 (manylinux_2_28)", "c 3 (manylinux_2_34)"]

    # A lock file's wheels count as well, and what stands in both is the lock file's.
    (tmp_path / "pylock.toml").write_text(lock_text(package("b", "1", NEWER)))
    answers(lock_text(package("b", "1", newest), package("d", "4", FITS)))
    lock = resolve(["d"], wanted, PYTHON, project=Project(tmp_path))
    assert (lock.target.glibc, [str(item) for item in lock.newer]) == ((2, 28), ["b 1 (manylinux_2_28)"])


def test_a_resolution_that_fails_without_a_firm_glibc_is_not_tried_with_a_newer_one(
    answers: Callable[..., None],
) -> None:
    said = ResolutionError("can't resolve", detail="uv's words")
    answers(said, wide=AssertionError("asked again"))
    with pytest.raises(ResolutionError) as caught:
        resolve(["demo"], replace(TARGET, firm=False), PYTHON)
    assert caught.value is said


def test_a_resolution_that_only_glibc_prevents(answers: Callable[..., None]) -> None:
    said = ResolutionError("can't resolve", detail="uv's words")
    answers(said, wide=lock_text(package("demo", "2", NEWER, sdist=False)))
    with pytest.raises(ResolutionError) as caught:
        resolve(["demo"], TARGET, PYTHON)
    assert "--glibc 2.28" in caught.value.hint
    assert caught.value.detail == "uv's words"


def test_a_contradiction_stays_what_it_is(answers: Callable[..., None]) -> None:
    said = ResolutionError("can't resolve", detail="uv's words")
    answers(said, wide=said)
    with pytest.raises(ResolutionError) as caught:
        resolve(["demo"], TARGET, PYTHON)
    assert caught.value is said


def test_what_has_no_wheel_anywhere_near_is_built(answers: Callable[..., None]) -> None:
    files = lock_text(package("demo", "2", "cp313-cp313-win_amd64", "cp312-cp312-macosx_11_0_arm64"))
    answers(lock_text(package("demo", "2")), files=files)
    (file,) = resolve(["demo"], TARGET, PYTHON).files
    assert file.kind is Kind.SDIST
    assert file.reason == "its wheels do not fit: cp313-cp313-win_amd64"
    answers(lock_text(package("demo", "2")), files=lock_text(package("demo", "2")))
    assert resolve(["demo"], TARGET, PYTHON).files[0].reason == "there are no wheels of it"
    answers(lock_text(package("demo", "2")), files=NetworkError("gone"))
    assert resolve(["demo"], TARGET, PYTHON).files[0].kind is Kind.SDIST


def test_sources_on_request_are_not_argued_about(answers: Callable[..., None]) -> None:
    answers(lock_text(package("demo", "2")), files=NotImplementedError())
    lock = resolve(["demo"], TARGET, PYTHON, options=Options(from_source=frozenset({"demo"})))
    assert lock.files[0].kind is Kind.SDIST


def test_a_projects_lock_file_decides(answers: Callable[..., None], tmp_path: Path) -> None:
    answers(lock_text(package("demo", "9", FITS)))
    (tmp_path / "pylock.toml").write_text(lock_text(package("demo", "1", FITS)))
    project = Project(tmp_path)
    lock = resolve([], TARGET, PYTHON, project=project)
    assert ([str(file) for file in lock.files], lock.origin) == (["demo==1"], str(tmp_path / "pylock.toml"))
    lock = resolve([], TARGET, PYTHON, project=project, options=Options(ignore_lock=True))
    assert [str(file) for file in lock.files] == ["demo==9"]
    with pytest.raises(ResolutionError, match="extra 'web'"):
        resolve([], TARGET, PYTHON, project=Project(tmp_path, ("web",)))


def test_what_is_wanted_beside_a_lock(answers: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(lock_text(package("demo", "1", FITS)))
    answers(lock_text(package("demo", "1", FITS), package("plugin", "3", FITS)))
    lock = resolve(["plugin"], TARGET, PYTHON, project=Project(tmp_path))
    assert [str(file) for file in lock.files] == ["demo==1", "plugin==3"]


def test_a_lock_for_a_newer_glibc(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(lock_text(package("demo", "1", NEWER)))
    with pytest.raises(ResolutionError) as caught:
        resolve([], TARGET, PYTHON, project=Project(tmp_path))
    assert caught.value.hint.startswith("use --glibc 2.28")
