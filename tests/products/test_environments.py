"""Virtual environments whose interpreter is a product."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.products.building import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.products.building import Product

pytestmark = pytest.mark.product

CREATE = "import sys, venv; venv.create(sys.argv[1], symlinks=True, system_site_packages=len(sys.argv) > 2)"
SHOW = """
import json, sys
try:
    import mine
except ImportError:
    mine = None
try:
    import probe
except ImportError:
    probe = None
files = [module and module.__file__ for module in (mine, probe)]
print(json.dumps([sys.prefix, sys.base_prefix, sys.executable, *files]))
"""


def made(probe: Product, folder: Path, *more: str) -> Path:
    place = folder / "environment"
    probe.output(CREATE, place, *more)
    (place / "lib/python3.13/site-packages/mine.py").write_text("")
    return place


def shown(*command: str | Path, **options: Any) -> Any:
    done = subprocess.run([*command, "-c", SHOW], capture_output=True, text=True, check=True, **options)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["python", "python3", "python3.13"])
def test_an_environment_has_its_own_packages_only(probe: Product, tmp_path: Path, name: str) -> None:
    place = made(probe, tmp_path)
    interpreter = place / "bin" / name
    mine = str(place / "lib/python3.13/site-packages/mine.py")
    expected = [str(place), "/__app__", str(interpreter), mine, None]
    assert shown(interpreter, env=environment()) == expected
    assert shown(f"./{name}", env=environment(), cwd=place / "bin") == expected
    assert shown(name, env=environment(PATH=f"{place / 'bin'}:{os.environ['PATH']}")) == expected


def test_an_environment_may_see_the_packages_of_the_product(probe: Product, tmp_path: Path) -> None:
    place = made(probe, tmp_path, "with system packages")
    *_, mine, theirs = shown(place / "bin/python", env=environment())
    assert mine == str(place / "lib/python3.13/site-packages/mine.py")
    assert theirs.startswith("/__app__/lib/python3.13/site-packages/probe")


def test_pythonpath_counts_in_an_environment(probe: Product, tmp_path: Path) -> None:
    interpreter = made(probe, tmp_path) / "bin/python"
    (tmp_path / "sitecustomize.py").write_text("import mine; mine.__file__ = 'customized'\n")
    assert shown(interpreter, env=environment(PYTHONPATH=str(tmp_path)))[3] == "customized"
    assert shown(interpreter, "-I", env=environment(PYTHONPATH=str(tmp_path)))[3] != "customized"


def test_a_script_of_an_environment(probe: Product, tmp_path: Path) -> None:
    place = made(probe, tmp_path)
    script = place / "bin/tool"
    script.write_text(f"#!{place}/bin/python\nimport mine, sys\nprint(sys.argv, sys.prefix)\n")
    script.chmod(0o755)
    done = subprocess.run([script, "x"], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == f"['{script}', 'x'] {place}\n"


def test_links_lead_to_real_files(probe: Product, tmp_path: Path) -> None:
    code = """
        import os, sys
        os.chdir(sys.argv[1])
        os.symlink(os.__file__, "file")
        os.symlink("/__app__/none", "none")
        os.symlink("../x", "other", dir_fd=os.open(".", os.O_RDONLY))
        print(open("file").read() == open(os.__file__).read(), os.readlink("none"), os.readlink("other"))
    """
    assert probe.output(code, tmp_path) == "True /__app__/none ../x\n"
    assert (tmp_path / "file").read_text().startswith('r"""OS routines')
