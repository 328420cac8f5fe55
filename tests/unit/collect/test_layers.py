from __future__ import annotations

import _ctypes
import importlib.util
import marshal
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xxhash
import zstandard

from coachwhip.collect import Options, collect_entry, collect_stdlib, collect_wheel, layer_notes
from coachwhip.collect import build as build_module
from coachwhip.collect import store as store_module
from coachwhip.collect.entry import entry_path
from coachwhip.collect.store import layer_imports
from coachwhip.effects.cache import Cache
from coachwhip.errors import BuildError
from coachwhip.model import Blob, Compression, Distribution, EntryPoint, Layer, Wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.collect.conftest import StandIn

    MakeWheel = Callable[..., Wheel]

OPTIONS = Options(jobs=2)


def content(layer: Layer, blob: Blob | None) -> bytes:
    """What a product would read, checked as it would check it."""
    assert blob is not None
    stored = layer.blobs.read_bytes()[blob.offset : blob.offset + blob.stored]
    assert len(stored) == blob.stored
    assert xxhash.xxh64_intdigest(stored) == blob.checksum
    if blob.compression is Compression.ZSTD:
        assert zstandard.frame_content_size(stored) == blob.raw
        stored = zstandard.ZstdDecompressor().decompress(stored)
    assert len(stored) == blob.raw
    return stored


def shared_library() -> bytes:
    """A real shared library: an extension module of this Python, or its C library."""
    return Path(_ctypes.__file__).read_bytes()


@pytest.fixture
def sample(make_wheel: MakeWheel) -> Wheel:
    return make_wheel(
        {
            "demo/__init__.py": b"x = 'value'\n",
            "demo/empty.py": b"",
            "demo/also_empty.py": b"",
            "demo/python2.py": b"import os\nprint 'two'\n",
            "demo/data.txt": b"many words " * 1000,
            "demo/noise.bin": bytes(range(256)),
            "demo/with.dots/plugin.py": b"y = 1\n",
            "demo/native.so": shared_library(),
            "demo/strange.so": b"\x7fELF but not really",
            "demo/stale.pyc": b"\0\0\0\0" + bytes(12) + b"N",
            "demo/__pycache__/x.pyc": b"cache",
            "demo-script.py": b"import ssl\n",
            "a.pth": b"\xef\xbb\xbf# comment\n\nimport demo; demo.x\nextra/folder  \n",
            "b.pth": b"second",
            "demo/not.pth": b"import never\n",
        }
    )


def test_what_a_layer_consists_of(sample: Wheel, runtime: StandIn, cache: Cache) -> None:
    layer = collect_wheel(sample, runtime, OPTIONS, cache)
    assert layer.distribution == Distribution("demo", "1.0", sample.sha256, "py3-none-any")
    nodes = {node.path: node for node in layer.nodes}
    assert list(nodes) == sorted(nodes)
    home = runtime.packages
    assert content(layer, nodes[f"{home}/demo/data.txt"].data) == b"many words " * 1000
    assert content(layer, nodes[f"{home}/demo/noise.bin"].data) == bytes(range(256))
    assert content(layer, nodes[f"{home}/demo/__init__.py"].data) == b"x = 'value'\n"
    assert [path.removeprefix(f"{home}/") for path, node in nodes.items() if node.code] == [
        "demo-script.py",
        "demo/__init__.py",
        "demo/also_empty.py",
        "demo/empty.py",
    ]
    assert layer.path_lines == ("import demo; demo.x", "extra/folder", "second")
    assert not any("__pycache__" in path for path in nodes)


def test_code_runs_and_knows_its_place(sample: Wheel, runtime: StandIn, cache: Cache) -> None:
    layer = collect_wheel(sample, runtime, OPTIONS, cache)
    node = next(node for node in layer.nodes if node.path.endswith("demo/__init__.py"))
    assert node.code is not None
    assert node.code.compression is Compression.NONE
    code = marshal.loads(content(layer, node.code))  # noqa: S302
    assert code.co_filename == f"/__app__/{runtime.packages}/demo/__init__.py"
    space: dict[str, object] = {}
    exec(code, space)  # noqa: S102
    assert space["x"] == "value"


def test_code_comes_first_and_equal_content_is_stored_once(
    sample: Wheel, runtime: StandIn, cache: Cache
) -> None:
    layer = collect_wheel(sample, runtime, OPTIONS, cache)
    code = [node.code for node in layer.nodes if node.code]
    data = [node.data for node in layer.nodes if node.data]
    assert max(blob.offset + blob.stored for blob in code) <= min(blob.offset for blob in data if blob.stored)
    empty = [node.data for node in layer.nodes if node.path.endswith("empty.py")]
    assert len(empty) == 2
    assert empty[0] == empty[1]
    used = {(blob.offset, blob.stored) for blob in (*code, *data)}
    assert sum(size for _, size in used) == layer.blobs.stat().st_size


