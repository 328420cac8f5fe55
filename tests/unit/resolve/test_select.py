from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coachwhip.errors import InputError, ResolutionError
from coachwhip.model import Target
from coachwhip.resolve.model import Kind
from coachwhip.resolve.select import Selection, parse_lock, select, wheels_of
from tests.unit.resolve.wheels import lock_text, wheel_entry

TARGET = Target((3, 13))
SDIST = 'sdist = { url = "https://files.example/demo-1.0.tar.gz", hashes = { sha256 = "00" } }'


def package(*tags: str, extra: str = "", name: str = "demo") -> str:
    wheels = ", ".join(wheel_entry(f"{name}-1.0-{tag}.whl") for tag in tags)
    return f'name = "{name}"\nversion = "1.0"\n' + (f"wheels = [{wheels}]\n" if tags else "") + extra


def chosen(text: str, target: Target = TARGET, **options: object) -> Selection:
    return select(parse_lock(text, "lock"), target, "3.13.5", Path("/base"), **options)  # type: ignore[arg-type]


def test_the_best_wheel_is_taken() -> None:
    text = lock_text(
        package(
            "py3-none-any",
            "cp39-abi3-manylinux_2_17_x86_64",
            "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp313-cp313-manylinux_2_28_x86_64",
            "cp313-cp313-win_amd64",
            extra=SDIST,
        )
    )
    (file,) = chosen(text).files
    assert file.filename == "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    assert file.kind is Kind.WHEEL
    assert len(file.sha256) == 64


def test_a_pure_wheel_beats_one_for_a_newer_glibc() -> None:
    (file,) = chosen(lock_text(package("py3-none-any", "cp313-cp313-manylinux_2_28_x86_64"))).files
    assert file.filename == "demo-1.0-py3-none-any.whl"


def test_a_wheel_for_a_newer_glibc_is_a_misfit_and_not_built_around() -> None:
    tags = ("cp313-cp313-manylinux_2_34_x86_64", "cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64")
    text = lock_text(package(*tags, extra=SDIST))
    selection = chosen(text)
    assert selection.files == ()
    (misfit,) = selection.misfits
    assert (misfit.name, misfit.version, misfit.glibc) == ("demo", "1.0", (2, 27))
    assert misfit.tags == (tags[1], tags[0])
    assert chosen(text, Target((3, 13), (2, 27))).files[0].kind is Kind.WHEEL


def test_a_glibc_that_is_not_firm_is_raised_as_little_as_possible() -> None:
    tags = ("cp313-cp313-manylinux_2_34_x86_64", "cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64")
    text = lock_text(package(*tags, extra=SDIST), package("py3-none-any", tags[0], name="pure"))
    selection = chosen(text, replace(TARGET, firm=False))
    assert [file.filename for file in selection.files] == [
        f"demo-1.0-{tags[1]}.whl",
        "pure-1.0-py3-none-any.whl",
    ]
    assert selection.misfits == ()
    assert [str(item) for item in selection.newer] == ["demo 1.0 (manylinux_2_27)"]


@pytest.mark.parametrize(
    ("name", "newer"),
    [
        ("demo-1.0-cp313-cp313-manylinux_2_36_x86_64.whl", ["demo 1.0 (manylinux_2_36)"]),
        ("demo-1.0-cp313-cp313-manylinux_2_12_x86_64.whl", []),
        ("demo-1.0-py3-none-any.whl", []),
        ("demo-1.0-cp313-cp313-win_amd64.whl", []),
        ("demo.whl", []),
        ("demo-1.0.tar.gz", []),
    ],
)
def test_a_wheel_that_was_named_by_its_place_counts_as_well(name: str, newer: list[str]) -> None:
    archive = f'archive = {{ path = "{name}", hashes = {{ sha256 = "00" }} }}'
    text = lock_text(f'name = "demo"\nversion = "1.0"\n{archive}')
    assert [str(item) for item in chosen(text, replace(TARGET, firm=False)).newer] == newer
    assert chosen(text).newer == ()


def test_sources_are_the_last_resort_and_the_first_on_request() -> None:
    text = lock_text(package("cp313-cp313-win_amd64", extra=SDIST))
    assert chosen(text).files[0].kind is Kind.SDIST
    text = lock_text(package("py3-none-any", extra=SDIST))
    assert chosen(text, from_source={"demo"}).files[0].kind is Kind.SDIST


def test_nothing_fits() -> None:
    text = lock_text(package("cp313-cp313-win_amd64", "cp312-cp312-manylinux_2_17_x86_64"))
    with pytest.raises(ResolutionError) as caught:
        chosen(text)
    assert "demo==1.0" in caught.value.message
    assert str(TARGET) in caught.value.message
    assert "cp312-cp312-manylinux_2_17_x86_64, cp313-cp313-win_amd64" in caught.value.detail


def test_markers_are_asked_about_the_target() -> None:
    text = lock_text(
        package("py3-none-any", extra="marker = \"sys_platform == 'win32'\""),
        package("py3-none-any", extra="marker = \"python_full_version >= '3.13.5'\"", name="other"),
    )
    assert [file.name for file in chosen(text).files] == ["other"]


def test_another_python_is_refused() -> None:
    with pytest.raises(ResolutionError, match="can't be used"):
        chosen(
            lock_text(package("py3-none-any")).replace("created-by", 'requires-python = ">=3.14"\ncreated-by')
        )


@pytest.mark.parametrize(
    ("body", "kind", "location"),
    [
        ('directory = { path = "../sub dir" }', Kind.DIRECTORY, "/base/../sub dir"),
        (
            'archive = { path = "demo-1.0.tar.gz", hashes = { sha256 = "00" } }',
            Kind.SDIST,
            "/base/demo-1.0.tar.gz",
        ),
        (
            'archive = { url = "file:///a%20b/demo-1.0-py3-none-any.whl", hashes = { sha256 = "00" } }',
            Kind.WHEEL,
            "/a b/demo-1.0-py3-none-any.whl",
        ),
        (
            'vcs = { type = "git", url = "https://git.example/demo", commit-id = "abc", subdirectory = "x" }',
            Kind.VCS,
            "https://git.example/demo",
        ),
    ],
)
def test_other_places(body: str, kind: Kind, location: str) -> None:
    (file,) = chosen(lock_text(f'name = "demo"\n{body}')).files
    assert (file.kind, file.location) == (kind, location)
    if kind is Kind.VCS:
        assert (file.commit, file.subdirectory) == ("abc", "x")
    if kind is Kind.WHEEL:
        assert file.filename == "demo-1.0-py3-none-any.whl"


@pytest.mark.parametrize("text", ["not toml", "lock-version = '9.0'", lock_text('version = "1"')])
def test_what_is_no_lock(text: str) -> None:
    with pytest.raises(InputError, match=r"pylock\.toml"):
        parse_lock(text, "pylock.toml")


def test_wheels_that_exist() -> None:
    lock = parse_lock(lock_text(package("py3-none-any", "cp313-cp313-win_amd64")), "lock")
    assert wheels_of(lock, "demo") == ("cp313-cp313-win_amd64", "py3-none-any")
    assert wheels_of(lock, "other") == ()
