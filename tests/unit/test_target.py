from __future__ import annotations

import pytest
from packaging.tags import parse_tag

from coachwhip.errors import ConfigError
from coachwhip.model import Target
from coachwhip.target import (
    fits,
    format_tags,
    glibc_needed,
    marker_environment,
    newer_glibc_tags,
    parse_glibc,
    parse_python,
    supported_tags,
)

TARGET = Target((3, 13))


def test_the_best_tag_comes_first_and_none_twice() -> None:
    tags = [str(tag) for tag in supported_tags(TARGET)]
    assert tags[0] == "cp313-cp313-manylinux_2_17_x86_64"
    assert len(tags) == len(set(tags))
    wanted = [
        "cp313-cp313-manylinux_2_17_x86_64",
        "cp313-cp313-manylinux2014_x86_64",
        "cp313-cp313-manylinux2010_x86_64",
        "cp313-cp313-manylinux1_x86_64",
        "cp313-abi3-manylinux_2_17_x86_64",
        "cp39-abi3-manylinux_2_17_x86_64",
        "py3-none-any",
    ]
    assert [tag for tag in tags if tag in wanted] == wanted


@pytest.mark.parametrize(
    ("tag", "needed"),
    [
        ("cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64", (2, 17)),
        ("cp313-cp313-manylinux1_x86_64", (2, 5)),
        ("cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64", (2, 27)),
        ("cp39-abi3-manylinux_2_34_x86_64", (2, 34)),
        ("py3-none-manylinux2014_x86_64", (2, 17)),
        ("py2.py3-none-any", (0, 0)),
        ("cp313-none-any", (0, 0)),
        ("cp312-cp312-manylinux_2_17_x86_64", None),
        ("cp313-cp313t-manylinux_2_17_x86_64", None),
        ("cp314-abi3-manylinux_2_17_x86_64", None),
        ("cp313-cp313-manylinux_2_17_aarch64", None),
        ("cp313-cp313-musllinux_1_2_x86_64", None),
        ("cp313-cp313-linux_x86_64", None),
        ("cp313-cp313-win_amd64", None),
    ],
)
def test_what_a_wheel_needs(tag: str, needed: tuple[int, int] | None) -> None:
    tags = parse_tag(tag)
    assert glibc_needed(tags, TARGET) == needed
    assert fits(tags, TARGET) == (needed is not None and needed <= TARGET.glibc)
    assert fits(tags, Target((3, 13), (2, 40))) == (needed is not None)
    assert parse_tag(format_tags(tags)) == tags


def test_newer_tags_are_those_that_only_glibc_keeps_away() -> None:
    newer = newer_glibc_tags(TARGET)
    assert str(newer[0]) == "cp313-cp313-manylinux_2_18_x86_64"
    assert set(newer).isdisjoint(supported_tags(TARGET))
    assert not any(tag.platform == "any" for tag in newer)
    floors = [glibc_needed([tag], TARGET) or (9, 9) for tag in newer]
    assert floors == sorted(floors)


def test_markers_are_the_targets() -> None:
    markers = marker_environment(TARGET, "3.13.5")
    assert markers["python_full_version"] == "3.13.5"
    assert markers["python_version"] == "3.13"
    assert markers["platform_machine"] == "x86_64"
    assert markers["sys_platform"] == "linux"


@pytest.mark.parametrize(("text", "version"), [("3.13", (3, 13)), (" 3.13.4 ", (3, 13))])
def test_versions_of_python(text: str, version: tuple[int, int]) -> None:
    assert parse_python(text) == version


@pytest.mark.parametrize("text", ["", "3", "2.7", "3.x", "cp313", "3.13rc1"])
def test_what_is_no_version_of_python(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_python(text)


def test_versions_of_glibc() -> None:
    assert parse_glibc("2.28") == (2, 28)
    for text in ("2", "3.1", "2.5", "2.28.1", "manylinux2014"):
        with pytest.raises(ConfigError):
            parse_glibc(text)
