"""A runtime that has all files and no content."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from coachwhip.runtime.model import Builtin, Runtime, Source, runtime_document

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return make_runtime(tmp_path / "cp313-0123456789abcdef", recipe="0123456789abcdef")


def make_runtime(root: Path, *, recipe: str, pie: bool = False) -> Runtime:
    runtime = Runtime(
        root=root,
        python_version="3.13.5",
        abi="cp313",
        platform="x86_64-linux-gnu.2.17",
        recipe=recipe,
        optimization="quick",
        builtins=(
            Builtin("_json", "PyInit__json"),
            Builtin("zlib", "PyInit_zlib", ("z",)),
            Builtin("sys", ""),
        ),
        link_archives=("lib/libpython3.13.a", "lib/libz.a"),
        link_system=("-lm", "-ldl"),
        sources=(Source("zlib", "1.3.1", "ab" * 32, "https://example.org/z", ("licenses/zlib/LICENSE",)),),
        glibc_floor=(2, 17),
        carried=("lib/carried/libz.so.1",),
        pie=pie,
    )
    files = {
        "bin/python3.13": "#!/bin/sh\n",
        "lib/libpython3.13.a": "!<arch>\n",
        "lib/libz.a": "!<arch>\n",
        "lib/carried/libz.so.1": "\x7fELF",
        "lib/exports.list": "{\n  Py_Main;\n};\n",
        "include/python3.13/Python.h": "\n",
        "stdlib/os.py": "name = 'posix'\n",
        "stdlib/__pycache__/os.cpython-313.pyc": "left behind",
        "licenses/zlib/LICENSE": "as is\n",
        "runtime.json": json.dumps(runtime_document(runtime)),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "lib" / "python3.13").symlink_to("../stdlib")
    return runtime
