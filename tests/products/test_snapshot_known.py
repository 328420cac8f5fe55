"""What is known of some packages: stand-ins for them, which look at the same things in the same places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.products.building import build, environment, make_wheel
from tests.products.subjects import Subject

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product

FILES = {
    "rich/__init__.py": "import os\n_IMPORT_CWD = os.path.abspath(os.getcwd())\n",
    "rich/style.py": (
        "from itertools import count\nfrom random import getrandbits\n"
        "_id_generator = count(getrandbits(24))\n"
    ),
    "rich/color.py": "import platform\nWINDOWS = platform.system() == 'Windows'\n",
    "black/__init__.py": "from black import cache\ncache.CACHE_DIR = cache.get_cache_dir()\n",
    "black/cache.py": (
        "from pathlib import Path\ndef get_cache_dir():\n    return Path.home() / 'black'\nCACHE_DIR = None\n"
    ),
    "mypy/__init__.py": "",
    "mypy/main.py": (
        "import os\nfrom mypy import defaults\nfiles = ['~/.mypy.ini']\n"
        "if os.environ.get('XDG_CONFIG_HOME'):\n"
        "    files.insert(0, os.path.join(os.environ['XDG_CONFIG_HOME'], 'mypy/config'))\n"
        "defaults.USER_CONFIG_FILES = [os.path.expanduser(name) for name in files]\n"
    ),
    "mypy/defaults.py": "USER_CONFIG_FILES = []\n",
    "visidata/__init__.py": "",
    "visidata/threads.py": (
        "import threading, time\nthreading.current_thread().startTime = time.process_time()\n"
    ),
    "asyncio_too.py": "import asyncio.selector_events\n",
    "app.py": """\
        import json
        import sys

        def main():
            early = [name for name in NAMES if name in sys.modules]
            import asyncio_too, mypy.main, platform, rich.color, rich.style, threading, visidata.threads
            from black import cache
            if sys.argv[1:] in (["--help"], ["--version"]):
                return
            print(json.dumps({
                "early": early,
                "folder": rich._IMPORT_CWD,
                "link": next(rich.style._id_generator),
                "kept": platform._uname_cache is not None,
                "black": [str(cache.CACHE_DIR), hash(cache.CACHE_DIR) == hash(cache.get_cache_dir())],
                "mypy": mypy.defaults.USER_CONFIG_FILES,
                "started": threading.main_thread().startTime,
            }))
        """,
}
NAMES = ["asyncio.selector_events", "black", "mypy.main", "rich.color", "rich.style", "visidata.threads"]


@pytest.fixture(scope="module")
def app(folder: Path) -> Subject:
    """A console script that imports them when it runs, and shows what they know."""
    files: dict[str, str | bytes] = {**FILES}
    text = FILES["app.py"]
    files["app.py"] = f"        NAMES = {NAMES}\n{text}"
    scripts = "[console_scripts]\napp = app:main\n"
    wheel = make_wheel(folder / "known", "app", "1.0", files, entry_points=scripts)
    return Subject(build(wheel, output=folder / "known" / "app"))


def shown(app: Subject, way: str, home: Path) -> dict[str, Any]:
    run = app.snapshot if way == "snapshot" else app.ordinary
    variables = environment(HOME=str(home), XDG_CONFIG_HOME=str(home / "there"))
    found: dict[str, Any] = json.loads(run(cwd=home, env=variables).stdout)
    return found


def test_all_of_them_are_in_the_snapshot(app: Subject, tmp_path: Path) -> None:
    assert shown(app, "snapshot", tmp_path)["early"] == NAMES
    assert shown(app, "ordinary", tmp_path)["early"] == []


def test_they_know_what_they_would_without_one(app: Subject, tmp_path: Path) -> None:
    here, there = (shown(app, way, tmp_path) for way in ("snapshot", "ordinary"))
    for name in ("folder", "black", "mypy"):
        assert here[name] == there[name]
    assert here["folder"] == str(tmp_path)
    assert here["black"] == [str(tmp_path / "black"), True]
    assert here["mypy"] == [str(tmp_path / "there/mypy/config"), str(tmp_path / ".mypy.ini")]


def test_nothing_is_kept_of_the_building_process(app: Subject, tmp_path: Path) -> None:
    one, other = (shown(app, "snapshot", tmp_path) for _ in range(2))
    assert not one["kept"]
    assert one["link"] != other["link"]
    assert one["started"] > 0
