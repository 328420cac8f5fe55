from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from coachwhip.effects.cache import Cache
from coachwhip.errors import BuildError, InputError, ResolutionError
from coachwhip.resolve import Kind, Lock, LockedFile, Options, build_local, fetch
from coachwhip.resolve.buildenv import Room, build_environment, key_environment
from coachwhip.resolve.toolchain import compiler_environment, zig_target
from tests.unit.resolve.wheels import HERE, Interpreter

# A back end in the project's own tree needs nothing from an index.
BACKEND = """
import os, subprocess, sys, sysconfig, zipfile

def get_requires_for_build_wheel(config_settings=None):
    return []

def build_wheel(directory, config_settings=None, metadata_directory=None):
    if os.path.exists("broken.txt"):
        print("the compiler says no")
        raise SystemExit("this is the last line")
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    output = "demo.cpython-x.so"
    command = [os.environ["CC"], "-O1", "-g", "-fPIC", "-shared", "demo.c", "-o", output]
    subprocess.run([*command, "-I", sysconfig.get_path("include")], check=True)
    name = f"demo-1.0-{tag}-{tag}-linux_x86_64.whl"
    metadata = "Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n"
    wheel = f"Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: {tag}-{tag}-linux_x86_64\\n"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        archive.write(output)
        archive.writestr("environment.txt", "\\n".join(sorted(os.environ)))
        archive.writestr("demo-1.0.dist-info/METADATA", metadata)
        archive.writestr("demo-1.0.dist-info/WHEEL", wheel)
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    return name
"""
SOURCE = r"""
#include <string.h>
const char *where(void) { return __FILE__; }
int copy(char *to, const char *from) { return memcpy(to, from, 4) == to; }
"""


@pytest.fixture(scope="session")
def zig_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is made once for all tests, beside zig's own cache, which every process may share."""
    own = os.environ.get("XDG_CACHE_HOME")
    shared = tmp_path_factory.mktemp("zig")
    zig = (Path(own) if own else Path.home() / ".cache") / "zig"
    zig.mkdir(parents=True, exist_ok=True)
    (shared / "zig-cache").symlink_to(zig)
    return shared


@pytest.fixture
def cache(tmp_path: Path, zig_cache: Path) -> Cache:
    """A cache of the test's own, in which zig does not have to make glibc's stubs anew."""
    return new_cache(tmp_path / "cache", zig_cache)


def new_cache(root: Path, zig_cache: Path) -> Cache:
    root.mkdir(parents=True)
    (root / "zig").symlink_to(zig_cache)
    return Cache(root)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


def write_project(folder: Path) -> Path:
    (folder / "helper").mkdir(parents=True)
    (folder / "helper/backend.py").write_text(BACKEND)
    (folder / "demo.c").write_text(SOURCE)
    (folder / "pyproject.toml").write_text(
        textwrap.dedent(
            """
            [build-system]
            requires = []
            build-backend = "backend"
            backend-path = ["helper"]
            """
        )
    )
    return folder


def options(**changes: object) -> Options:
    kept = {name: value for name, value in os.environ.items() if name in {"HOME", "PATH"}}
    return replace(Options(environ={**kept, "SECRET": "1"}, offline=True), **changes)  # type: ignore[arg-type]


def test_a_native_wheel_for_the_target(project: Path, tmp_path: Path, cache: Cache) -> None:
    before = sorted(project.rglob("*"))
    wheel = build_local(project, HERE, Interpreter(), cache, options=options())
    assert wheel.path.name == f"demo-1.0-{HERE.abi}-{HERE.abi}-manylinux_2_17_x86_64.whl"
    assert (wheel.name, wheel.version, wheel.origin) == ("demo", "1.0", "built")
    assert sorted(project.rglob("*")) == before
    with zipfile.ZipFile(wheel.path) as archive:
        archive.extractall(tmp_path / "out")  # noqa: S202 - our own file
    text = (tmp_path / "out/environment.txt").read_text().split()
    assert "SECRET" not in text
    library = ctypes.CDLL(str(tmp_path / "out/demo.cpython-x.so"))
    library.where.restype = ctypes.c_char_p
    assert library.where() in {b"demo.c", b"/build/src/demo.c"}
    assert str(tmp_path).encode() not in (tmp_path / "out/demo.cpython-x.so").read_bytes()
    assert list((tmp_path / "cache/builds").iterdir()) == []
    assert list((tmp_path / "cache/logs").iterdir()) == []


def test_built_once_and_again_when_something_counts(project: Path, tmp_path: Path, cache: Cache) -> None:
    python = Interpreter()
    wheels = [build_local(project, HERE, python, cache, options=options()) for _ in range(2)]
    elsewhere = write_project(tmp_path / "elsewhere")
    wheels.append(build_local(elsewhere, HERE, python, cache, options=options()))
    assert len({wheel.path for wheel in wheels}) == 1
    (project / "demo.c").write_text(SOURCE + "int more;")
    wheels.append(build_local(project, HERE, python, cache, options=options()))
    wheels.append(build_local(project, HERE, replace(python, recipe="other"), cache, options=options()))
    steered = options(build_environment={"CFLAGS": "-DX"})
    wheels.append(build_local(project, HERE, python, cache, options=steered))
    assert len({wheel.path for wheel in wheels}) == 4


