"""Data files of packages: importlib.resources, pkgutil.get_data, loaders' get_data, plain paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.products.building import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.products.building import Product

pytestmark = pytest.mark.product

SITE = "/__app__/lib/python3.13/site-packages"


def test_files_are_walked(probe: Product) -> None:
    code = """
        import importlib.resources, json
        root = importlib.resources.files("probe")
        def walk(folder):
            for item in sorted(folder.iterdir(), key=lambda item: item.name):
                if item.is_dir():
                    yield from walk(item)
                elif not item.name.endswith(".py"):
                    yield str(item.relative_to(root)), item.is_file()
        print(json.dumps([str(root), root.is_dir(), list(walk(root))]))
    """
    assert probe.value(code) == [
        f"{SITE}/probe",
        True,
        [
            ["_native.cpython-313-x86_64-linux-gnu.so", True],
            ["data/deep/er.bin", True],
            ["data/hello.txt", True],
        ],
    ]


def test_reading(probe: Product) -> None:
    code = """
        from importlib import resources
        data = resources.files("probe").joinpath("data", "hello.txt")
        print([data.read_text(), data.read_bytes(), data.open().readline(), data.open("rb").read(2)])
        deep = resources.files("probe") / "data" / "deep" / "er.bin"
        print(deep.name, deep.read_bytes())
        with resources.open_text("probe", "data", "hello.txt", encoding="utf-8") as text:
            with resources.open_binary("probe", "data/hello.txt") as raw:
                print([text.read(), raw.read()])
        print(resources.read_text("probe", "data/hello.txt", encoding="ascii"), end="")
        print(resources.is_resource("probe", "data"), resources.is_resource("probe", "data", "hello.txt"))
    """
    assert probe.output(code) == (
        "['hello\\n', b'hello\\n', 'hello\\n', b'he']\n"
        "er.bin b'\\x00\\x01\\x02'\n"
        "['hello\\n', b'hello\\n']\n"
        "hello\n"
        "False True\n"
    )


def test_real_files(probe: Product) -> None:
    code = """
        import os, subprocess
        from importlib import resources
        with resources.as_file(resources.files("probe") / "data") as folder:
            print(sorted(os.listdir(folder)), (folder / "deep" / "er.bin").stat().st_size)
            print(subprocess.check_output(["cat", folder / "hello.txt"], text=True), end="")
        with resources.as_file(resources.files("probe") / "data" / "hello.txt") as path:
            print(open(path).read(), end="")
    """
    assert probe.output(code) == "['deep', 'hello.txt'] 3\nhello\nhello\n"


def test_directories_are_listed_and_small_files_read_without_a_cache(probe: Product, tmp_path: Path) -> None:
    code = f"""
        import glob, os, pathlib
        folder = "{SITE}/probe/data"
        print(sorted(os.listdir(folder)), sorted(os.listdir(folder.encode())))
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                found, there = entry.stat(), os.stat(entry.path)
                print(entry.name, entry.is_dir(), entry.is_file(), entry.is_symlink(), found == there)
                print(entry.inode() == there.st_ino, entry.path == folder + "/" + entry.name)
        print([(top[len(folder):], folders, files) for top, folders, files in os.walk(folder)])
        print(glob.glob("*.txt", root_dir=folder), len(glob.glob(folder + "/**", recursive=True)))
        print(sorted(path.name for path in pathlib.Path(folder).iterdir()))
        print([path.name for path in pathlib.Path(folder).rglob("*.bin")])
        with open(folder + "/hello.txt") as file:
            print(repr(file.read()), os.fstat(file.fileno()).st_size, file.seek(0), file.readlines())
        for wrong in folder + "/no", folder + "/hello.txt":
            try:
                os.listdir(wrong)
            except OSError as error:
                print(type(error).__name__, error.filename == wrong)
    """
    output = probe.output(code, env=environment(COACHWHIP_CACHE_DIR=str(tmp_path)))
    assert output.splitlines() == [
        "['deep', 'hello.txt'] [b'deep', b'hello.txt']",
        *("deep True False False True", "True True", "hello.txt False True False True", "True True"),
        "[('', ['deep'], ['hello.txt']), ('/deep', [], ['er.bin'])]",
        "['hello.txt'] 4",
        "['deep', 'hello.txt']",
        "['er.bin']",
        "'hello\\n' 6 0 ['hello\\n']",
        "FileNotFoundError True",
        "NotADirectoryError True",
    ]
    assert not list(tmp_path.iterdir())


def test_descriptors_of_directories_are_real(probe: Product) -> None:
    code = f"""
        import os
        folder = os.open("{SITE}/probe/data", os.O_RDONLY)
        print(sorted(os.listdir(folder)), sorted(entry.name for entry in os.scandir(folder)))
        with open(os.open("hello.txt", os.O_RDONLY, dir_fd=folder)) as file:
            print(file.read(), end="")
        print([files for *_, files, _ in os.fwalk("{SITE}/probe/data", follow_symlinks=True)])
    """
    lines = probe.output(code).splitlines()
    assert lines[:2] == ["['deep', 'hello.txt'] ['deep', 'hello.txt']", "hello"]
    assert lines[2] == "[['hello.txt'], ['er.bin']]"


def test_a_namespace_package(probe: Product) -> None:
    code = """
        from importlib import resources
        root = resources.files("spread")
        print(sorted(item.name for item in root.iterdir()))
        print(sorted(item.name for item in (root / "data").iterdir()))
        print((root / "data" / "two.txt").read_text(), end="")
        print((resources.files("spread.data") / "one.txt").read_text(), end="")
    """
    assert probe.output(code) == "['data', 'one.py', 'two.py']\n['one.txt', 'two.txt']\ntwo\none\n"


def test_what_is_not_there(probe: Product) -> None:
    code = """
        from importlib import resources
        root = resources.files("probe")
        print((root / "nothing").is_file(), (root / "nothing").is_dir(), (root / "data").is_file())
        for wrong in '(root / "no").read_text()', '(root / "data").read_bytes()', 'resources.files("no")':
            try:
                eval(wrong)
            except (OSError, ImportError) as error:
                print(type(error).__name__)
    """
    assert (
        probe.output(code) == "False False False\nFileNotFoundError\nIsADirectoryError\nModuleNotFoundError\n"
    )


def test_get_data(probe: Product) -> None:
    code = f"""
        import pkgutil, probe
        path = "{SITE}/probe/data/hello.txt"
        print(pkgutil.get_data("probe", "data/hello.txt"), probe.__loader__.get_data(path))
        print(probe.__loader__.get_data(path.replace("/data/", "/inner/../data/./")))
        print(probe.__loader__.get_data(probe.__file__)[:14])
        try:
            pkgutil.get_data("probe", "data/nothing")
        except OSError as error:
            print(type(error).__name__, error.filename)
    """
    assert probe.output(code) == (
        "b'hello\\n' b'hello\\n'\n"
        "b'hello\\n'\n"
        'b\'"""A package."\'\n'
        f"FileNotFoundError {SITE}/probe/data/nothing\n"
    )


