from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from coachwhip.collect import (
    Options,
    Parts,
    collect_entry,
    collect_stdlib,
    collect_wheel,
    linked_builtins,
    plan_bundle,
)
from coachwhip.collect.prune import mentioned_names, needed_builtins
from coachwhip.config import Config
from coachwhip.model import Distribution, EntryPoint, Wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from coachwhip.effects.cache import Cache
    from tests.unit.collect.conftest import StandIn

LIB = "lib/python3.13"
BUILTINS = {"_ssl", "_socket", "_sqlite3", "_json", "_lzma", "_asyncio", "_io", "_decimal", "math"}


def needed(stdlib: dict[str, tuple[str, ...]], *roots: str) -> set[str]:
    return set(needed_builtins({f"{LIB}/{path}": names for path, names in stdlib.items()}, roots, BUILTINS))


def test_what_the_interpreter_needs_is_always_there() -> None:
    assert needed({}) == {"_io"}


def test_imports_are_followed() -> None:
    stdlib = {"ssl.py": ("_ssl", "socket"), "socket.py": ("_socket",), "sqlite3/__init__.py": ("_sqlite3",)}
    assert needed(stdlib, "ssl") == {"_io", "_ssl", "_socket"}
    assert needed(stdlib, "math") == {"_io", "math"}


def test_relative_imports_and_parents_are_followed() -> None:
    stdlib = {
        "json/__init__.py": (".decoder", ".decoder.JSONDecoder"),
        "json/decoder.py": (".scanner", "..math"),
        "json/scanner.py": ("_json",),
        "json/tool.py": ("_lzma",),
    }
    assert needed(stdlib, "json.nothing") == {"_io", "_json", "math"}
    assert needed(stdlib, "json.tool") == {"_io", "_json", "math", "_lzma"}


def test_a_star_takes_the_modules_of_a_package() -> None:
    stdlib = {
        "pkg/__init__.py": (),
        "pkg/a.py": ("_lzma",),
        "pkg/sub/__init__.py": (),
        "pkg/sub/b.py": ("_ssl",),
    }
    assert needed(stdlib, "pkg.*") == {"_io", "_lzma"}


def test_texts_count_in_the_app_and_where_modules_are_imported_by_name() -> None:
    stdlib = {
        "quiet.py": ("=_lzma",),
        "dynamic.py": ("!", "=_ssl"),
        "encodings/zlib_codec.py": ("math",),
    }
    assert needed(stdlib, "quiet", "dynamic") == {"_io", "_ssl", "math"}
    assert "_sqlite3" in needed(stdlib, "=_sqlite3")


def test_self_tests_and_consoles_are_not_followed() -> None:
    stdlib = {
        "heapq.py": ("doctest",),
        "doctest.py": ("unittest.mock",),
        "unittest/__init__.py": (),
        "unittest/mock.py": ("_asyncio",),
        "site.py": ("readline", "_sitebuiltins"),
        "readline.py": ("_lzma",),
        "_sitebuiltins.py": ("pydoc",),
        "pydoc.py": ("_ssl",),
    }
    assert needed(stdlib, "heapq") == {"_io"}
    assert needed(stdlib, "heapq", "doctest", "pydoc") == {"_io", "_asyncio", "_ssl"}


def test_imports_made_in_c_are_known() -> None:
    stdlib = {"numbers.py": ("math",), "collections/abc.py": ()}
    assert needed(stdlib, "_decimal") == {"_io", "_decimal", "math"}


def test_names_in_native_code() -> None:
    modules = {"json", "json.decoder", "ssl", "decimal", "decoder.json"}
    assert list(mentioned_names(b"\0json\0decimaljson.decoder\0", modules)) == [
        "decimal",
        "json",
        "json.decoder",
    ]


def test_a_whole_bundle(
    runtime: StandIn, cache: Cache, make_wheel: Callable[..., Wheel], tmp_path: Path
) -> None:
    # The parts of the standard library that matter here; all of it takes a while to compress.
    for path in ("encodings", "http", "importlib", "sqlite3", "urllib", "zoneinfo"):
        shutil.copytree(runtime.stdlib / path, tmp_path / "lib" / path, symlinks=True)
    for name in ("os", "site", "_sitebuiltins", "pydoc", "socket", "ssl", "threading", "warnings"):
        shutil.copy(runtime.stdlib / f"{name}.py", tmp_path / "lib")
    runtime = replace(runtime, stdlib=tmp_path / "lib")
    options = Options(jobs=2)
    entry = EntryPoint("run", "demo", "main")
    stdlib = collect_stdlib(runtime, options, cache)
    start = collect_entry(entry, Distribution("demo", "1.0"), runtime, options, cache)
    builtins = {"_ssl", "_sqlite3", "_lzma", "_zoneinfo", "_io", "_hashlib", "_posixshmem", "zlib"}

    def linked(source: bytes, config: Config) -> frozenset[str]:
        wheel = make_wheel({"demo.py": source})
        layer = collect_wheel(wheel, runtime, options, cache)
        bundle = plan_bundle(
            Distribution("demo", "1.0"), entry, Parts(start, (layer,), stdlib), config
        ).bundle
        return linked_builtins(bundle, builtins, config)

    small = linked(b"import sys\ndef main(): print(sys.argv)\n", Config(prune=True, interpreter=False))
    assert not small & {"_ssl", "_sqlite3", "_zoneinfo"}
    assert small >= {"_io", "zlib"}
    assert "_ssl" in linked(b"def main():\n    import urllib.request\n", Config(prune=True))
    assert "_sqlite3" in linked(b"import importlib\nimportlib.import_module('sqlite3')\n", Config(prune=True))
    assert "_zoneinfo" in linked(b"", Config(prune=True, include=("zoneinfo",)))
    assert "_posixshmem" in linked(b"", Config(prune=True, include=("_posixshmem",)))