def test_native_libraries_are_looked_into(sample: Wheel, runtime: StandIn, cache: Cache) -> None:
    layer = collect_wheel(sample, runtime, OPTIONS, cache)
    nodes = {node.path.removeprefix(f"{runtime.packages}/demo/"): node for node in layer.nodes}
    native = nodes["native.so"].native
    assert native is not None
    assert any(name.startswith("libc.so") for name in native.needed)
    assert native.glibc > (2, 0)
    assert nodes["strange.so"].native is None


def test_what_could_not_be_used_is_noted(sample: Wheel, runtime: StandIn, cache: Cache) -> None:
    notes = {
        note.path.removeprefix(f"{runtime.packages}/"): note
        for note in layer_notes(collect_wheel(sample, runtime, OPTIONS, cache))
    }
    assert sorted(notes) == ["demo/python2.py", "demo/stale.pyc", "demo/strange.so"]
    assert notes["demo/python2.py"].line == 2
    assert "python2.py:2: " in str(notes["demo/python2.py"])
    assert "another Python" in notes["demo/stale.pyc"].message


def test_modules_without_source(make_wheel: MakeWheel, runtime: StandIn, cache: Cache) -> None:
    compiled = marshal.dumps(compile("z = 3\n", "z.py", "exec"))
    pyc = importlib.util.MAGIC_NUMBER + bytes(12) + compiled
    wheel = make_wheel({"only.pyc": pyc, "both.py": b"z = 4\n", "both.pyc": pyc})
    layer = collect_wheel(wheel, runtime, OPTIONS, cache)
    nodes = {node.path.removeprefix(f"{runtime.packages}/"): node for node in layer.nodes}
    assert content(layer, nodes["only.pyc"].code) == compiled
    assert "both.pyc" not in nodes
    assert nodes["both.py"].code is not None


def test_imports_of_modules_are_kept(sample: Wheel, runtime: StandIn, cache: Cache) -> None:
    imports = layer_imports(collect_wheel(sample, runtime, OPTIONS, cache))
    assert imports == {f"{runtime.packages}/demo-script.py": ("ssl",)}


