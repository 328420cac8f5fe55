from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from coachwhip.collect.wheel import read_wheel
from coachwhip.errors import BuildError, ExitCode, InputError, MachineError
from tests.unit.collect.conftest import wheel_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from coachwhip.collect.model import RawFile
    from coachwhip.model import Wheel

PACKAGES = "lib/python3.13/site-packages"


def content(wheel: Wheel) -> dict[str, RawFile]:
    files, _ = read_wheel(wheel, "3.13.5")
    assert len({file.path for file in files}) == len(files)
    return {file.path: file for file in files}


def test_files_go_where_they_belong(make_wheel: Callable[..., Wheel]) -> None:
    data = "demo-1.0.data"
    files = content(
        make_wheel(
            {
                "demo/__init__.py": b"x = 1\n",
                "demo/tool": b"\x7fELF",
                f"{data}/platlib/demo/native.so": b"\x7fELF",
                f"{data}/scripts/run": b"#!python\nprint(1)\n",
                f"{data}/scripts/sh": b"#!/bin/sh\n",
                f"{data}/data/share/doc/readme": b"hi",
                f"{data}/headers/demo.h": b"int x;",
            },
            executable=("demo/tool",),
        )
    )
    assert sorted(files) == [
        "bin/run",
        "bin/sh",
        f"{PACKAGES}/demo-1.0.dist-info/INSTALLER",
        f"{PACKAGES}/demo-1.0.dist-info/METADATA",
        f"{PACKAGES}/demo-1.0.dist-info/RECORD",
        f"{PACKAGES}/demo-1.0.dist-info/WHEEL",
        f"{PACKAGES}/demo/__init__.py",
        f"{PACKAGES}/demo/native.so",
        f"{PACKAGES}/demo/tool",
        "share/doc/readme",
    ]
    assert files["bin/run"].data == b"#!/__app__/bin/python3.13\nprint(1)\n"
    assert files["bin/sh"].data == b"#!/bin/sh\n"
    assert [path for path, file in files.items() if file.executable] == [
        f"{PACKAGES}/demo/tool",
        "bin/run",
        "bin/sh",
    ]
    assert files[f"{PACKAGES}/demo-1.0.dist-info/INSTALLER"].data == b"coachwhip\n"


def test_record_lists_what_is_there_and_nothing_else(make_wheel: Callable[..., Wheel]) -> None:
    wheel = make_wheel(
        {
            "demo.py": b"x = 1\n",
            "demo-1.0.data/scripts/run": b"#!python\n",
            "demo-1.0.data/headers/demo.h": b"int x;",
            "demo-1.0.dist-info/entry_points.txt": b"[console_scripts]\ndemo = demo:main\n",
            "__pycache__/demo.cpython-313.pyc": b"stale",
        }
    )
    files = content(wheel)
    record = files[f"{PACKAGES}/demo-1.0.dist-info/RECORD"].data.decode()
    listed = [line.split(",")[0] for line in record.splitlines()]
    assert sorted(listed) == [
        "../../../bin/run",
        "demo-1.0.dist-info/INSTALLER",
        "demo-1.0.dist-info/METADATA",
        "demo-1.0.dist-info/RECORD",
        "demo-1.0.dist-info/WHEEL",
        "demo-1.0.dist-info/entry_points.txt",
        "demo.py",
    ]
    assert not any("__pycache__" in path for path in files)


def test_a_changed_file_is_refused(make_wheel: Callable[..., Wheel]) -> None:
    wheel = make_wheel(
        {"demo.py": b"x = 1\n"}, record=lambda text: text.replace("demo.py,sha256=", "demo.py,sha256=A")
    )
    with pytest.raises(
        BuildError, match=r"demo-1\.0-py3-none-any\.whl .*demo\.py is not what its RECORD says"
    ):
        read_wheel(wheel, "3.13")


def test_whose_wheel_it_is_decides_whose_error_it_is(make_wheel: Callable[..., Wheel]) -> None:
    wheel = make_wheel({"demo.py": b""}, record=lambda text: text.replace(",0\n", ",7\n"), origin="local")
    with pytest.raises(InputError) as caught:
        read_wheel(wheel, "3.13")
    assert caught.value.exit_code == ExitCode.INPUT
    assert caught.value.hint


def test_a_file_that_record_does_not_list_is_only_noted(make_wheel: Callable[..., Wheel]) -> None:
    def without(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("demo.py"))

    files, notes = read_wheel(make_wheel({"demo.py": b"x = 1\n"}, record=without), "3.13")
    assert f"{PACKAGES}/demo.py" in {file.path for file in files}
    assert [note.path for note in notes] == ["demo.py"]


def test_another_hash_than_the_locked_one(make_wheel: Callable[..., Wheel]) -> None:
    wheel = make_wheel({"demo.py": b"x = 1\n"})
    wheel.path.write_bytes(wheel.path.read_bytes() + b"\0")
    with pytest.raises(BuildError, match="SHA-256"):
        read_wheel(wheel, "3.13")


@pytest.mark.parametrize("keep", [0, 10, 200, 0.5, 0.95])
def test_a_truncated_wheel(make_wheel: Callable[..., Wheel], keep: float) -> None:
    path = make_wheel({"demo.py": b"x = 1\n" * 100}).path
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    with pytest.raises(BuildError, match="can't be used"):
        read_wheel(wheel_of(path), "3.13")


def test_every_flipped_byte_is_either_harmless_or_a_clear_error(make_wheel: Callable[..., Wheel]) -> None:
    path = make_wheel({"demo.py": b"x = 1\n"}).path
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            files, _ = read_wheel(wheel_of(path), "3.13")
        except BuildError:
            continue
        module = [file.data for file in files if file.path == f"{PACKAGES}/demo.py"]
        assert module in ([b"x = 1\n"], []), position


def test_a_wheel_without_record(make_wheel: Callable[..., Wheel]) -> None:
    path = make_wheel({"demo.py": b""}).path
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if not name.endswith("RECORD")}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(BuildError, match="RECORD"):
        read_wheel(wheel_of(path), "3.13")


@pytest.mark.parametrize("evil", ["../evil.py", "/evil.py", "demo-1.0.data/data/../../../evil"])
def test_paths_that_lead_out_of_the_wheel(make_wheel: Callable[..., Wheel], evil: str) -> None:
    with pytest.raises(BuildError, match="can't be used"):
        read_wheel(make_wheel({evil: b"x"}), "3.13")


def test_a_missing_wheel(make_wheel: Callable[..., Wheel]) -> None:
    wheel: Any = make_wheel({})
    wheel.path.unlink()
    with pytest.raises(MachineError):
        read_wheel(wheel, "3.13")