def test_paths_beside_file(probe: Product) -> None:
    code = """
        import glob, os, pathlib, probe
        here = os.path.dirname(probe.__file__)
        found = glob.glob(os.path.join(here, "data", "**"), recursive=True)
        print(sorted(os.path.relpath(path, here) for path in found))
        print(pathlib.Path(probe.__file__).with_name("data").joinpath("hello.txt").read_text(), end="")
        print([sorted(names) for _, _, names in os.walk(os.path.join(here, "data"))])
    """
    assert probe.output(code) == (
        "['data', 'data/deep', 'data/deep/er.bin', 'data/hello.txt']\nhello\n[['hello.txt'], ['er.bin']]\n"
    )


def test_a_file_that_can_be_opened_leaves_no_error_behind(probe: Product) -> None:
    code = f"""
        import ssl
        try:
            ssl.create_default_context().load_cert_chain("{SITE}/probe/data/hello.txt")
        except OSError as error:
            print(type(error).__name__)
    """
    assert probe.output(code) == "SSLError\n"


def test_time_zones_of_the_system_and_without_any(probe: Product) -> None:
    code = """
        import zoneinfo
        print(zoneinfo.TZPATH)
        try:
            print(zoneinfo.ZoneInfo("No/Where"))
        except zoneinfo.ZoneInfoNotFoundError as error:
            print(error)
        zoneinfo.reset_tzpath(to=())
        try:
            zoneinfo.ZoneInfo("Europe/Berlin")
        except zoneinfo.ZoneInfoNotFoundError as error:
            print(error)
    """
    path, *rest = probe.output(code).splitlines()
    assert "/usr/share/zoneinfo" in path
    assert rest == ["'No time zone found with key No/Where'", "'No time zone found with key Europe/Berlin'"]