def test_the_same_bytes_in_another_cache(project: Path, tmp_path: Path, zig_cache: Path) -> None:
    made = {
        build_local(
            project, HERE, Interpreter(), new_cache(tmp_path / name, zig_cache), options=options()
        ).sha256
        for name in ("one", "a/longer/place")
    }
    assert len(made) == 1


def test_a_failing_build_shows_its_end_and_keeps_its_log(project: Path, tmp_path: Path, cache: Cache) -> None:
    (project / "broken.txt").touch()
    with pytest.raises(BuildError) as caught:
        build_local(project, HERE, Interpreter(), cache, options=options())
    error = caught.value
    assert str(HERE) in error.message
    assert "the compiler says no" in error.detail
    assert "this is the last line" in error.detail
    (log,) = (tmp_path / "cache/logs").iterdir()
    assert str(log) in error.hint
    assert list((tmp_path / "cache/wheels").iterdir()) == []


def test_a_compile_error_is_shown(project: Path, cache: Cache) -> None:
    (project / "demo.c").write_text("int broken( {")
    with pytest.raises(BuildError) as caught:
        build_local(project, HERE, Interpreter(), cache, options=options())
    assert "demo.c:1" in caught.value.detail


def test_what_is_no_project(tmp_path: Path, cache: Cache) -> None:
    with pytest.raises(InputError, match=r"neither pyproject\.toml nor setup\.py"):
        build_local(tmp_path, HERE, Interpreter(), cache, options=options())


def test_a_back_end_that_is_not_there(project: Path, cache: Cache) -> None:
    text = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(text.replace('"backend"', '"nowhere"'))
    with pytest.raises(BuildError, match="back end nowhere"):
        build_local(project, HERE, Interpreter(), cache, options=options())


def sdist(project: Path, tmp_path: Path) -> LockedFile:
    path = tmp_path / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(project, "demo-1.0")
    return LockedFile("demo", "1.0", Kind.SDIST, str(path), path.name, reason="there are no wheels of it")


def test_an_sdist(project: Path, tmp_path: Path, cache: Cache) -> None:
    file = sdist(project, tmp_path)
    lock = Lock(HERE, (file,))
    (wheel,) = fetch(lock, HERE, Interpreter(), cache, options=options())
    assert wheel.path.name.endswith("manylinux_2_17_x86_64.whl")
    assert fetch(lock, HERE, Interpreter(), cache, options=options()) == (wheel,)
    wrong = Lock(HERE, (replace(file, sha256="0" * 64),))
    with pytest.raises(ResolutionError, match="hash"):
        fetch(wrong, HERE, Interpreter(), cache, options=options())


def test_an_sdist_that_fails_says_why_it_was_built(project: Path, tmp_path: Path, cache: Cache) -> None:
    (project / "broken.txt").touch()
    file = sdist(project, tmp_path)
    with pytest.raises(BuildError) as caught:
        fetch(Lock(HERE, (file,)), HERE, Interpreter(), cache, options=options())
    assert caught.value.message.startswith("demo==1.0 can't be built from source for ")
    assert caught.value.message.endswith("; there are no wheels of it")


def test_a_damaged_sdist(tmp_path: Path, cache: Cache) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(b"\x1f\x8bno")
    file = LockedFile("demo", "1.0", Kind.SDIST, str(path), path.name)
    with pytest.raises(InputError, match="damaged"):
        fetch(Lock(HERE, (file,)), HERE, Interpreter(), cache, options=options())


def test_a_commit_of_a_repository(project: Path, cache: Cache) -> None:
    git = ["git", "-C", str(project), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    file = LockedFile("demo", "", Kind.VCS, project.as_uri(), commit=commit)
    (wheel,) = fetch(Lock(HERE, (file,)), HERE, Interpreter(), cache, options=options())
    assert wheel.name == "demo"
    renamed = Lock(HERE, (replace(file, name="other"),))
    with pytest.raises(ResolutionError, match="is the project demo, not other"):
        fetch(renamed, HERE, Interpreter(), cache, options=options())


def test_builds_see_only_what_their_key_tells(tmp_path: Path) -> None:
    outside = {
        "PATH": "/bin",
        "HOME": "/h",
        "CFLAGS": "-DA",
        "CMAKE_ARGS": "-DB",
        "PYTHONPATH": "/x",
        "CC": "gcc",
    }
    chosen = Options(environ=outside, build_environment={"PYCURL_SSL_LIBRARY": "openssl"})
    assert key_environment(chosen) == {"CFLAGS": "-DA", "CMAKE_ARGS": "-DB", "PYCURL_SSL_LIBRARY": "openssl"}
    seen = build_environment(chosen, HERE, Room(tmp_path), tmp_path / "zig")
    assert seen["CC"] == str(tmp_path / "tools/cc")
    assert "PYTHONPATH" not in seen
    assert seen["PYCURL_SSL_LIBRARY"] == "openssl"
    assert seen["PATH"].split(os.pathsep)[:2] == [str(tmp_path / "env/bin"), str(tmp_path / "tools")]


def test_names_for_compilers(tmp_path: Path) -> None:
    assert zig_target(replace(HERE, glibc=(2, 28))) == "x86_64-linux-gnu.2.28"
    found = compiler_environment(tmp_path, HERE, tmp_path / "python")
    assert found["CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"] == str(tmp_path / "cc")
    assert found["LDSHARED"].endswith("cc -shared")
    assert sys.executable not in found.values()
