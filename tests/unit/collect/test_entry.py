from __future__ import annotations

from coachwhip.collect.entry import entry_path, entry_script
from coachwhip.model import EntryPoint


def test_a_function_runs_as_an_installer_would_run_it() -> None:
    entry = EntryPoint("run", "shop.cli", "Main.go")
    text = entry_script(entry, "3.13.5").decode()
    assert entry_path(entry) == "bin/run"
    assert text.startswith("#!/__app__/bin/python3.13\n")
    assert "from shop.cli import Main\n" in text
    assert "sys.exit(Main.go())" in text


def test_a_module_does_not_hide_a_program_of_its_name() -> None:
    entry = EntryPoint("ruff", "ruff")
    assert entry_path(entry) == "bin/ruff.py"
    assert "run_module('ruff'" in entry_script(entry, "3.13").decode()


def test_a_script_of_a_wheel_gets_its_interpreter() -> None:
    entry = EntryPoint("aws", source=b"#!python -s\nimport aws\n")
    assert entry_path(entry) == "bin/aws"
    assert entry_script(entry, "3.13") == b"#!/__app__/bin/python3.13\nimport aws\n"
    own = EntryPoint("tool", source=b"#!/usr/bin/env python3\n")
    assert entry_script(own, "3.13") == own.source
