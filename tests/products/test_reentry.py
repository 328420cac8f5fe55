"""A product as a Python interpreter: through sys.executable, by its variable, by its name."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.products.building import Product, environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product


@pytest.mark.parametrize(
    ("arguments", "given", "expected"),
    [
        (["-c", "import sys; print(sys.argv)", "a"], "", "['-c', 'a']\n"),
        (["-m", "probe", "a"], "", "probe as __main__ ['a']\n"),
        (["{script}", "a"], "", "script ['{script}', 'a'] 1.0\n"),
        (["-", "a"], "import sys; print(sys.argv)", "['-', 'a']\n"),
        ([], "print('from stdin')", "from stdin\n"),
        (["-V"], "", "Python 3.13.5\n"),
        (["-Im", "platform", "--terse"], "", None),
        (["-OO", "-c", "import sys; assert 0; print(sys.flags.optimize)"], "", "2\n"),
        (
            ["-Wignore", "-Xutf8", "-c", "import sys; print(sys.warnoptions, sys._xoptions)"],
            "",
            "['ignore'] {{'utf8': True}}\n",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
@pytest.mark.parametrize("argv0", [None, "renamed"])
def test_sys_executable_runs_python(  # noqa: PLR0913, PLR0917
    probe: Product, tmp_path: Path, arguments: list[str], given: str, expected: str | None, argv0: str | None
) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys, importlib.metadata as m; print('script', sys.argv, m.version('probe'))\n")
    words = [word.format(script=script) for word in arguments]
    first = argv0 or "/__app__/bin/python3.13"
    code = f"""
        import subprocess, sys
        done = subprocess.run([{first!r}, *{words!r}], executable=sys.executable, input={given!r}, text=True,
            capture_output=True)
        assert (done.returncode, done.stderr) == (0, ""), done
        print(done.stdout, end="")
    """
    found = probe.output(code)
    if expected is None:
        assert found.startswith("Linux-")
    else:
        assert found == expected.format(script=script)


def test_exec_and_spawn(probe: Product) -> None:
    code = """
        import os, sys
        pid = os.posix_spawn(sys.executable, [sys.executable, "-c", "print('spawned')"], os.environ)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
        print(os.spawnl(os.P_WAIT, sys.executable, "python", "-c", "raise SystemExit(9)"), flush=True)
        print(os.system(f"{sys.executable} -c 'print(1 + 1)'"), flush=True)
        os.execl(sys.executable, sys.executable, "-c", "import sys; print('exec', sys.prefix)")
    """
    assert probe.output(code) == "spawned\n0\n9\n2\n0\nexec /__app__\n"


def test_a_program_that_starts_itself_again(probe: Product) -> None:
    code = """
        import os, subprocess, sys
        if os.environ.pop("FIRST", None):
            sys.stdout.flush()
            sys.stdout.write(subprocess.check_output([sys.executable, *sys.orig_argv[1:]], text=True))
            as_script = [sys.executable, sys.argv[0], "print('argv')"]
            sys.stdout.write(subprocess.check_output(as_script, text=True))
        else:
            print("again", sys.argv[1:], sys.flags.isolated)
    """
    assert probe.output(code, "x", env=environment(FIRST="1")) == "again ['x'] 1\nargv\n"


def test_scripts_of_the_product_can_be_started(probe: Product) -> None:
    code = """
        import os, shutil, subprocess
        path = "/__app__/bin/probe"
        print(os.access(path, os.X_OK), subprocess.check_output([path, "print('from a script')"]))
    """
    assert probe.output(code) == "True b'from a script\\n'\n"


def test_the_variable(probe: Product) -> None:
    done = probe.python("-c", "import os, sys; print(sys.argv, 'COACHWHIP_INTERPRETER' in os.environ)")
    assert done.stdout == "['-c'] False\n"
    assert probe.output("print('app')", env=environment(COACHWHIP_INTERPRETER="0")) == "app\n"
    assert probe.output("print('app')", env=environment(COACHWHIP_INTERPRETER="")) == "app\n"


def test_a_link_called_python(probe: Product, tmp_path: Path) -> None:
    for name in ("python3", "python3.13", "python"):
        link = tmp_path / name
        link.symlink_to(probe.path)
        assert Product(link).output("-c", "import sys; print(sys.argv)") == "['-c']\n"


def test_an_interpreter_finds_modules_beside_the_script(probe: Product, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("x = 1\n")
    (tmp_path / "main.py").write_text("import beside, probe; print(beside.x, probe.loads)\n")
    assert probe.python(tmp_path / "main.py").stdout == "1 1\n"
    assert probe.python("-c", "import beside; print(beside.x)", cwd=tmp_path).stdout == "1\n"
    assert probe.python("-I", "-c", "import beside", cwd=tmp_path).returncode == 1


def test_an_interpreter_has_what_prompts_have(probe: Product) -> None:
    code = "print(*[callable(each) for each in (quit, exit, copyright, license, credits, help)])"
    assert probe.python("-c", code).stdout == "True True True True True True\n"
    done = probe.python("-c", "exit(5)")
    assert done.returncode == 5


def test_a_product_that_is_no_interpreter(strict: Product, tmp_path: Path) -> None:
    assert strict.python("-c", "print(1)").stdout == "strict ['-c', 'print(1)']\n"
    assert strict.output("again") == "strict ['once']\n"
    link = tmp_path / "python3"
    link.symlink_to(strict.path)
    assert Product(link).output("-c", "print(1)") == "strict ['-c', 'print(1)']\n"


def test_a_product_that_is_no_interpreter_can_use_processes(strict: Product) -> None:
    assert strict.output("parallel") == "[1, 4]\n[1, 4]\n"


def test_an_app_does_not_read_options(probe: Product) -> None:
    done = subprocess.run([probe.path, "-V"], env=environment(), capture_output=True, text=True, check=False)
    assert "Python 3" not in done.stdout
    assert "NameError: name 'V' is not defined" in done.stderr
