from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from coachwhip.errors import InputError, ResolutionError
from coachwhip.model import Target
from coachwhip.resolve.wheelfile import WheelFacts, check_fits, read_wheel
from tests.unit.resolve.compilers import compile_shared
from tests.unit.resolve.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target((3, 13))
# reallocarray came with glibc 2.26.
NEWER = "#include <stdlib.h>\nvoid *f(void *p) { return reallocarray(p, 2, 3); }"


def test_facts_survive_json(tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    compile_shared(NEWER, library, "-D_GNU_SOURCE", glibc="2.28")
    tags = "cp313-cp313-manylinux_2_28_x86_64.manylinux_2_27_x86_64"
    wheel = make_wheel(
        tmp_path, tags=tags, files={"sample/lib.so": library.read_bytes(), "x.bin": b"\x7fELF!"}
    )
    facts = read_wheel(wheel)
    assert (facts.name, facts.version, facts.tags) == ("sample", "1.0", tags)
    native = next(native for native in facts.natives if native.path == "sample/lib.so")
    assert (native.machine, native.needed, native.glibc, native.symbol) == (
        "x86_64",
        ("libc.so.6",),
        (2, 26),
        "reallocarray",
    )
    assert WheelFacts.parse(json.loads(json.dumps(facts.document()))) == facts


def test_libraries_are_believed_more_than_tags(tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    compile_shared(NEWER, library, "-D_GNU_SOURCE", glibc="2.28")
    wheel = make_wheel(
        tmp_path, tags="cp313-cp313-manylinux_2_17_x86_64", files={"lib.so": library.read_bytes()}
    )
    with pytest.raises(ResolutionError) as caught:
        check_fits(read_wheel(wheel), TARGET)
    assert "lib.so" in caught.value.message
    assert "reallocarray" in caught.value.message
    assert "--glibc 2.26" in caught.value.hint
    check_fits(read_wheel(wheel), Target((3, 13), (2, 26)))
    check_fits(read_wheel(wheel), Target((3, 13), firm=False))


def test_files_for_other_machines_are_data(tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    compile_shared(NEWER, library, "-D_GNU_SOURCE", glibc="2.28", arch="aarch64")
    check_fits(read_wheel(make_wheel(tmp_path, files={"lib.so": library.read_bytes()})), TARGET)


@pytest.mark.parametrize(
    ("tags", "hint"),
    [
        ("cp313-cp313-manylinux_2_28_x86_64", "--glibc 2.28"),
        ("cp313-cp313-linux_x86_64", "name its sources"),
        ("cp312-cp312-manylinux_2_17_x86_64", "cp312"),
        ("cp313-cp313-macosx_11_0_arm64", "macosx_11_0_arm64"),
    ],
)
def test_wheels_for_somewhere_else(tmp_path: Path, tags: str, hint: str) -> None:
    with pytest.raises(ResolutionError) as caught:
        check_fits(read_wheel(make_wheel(tmp_path, tags=tags)), TARGET)
    assert str(TARGET) in caught.value.message
    assert hint in caught.value.hint


def test_damaged_wheels(tmp_path: Path) -> None:
    good = make_wheel(tmp_path / "good", files={"data.txt": b"x" * 1000}).read_bytes()
    place = good.index(b"x" * 1000)
    bad = {
        "truncated": good[: len(good) // 2],
        "empty": b"",
        "changed": good[:place] + b"y" + good[place + 1 :],
    }
    for name, data in bad.items():
        path = tmp_path / name / "sample-1.0-py3-none-any.whl"
        path.parent.mkdir()
        path.write_bytes(data)
        with pytest.raises(InputError, match="damaged"):
            read_wheel(path)


def test_a_wheel_is_what_its_name_says(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="metadata is that of other"):
        read_wheel(make_wheel(tmp_path, metadata_name="other"))
    renamed = make_wheel(tmp_path / "b").rename(tmp_path / "thing-1.0-py3-none-any.whl")
    with pytest.raises(InputError, match="dist-info"):
        read_wheel(renamed)
    with pytest.raises(InputError, match="not a valid name"):
        read_wheel(make_wheel(tmp_path / "c").rename(tmp_path / "sample.whl"))


@pytest.mark.parametrize("name", ["../escape.py", "/etc/escape.py", "a/../../escape.py"])
def test_a_wheel_stays_in_its_place(tmp_path: Path, name: str) -> None:
    wheel = make_wheel(tmp_path)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(name, "")
    with pytest.raises(InputError, match="outside"):
        read_wheel(wheel)
