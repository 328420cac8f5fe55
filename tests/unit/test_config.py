from __future__ import annotations

import contextlib
import importlib.util
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.config import Config, merged, parse_config
from coachwhip.config.keys import KEYS, split_entry
from coachwhip.errors import ConfigError, ExitCode
from coachwhip.model import SnapshotWish, Target

DOCS = Path(__file__).parents[2] / "docs" / "reference"


def test_every_key_has_its_attribute_and_the_other_way_round() -> None:
    assert {key.attribute for key in KEYS} == {item.name for item in fields(Config)}


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_example_of_every_key_is_valid_and_not_its_default_value_by_accident(key: Any) -> None:
    table = tomllib.loads(f"{key.name} = {key.example}")
    value = getattr(parse_config(table, "x.toml"), key.attribute)
    default = getattr(Config(), key.attribute)
    assert default is None or type(value) is type(default)
    assert key.doc.endswith((".", ")"))


def test_an_empty_table_is_the_default() -> None:
    assert parse_config({}, "pyproject.toml") == Config()


def test_values_arrive() -> None:
    config = parse_config(
        tomllib.loads("""
            entry = "a.b:c.d"
            python = "3.14"
            glibc = "2.28"
            with = ["rich", "x>1"]
            sources = false
            optimize = 2
        """),
        "pyproject.toml",
    )
    assert config == Config(
        entry="a.b:c.d", python=(3, 14), glibc=(2, 28), with_=("rich", "x>1"), sources=False, optimize=2
    )
    assert str(config.target) == "cp314-cp314-manylinux_2_28_x86_64"
    assert config.settings.optimize == 2


@pytest.mark.parametrize(
    ("given_key", "near"),
    [("exclud", "exclude"), ("Sources", "sources"), ("xoption", "xoptions"), ("optimise", "optimize")],
)
def test_an_unknown_key_names_file_key_and_the_nearest_known_one(given_key: str, near: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({given_key: 1}, "some/pyproject.toml")
    assert "some/pyproject.toml" in caught.value.message
    assert repr(given_key) in caught.value.message
    assert repr(near) in caught.value.hint
    assert caught.value.exit_code == ExitCode.CONFIG


def test_a_key_like_no_other_lists_them_all() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"zzzzqqqq": 1}, "pyproject.toml")
    assert all(key.name in caught.value.hint for key in KEYS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("script", 3),
        ("script", " "),
        ("entry", "a:b:c"),
        ("entry", "a-b"),
        ("name", "a/b"),
        ("name", ".hidden"),
        ("name", "-v"),
        ("python", 3.13),
        ("python", "2.7"),
        ("python", "3.13.1"),
        ("glibc", "2.12"),
        ("extras", "one"),
        ("exclude", ["a", 1]),
        ("sources", "yes"),
        ("prune", 1),
        ("optimize", 3),
        ("optimize", True),
        ("optimize", "1"),
    ],
)
def test_a_wrong_value_is_refused_with_file_key_and_example(key: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({key: value}, "pyproject.toml")
    assert "pyproject.toml" in caught.value.message
    assert key in caught.value.message
    assert f"{key} = " in caught.value.hint


def test_something_that_is_no_table() -> None:
    with pytest.raises(ConfigError, match="not a table"):
        parse_config([1], "pyproject.toml")


def test_script_and_entry_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="both script and entry"):
        parse_config({"script": "a", "entry": "b"}, "pyproject.toml")


def test_options_replace_values_and_add_to_lists() -> None:
    config = Config(script="a", exclude=("x",), optimize=1)
    changed = merged(
        config, {"script": "b", "exclude": ["y"], "optimize": 0, "name": None, "with": (), "sources": False}
    )
    assert changed == Config(script="b", exclude=("x", "y"), optimize=0, sources=False)


def test_an_entry_on_the_command_line_replaces_a_configured_script() -> None:
    assert merged(Config(script="a"), {"entry": "m:f"}) == Config(entry="m:f")
    assert merged(Config(entry="m:f"), {"script": "a"}) == Config(script="a")


def test_both_on_the_command_line_are_refused() -> None:
    with pytest.raises(ConfigError, match="the command line"):
        merged(Config(), {"entry": "m:f", "script": "a"})


def test_a_wrong_option_is_refused() -> None:
    with pytest.raises(ConfigError, match="command line"):
        merged(Config(), {"glibc": "old"})


@given(
    st.dictionaries(
        st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text()))
    )
)
def test_any_table_is_accepted_or_refused_with_a_config_error(table: dict[str, Any]) -> None:
    with contextlib.suppress(ConfigError):
        parse_config(table, "x")


@given(st.text())
def test_split_entry_gives_importable_names_or_refuses(text: str) -> None:
    try:
        module, attribute = split_entry(text)
    except ValueError:
        return
    assert all(part.isidentifier() for part in module.split("."))
    assert all(part.isidentifier() for part in attribute.split(".") if attribute)


def test_the_reference_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("reference_page", DOCS / "configuration.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "configuration.md").read_text() == module.page(), "run docs/reference/configuration.py"


def test_only_a_glibc_that_was_asked_for_is_firm() -> None:
    assert Config().target == Target((3, 13), (2, 17), firm=False)
    for text in ("2.17", "2.28"):
        asked = parse_config({"glibc": text}, "x.toml").target
        assert asked.firm
        assert f"{asked.glibc[0]}.{asked.glibc[1]}" == text
    assert merged(Config(), {"glibc": "2.17"}).target == Target((3, 13))


def test_snapshot_is_a_word_or_a_table() -> None:
    def parsed(text: str) -> SnapshotWish:
        return parse_config(tomllib.loads(text), "x.toml").snapshot

    assert parsed('snapshot = "auto"') == SnapshotWish() == parsed("[snapshot]") == Config().snapshot
    assert not parsed('snapshot = "off"').wanted
    assert parsed("""
        [snapshot]
        train = ["--help", "run 'two words' -x", ""]
        allow = ["a"]
        deny = ["b", "c.d"]
        gate = ["DEBUG"]
        rebake = false
    """) == SnapshotWish(
        train=(("--help",), ("run", "two words", "-x"), ()),
        allow=("a",),
        deny=("b", "c.d"),
        gate=("DEBUG",),
        rebake=False,
    )


def test_users_may_have_snapshots_of_their_own_unless_told_otherwise() -> None:
    assert Config().settings.rebake
    assert not parse_config({"snapshot": {"rebake": False}}, "x.toml").settings.rebake


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('snapshot = "on"', "snapshot"),
        ("snapshot = true", "snapshot"),
        ("snapshot = 1", "snapshot"),
        ('snapshot = ["auto"]', "snapshot"),
        ('snapshot = {trian = ["--help"]}', "trian"),
        ('snapshot = {train = "--help"}', "snapshot"),
        ("snapshot = {train = [1]}", "snapshot"),
        ('snapshot = {train = ["\'no end"]}', "snapshot"),
        ("snapshot = {wanted = false}", "wanted"),
        ('snapshot = {rebake = "no"}', "snapshot"),
    ],
)
def test_mistakes_about_the_snapshot(text: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        parse_config(tomllib.loads(text), "pyproject.toml")
    assert "pyproject.toml" in str(caught.value)