def test_a_second_time_nothing_is_made(
    sample: Wheel, runtime: StandIn, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = collect_wheel(sample, runtime, OPTIONS, cache)
    os.utime(first.blobs.parent, (1, 1))
    sample.path.unlink()
    monkeypatch.setattr(store_module, "build_layer", None)
    assert collect_wheel(sample, runtime, OPTIONS, cache) == first
    # Used entries stay when old ones are pruned.
    assert first.blobs.parent.stat().st_mtime > 1


@pytest.mark.parametrize("change", ["wheel", "recipe", "optimize"])
def test_another_input_is_another_layer(
    make_wheel: MakeWheel, runtime: StandIn, cache: Cache, change: str
) -> None:
    first = collect_wheel(make_wheel({"demo.py": b"assert x\n"}), runtime, OPTIONS, cache)
    wheel = make_wheel({"demo.py": b"assert y\n" if change == "wheel" else b"assert x\n"})
    second = collect_wheel(
        wheel,
        replace(runtime, recipe="other") if change == "recipe" else runtime,
        replace(OPTIONS, optimize=1) if change == "optimize" else OPTIONS,
        cache,
    )
    assert first.blobs != second.blobs


def test_the_same_input_gives_the_same_bytes_anywhere(
    sample: Wheel, runtime: StandIn, tmp_path: Path
) -> None:
    def made(name: str, jobs: int) -> tuple[bytes, ...]:
        folder = collect_wheel(sample, runtime, Options(jobs=jobs), Cache(tmp_path / name)).blobs.parent
        return tuple((folder / file).read_bytes() for file in ("blobs.bin", "index.json", "imports.json"))

    assert made("one", 1) == made("a/much/deeper/folder", 4)


@pytest.mark.parametrize("damage", ["index", "format", "blobs", "gone", "text"])
def test_a_damaged_entry_is_made_again(sample: Wheel, runtime: StandIn, cache: Cache, damage: str) -> None:
    layer = collect_wheel(sample, runtime, OPTIONS, cache)
    index = layer.blobs.with_name("index.json")
    whole = layer.blobs.read_bytes(), index.read_bytes()
    if damage == "index":
        index.write_bytes(whole[1][: len(whole[1]) // 2])
    elif damage == "format":
        index.write_bytes(whole[1].replace(b'"format":', b'"format":9'))
    elif damage == "text":
        index.write_bytes(b"[]")
    elif damage == "blobs":
        layer.blobs.write_bytes(whole[0][:-1])
    else:
        layer.blobs.unlink()
    assert collect_wheel(sample, runtime, OPTIONS, cache) == layer
    assert (layer.blobs.read_bytes(), index.read_bytes()) == whole


def test_a_failure_leaves_nothing_behind(
    sample: Wheel, runtime: StandIn, cache: Cache, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(BuildError):
        collect_wheel(sample, replace(runtime, interpreter=broken), OPTIONS, cache)
    assert list(cache.area("layers").iterdir()) == []


def test_those_who_want_the_same_layer_wait_for_the_first(
    sample: Wheel, runtime: StandIn, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    together = threading.Barrier(4)
    build = build_module.build_layer

    def counting(*args: object) -> object:
        made.append(args)
        return build(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store_module, "build_layer", counting)

    def collect(_: int) -> Layer:
        together.wait()
        return collect_wheel(sample, runtime, OPTIONS, cache)

    with ThreadPoolExecutor(4) as pool:
        layers = list(pool.map(collect, range(4)))
    assert len(made) == 1
    assert all(layer == layers[0] for layer in layers)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (EntryPoint("run", source=b"import sys\nresult = 1\n"), b"import sys\nresult = 1\n"),
        (
            EntryPoint("run", "pkg.cli", "App.main"),
            (
                b"#!/__app__/bin/pythonX\nimport sys\n\nfrom pkg.cli import App\n\n"
                b'if __name__ == "__main__":\n    sys.exit(App.main())\n'
            ),
        ),
        (
            EntryPoint("run", "pkg"),
            (
                b"#!/__app__/bin/pythonX\nimport runpy\n\n"
                b'if __name__ == "__main__":\n'
                b"    runpy.run_module('pkg', run_name=\"__main__\", alter_sys=True)\n"
            ),
        ),
    ],
)
def test_the_start_code(entry: EntryPoint, expected: bytes, runtime: StandIn, cache: Cache) -> None:
    layer = collect_entry(entry, Distribution("app", "2"), runtime, OPTIONS, cache)
    [node] = layer.nodes
    assert node.path == entry_path(entry)
    assert node.executable
    version = runtime.lib.removeprefix("lib/python").encode()
    assert content(layer, node.data) == expected.replace(b"X", version)
    assert marshal.loads(content(layer, node.code)).co_filename == f"/__app__/{node.path}"  # noqa: S302


def test_the_standard_library_less_what_nobody_runs(runtime: StandIn, cache: Cache, tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    for path in (
        "os.py",
        "json/__init__.py",
        "json/__pycache__/x.pyc",
        "pydoc_data/topics.txt",
        "tkinter/__init__.py",
        "idlelib/run.py",
        "turtle.py",
        "ensurepip/_bundled/pip.whl",
        "site-packages/pip/__init__.py",
        "lib-dynload/_json.so",
        "config-3.13-x86_64-linux-gnu/Makefile",
    ):
        (lib / path).parent.mkdir(parents=True, exist_ok=True)
        (lib / path).write_text("")
    tests = tmp_path / "tests"
    (tests / "test" / "support").mkdir(parents=True)
    (tests / "test" / "support" / "__init__.py").write_text("")
    (tests / "os.py").write_text("not this one")
    runtime = replace(runtime, stdlib=lib, test_stdlib=tests)

    def paths(*include: str) -> list[str]:
        layer = collect_stdlib(runtime, Options(include=include), cache)
        assert layer.distribution == Distribution("python", runtime.python_version)
        return [node.path.removeprefix(f"{runtime.lib}/") for node in layer.nodes]

    plain = ["json/__init__.py", "os.py", "pydoc_data/topics.txt"]
    assert paths() == plain
    assert paths("tkinter", "numpy.tests") == sorted([*plain, "tkinter/__init__.py"])
    assert paths("test") == sorted([*plain, "test/support/__init__.py"])


@pytest.mark.skipif(sys.platform != "linux", reason="products are for Linux")
def test_a_name_that_is_no_utf8_survives(make_wheel: MakeWheel, runtime: StandIn, cache: Cache) -> None:
    layer = collect_wheel(make_wheel({"demo/übel.py": b"x = 1\n"}), runtime, OPTIONS, cache)
    assert f"{runtime.packages}/demo/übel.py" in {node.path for node in layer.nodes if node.code}
