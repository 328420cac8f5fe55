"""`coachwhip build` for real: the examples, all kinds of input, and what can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coachwhip.errors import ExitCode

pytestmark = pytest.mark.product

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


def coachwhip(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coachwhip", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def build(*arguments: str | Path, cwd: Path) -> Path:
    """Build a product and return its path, which the last line names."""
    done = coachwhip("build", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return cwd / line.partition(":")[0]


def output(product: Path, *arguments: str) -> str:
    done = subprocess.run([product, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_myapp_is_the_sample_of_the_talk(tmp_path: Path) -> None:
    product = build(EXAMPLES / "myapp", cwd=tmp_path)
    assert product == tmp_path / "dist" / "myapp"
    assert output(product, "run") == "psycopg2 works!\npycurl works!\nmyextension works!\n"
    assert output(product, "--version") == "myapp, version 1.0\n"
    assert [path.name for path in tmp_path.rglob("*")] == ["dist", "myapp"]


def test_the_result_line_says_file_size_place_and_command(tmp_path: Path) -> None:
    done = coachwhip("build", EXAMPLES / "hello", cwd=tmp_path)
    megabytes = f"{(tmp_path / 'dist' / 'hello').stat().st_size / 1e6:.1f} MB"
    expected = f"dist/hello: {megabytes}, Linux x86_64, glibc 2.17 or newer; run dist/hello\n"
    assert done.stdout == expected
    assert "Writing dist/hello" in done.stderr


def test_a_script_a_wheel_and_a_project_are_the_same_app(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*pip, str(EXAMPLES / "hello")], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    for app in (EXAMPLES / "hello", EXAMPLES / "hello" / "hello.py", wheel):
        product = build(app, "-o", "out/greet", cwd=tmp_path)
        assert output(product, "Ada", "Grace") == "Hello, Ada!\nHello, Grace!\n"


def test_a_script_brings_its_requirements(tmp_path: Path) -> None:
    product = build(EXAMPLES / "sci" / "sci.py", cwd=tmp_path)
    assert output(product, "--rows", "6").splitlines()[2].split() == ["harbour", "2", "9.67", "1.89"]


def test_requirements_with_an_entry_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("click>=8\n")
    (tmp_path / "tool.py").write_text("import click\nprint('has click')\n")
    product = build("tool.py", "--with", "click>=8", cwd=tmp_path)
    assert output(product) == "has click\n"
    product = build("-r", "requirements.txt", "--entry", "platform", "-o", "p", cwd=tmp_path)
    assert output(product).startswith("Linux")


def test_building_again_replaces_a_running_product(tmp_path: Path) -> None:
    script = tmp_path / "wait.py"
    script.write_text("print('old', flush=True)\ninput()\nimport wave\nprint('still old')\n")
    product = build(script, cwd=tmp_path)
    running = subprocess.Popen([product], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "old\n"
    script.write_text("print('new')\n")
    assert output(build(script, cwd=tmp_path)) == "new\n"
    out, _ = running.communicate("\n", timeout=30)
    assert out == "still old\n"
    assert running.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "app.py").write_text("print(1)\n")
    (tmp_path / "dist").mkdir()
    kept = tmp_path / "dist" / "app"
    kept.write_text("what was there before")
    command = [sys.executable, "-m", "coachwhip", "build", "app.py"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    # The first line of progress: the build is under way, and far from its end.
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in (ExitCode.INTERRUPTED, 128 + number)
    assert kept.read_text() == "what was there before"
    assert [path.name for path in (tmp_path / "dist").iterdir()] == ["app"]


def test_a_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("def main():\n    print('hi'\n")
    done = coachwhip("build", "shop.py", cwd=tmp_path)
    assert done.returncode == ExitCode.INPUT
    assert "shop.py, line 2: '(' was never closed" in done.stderr
    assert "  | print('hi'\n" in done.stderr


def test_an_app_that_fails_when_it_is_tried_out_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("print('begins')\nnothing.is_here()\n")
    done = coachwhip("build", "broken.py", cwd=tmp_path)
    assert done.returncode == 0
    said = "Tried out (--help), the program ends with NameError: name 'nothing' is not defined"
    assert said in done.stderr.splitlines()


def test_newer_syntax_than_the_building_python_knows(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("type Name = str\nx = f'{'nested'}'\nprint(x)\n")
    assert output(build("new.py", cwd=tmp_path)) == "nested\n"


def test_requirements_that_contradict_keep_the_resolvers_words(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print(1)\n")
    done = coachwhip("build", "a.py", "--with", "click<8", "--with", "click>8", cwd=tmp_path)
    assert done.returncode == ExitCode.RESOLUTION
    assert done.stderr.startswith("error: ")
    assert "  | " in done.stderr
    assert "click" in done.stderr
    assert not (tmp_path / "dist").exists()


def test_a_project_that_does_not_exist(tmp_path: Path) -> None:
    done = coachwhip("build", "no-such-project-as-this-one", cwd=tmp_path)
    assert done.returncode == ExitCode.RESOLUTION
    assert "hint: check the spelling" in done.stderr


def test_offline_takes_what_is_cached_and_misses_the_rest(tmp_path: Path) -> None:
    assert output(build(EXAMPLES / "hello", "--offline", cwd=tmp_path)) == "Hello, world!\n"
    done = coachwhip("build", "sampleproject", "--offline", cwd=tmp_path)
    assert done.returncode == ExitCode.NETWORK
    assert "without the network" in done.stderr


def test_a_damaged_wheel_is_named(tmp_path: Path) -> None:
    (tmp_path / "app-1.0-py3-none-any.whl").write_bytes(b"PK\x03\x04 not a zip file")
    done = coachwhip("build", "app-1.0-py3-none-any.whl", cwd=tmp_path)
    assert done.returncode == ExitCode.INPUT
    assert "app-1.0-py3-none-any.whl" in done.stderr


def test_an_output_that_cant_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = coachwhip("build", EXAMPLES / "hello", "-o", "file/hello", cwd=tmp_path)
    assert done.returncode == ExitCode.ENVIRONMENT
    assert "can't write the product" in done.stderr


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this machine does not let root mount")
    try:
        done = coachwhip("build", EXAMPLES / "hello", "-o", small / "hello", cwd=tmp_path)
        assert done.returncode == ExitCode.ENVIRONMENT
        assert "No space left on device" in done.stderr
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_prune_and_no_sources_make_it_smaller_and_it_still_runs(tmp_path: Path) -> None:
    whole = build(EXAMPLES / "hello", "-o", "whole", cwd=tmp_path)
    small = build(EXAMPLES / "hello", "--prune", "--no-sources", "-o", "small", cwd=tmp_path)
    assert output(small, "--json") == output(whole, "--json")
    assert small.stat().st_size < 0.95 * whole.stat().st_size


def test_inspect_agrees_with_the_file(tmp_path: Path) -> None:
    product = build(EXAMPLES / "myapp", cwd=tmp_path)
    done = coachwhip("inspect", product, cwd=tmp_path)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert "intact, every checksum matches" in text
    assert "glibc 2.28 or newer, because of pycurl.libs/" in text
    assert "myapp/myextension.cpython-313-x86_64-li" in text
