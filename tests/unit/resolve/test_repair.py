from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.tags import parse_tag

from coachwhip.errors import BuildError
from coachwhip.model import Target
from coachwhip.resolve.buildenv import Room
from coachwhip.resolve.repair import finish_wheel, foreign_libraries
from coachwhip.resolve.wheelfile import read_wheel
from tests.unit.resolve.compilers import compile_shared
from tests.unit.resolve.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target((3, 13))
TAGS = "cp313-cp313-linux_x86_64"
PLAIN = "int f(void) { return 1; }"


def room(tmp_path: Path, name: str = "room") -> Room:
    made = Room(tmp_path / name)
    made.finished.mkdir(parents=True)
    return made


def native(
    tmp_path: Path, source: str = PLAIN, *flags: str, glibc: str = "2.17", arch: str = "x86_64"
) -> bytes:
    path = tmp_path / "native.so"
    compile_shared(source, path, *flags, glibc=glibc, arch=arch)
    return path.read_bytes()


def test_tagged_for_the_target_with_a_true_record(tmp_path: Path) -> None:
    built = make_wheel(tmp_path, tags=TAGS, files={"sample/x.so": native(tmp_path)})
    wheel = finish_wheel(built, TARGET, room(tmp_path), {})
    assert wheel.name == "sample-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("sample-1.0.dist-info/WHEEL").decode()
        tags = {line.removeprefix("Tag: ") for line in text.splitlines() if line.startswith("Tag:")}
        assert tags == {str(tag) for tag in parse_tag("cp313-cp313-manylinux_2_17_x86_64")}
        assert "Root-Is-Purelib: false" in text
        rows = list(csv.reader(io.StringIO(archive.read("sample-1.0.dist-info/RECORD").decode())))
        assert {row[0] for row in rows} == set(archive.namelist())
        for name, digest, size in rows:
            if not name.endswith("RECORD"):
                data = archive.read(name)
                expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                assert (digest, size) == (f"sha256={expected}", str(len(data)))


def test_pure_wheels_keep_their_tags(tmp_path: Path) -> None:
    assert (
        finish_wheel(make_wheel(tmp_path), TARGET, room(tmp_path), {}).name == "sample-1.0-py3-none-any.whl"
    )


def test_the_place_and_time_of_the_build_leave_no_trace(tmp_path: Path) -> None:
    made: list[bytes] = []
    for name, order in (("a", ["x.txt", "y.txt"]), ("longer/b", ["y.txt", "x.txt"])):
        here = room(tmp_path, name)
        text = f"built in {here.root}/src".encode()
        built = make_wheel(here.root, tags=TAGS, files=dict.fromkeys(order, text))
        with zipfile.ZipFile(built, "a") as archive:
            late = zipfile.ZipInfo("late.bin", (2024 + len(made), 1, 1, 0, 0, 0))
            archive.writestr(late, b"\0data")
        made.append(finish_wheel(built, TARGET, here, {}).read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        assert archive.read("x.txt") == b"built in /build/src"


def test_execute_bits_stay(tmp_path: Path) -> None:
    built = make_wheel(tmp_path, tags=TAGS)
    with zipfile.ZipFile(built, "a") as archive:
        tool = zipfile.ZipInfo("sample/tool")
        tool.external_attr = 0o100755 << 16
        archive.writestr(tool, "#!/bin/sh\n")
    with zipfile.ZipFile(finish_wheel(built, TARGET, room(tmp_path), {})) as archive:
        assert archive.getinfo("sample/tool").external_attr >> 16 & 0o111
        assert not archive.getinfo("sample.py").external_attr >> 16 & 0o111


def test_what_was_linked_with_a_newer_glibc_is_refused(tmp_path: Path) -> None:
    source = "#include <stdlib.h>\nvoid *f(void *p) { return reallocarray(p, 2, 3); }"
    data = native(tmp_path, source, "-D_GNU_SOURCE", glibc="2.28")
    with pytest.raises(BuildError, match=r"x\.so needs glibc 2\.26 \(reallocarray\)"):
        finish_wheel(make_wheel(tmp_path, tags=TAGS, files={"x.so": data}), TARGET, room(tmp_path), {})


def test_an_extension_for_another_machine_is_refused(tmp_path: Path) -> None:
    data = native(tmp_path, arch="aarch64")
    files = {"x.cpython-313-x86_64-linux-gnu.so": data}
    with pytest.raises(BuildError, match="aarch64"):
        finish_wheel(make_wheel(tmp_path, tags=TAGS, files=files), TARGET, room(tmp_path), {})


@pytest.fixture
def outside(tmp_path: Path) -> tuple[Path, bytes]:
    """A library outside of the wheel, and one that needs it."""
    folder = tmp_path / "outside"
    compile_shared("int outer(void) { return 7; }", folder / "libouter.so.1", "-Wl,-soname,libouter.so.1")
    shutil.copy(folder / "libouter.so.1", folder / "libouter.so")
    source = "int outer(void); int f(void) { return outer(); }"
    return folder, native(tmp_path, source, f"-L{folder}", "-louter")


def test_outside_libraries_are_put_into_the_wheel(tmp_path: Path, outside: tuple[Path, bytes]) -> None:
    folder, data = outside
    built = make_wheel(tmp_path, tags=TAGS, files={"sample/x.so": data})
    assert foreign_libraries(read_wheel(built), TARGET) == {"libouter.so.1": "sample/x.so"}
    wheel = finish_wheel(built, TARGET, room(tmp_path), {**os.environ, "LD_LIBRARY_PATH": str(folder)})
    facts = read_wheel(wheel)
    assert facts.tags == "cp313-cp313-manylinux_2_17_x86_64"
    assert foreign_libraries(facts, TARGET) == {}
    assert any(native.path.startswith("sample.libs/libouter") for native in facts.natives)


def test_outside_libraries_that_are_not_there_are_named(tmp_path: Path, outside: tuple[Path, bytes]) -> None:
    _, data = outside
    built = make_wheel(tmp_path, tags=TAGS, files={"sample/x.so": data})
    with pytest.raises(BuildError) as caught:
        finish_wheel(built, TARGET, room(tmp_path), dict(os.environ))
    assert "libouter.so.1 (for sample/x.so)" in caught.value.message
    assert "LD_LIBRARY_PATH" in caught.value.hint
