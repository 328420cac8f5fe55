from __future__ import annotations

import contextlib
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coachwhip.config import Config
from coachwhip.errors import CoachwhipError, ConfigError, ExitCode, InputError
from coachwhip.inputs import (
    AppSource,
    Given,
    Kind,
    check_syntax,
    choose_entry,
    load_app,
    own_sources,
    syntax_error,
    wheel_scripts,
)
from coachwhip.inputs.detect import Found, classify, looks_like_path
from coachwhip.inputs.entries import pick_script, script_entry
from coachwhip.inputs.inline import parse_inline
from coachwhip.inputs.project import check_python, parse_project
from coachwhip.inputs.scripts import offered_scripts, parse_scripts
from coachwhip.inputs.syntax import own_modules
from coachwhip.model import EntryPoint


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, text: str = "") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def load(app: str | None = None, *files: str, **options: Any) -> AppSource:
    settings = {name.rstrip("_").replace("_", "-"): value for name, value in options.items()}
    return load_app(Given(app, settings, tuple(Path(file) for file in files)))


def refused(app: str | None = None, *files: str, **options: Any) -> CoachwhipError:
    with pytest.raises(CoachwhipError) as caught:
        load(app, *files, **options)
    return caught.value


def project(text: str = "", folder: str = "shop") -> None:
    write(f"{folder}/pyproject.toml", f'[project]\nname = "Shop.App"\nversion = "1.2"\n{text}')


def wheel(scripts: str = "", name: str = "shop-1.0-py3-none-any.whl") -> Path:
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr("shop-1.0.dist-info/METADATA", "Name: shop\n")
        archive.writestr("shop/data.dist-info/entry_points.txt", "[console_scripts]\nwrong = a:b\n")
        if scripts:
            archive.writestr("shop-1.0.dist-info/entry_points.txt", f"[console_scripts]\n{scripts}")
    return Path(name)


class TestProjects:
    def test_the_only_script(self) -> None:
        project('[project.scripts]\nrun = "shop.cli:main"\n')
        app = load("shop")
        assert app == AppSource(
            Kind.PROJECT,
            "shop",
            Config(),
            "shop-app",
            "1.2",
            Path("shop").resolve(),
            entry=EntryPoint("run", "shop.cli", "main"),
        )

    def test_the_current_folder(self) -> None:
        project('scripts.run = "shop:main"\n', ".")
        assert load().entry == EntryPoint("run", "shop", "main")
        assert load(".").path == Path.cwd()

    def test_the_script_named_like_the_project(self) -> None:
        project('[project.scripts]\na = "a:b"\nshop_app = "shop:main"\n')
        assert load("shop").entry == EntryPoint("shop_app", "shop", "main")

    def test_several_scripts_and_none_chosen(self) -> None:
        project('[project.scripts]\nb = "b:b"\na = "a:a"\n')
        error = refused("shop")
        assert error.message == "shop/pyproject.toml has several console scripts: a, b"
        assert "--script a" in error.hint
        assert load("shop", script="b").entry == EntryPoint("b", "b", "b")
        assert "did you mean" not in refused("shop", script="zzz").hint

    def test_a_slip_in_the_name_of_a_script(self) -> None:
        project('[project.scripts]\nserver = "b:b"\nclient = "a:a"\n')
        error = refused("shop", script="sever")
        assert error.exit_code == ExitCode.INPUT
        assert "did you mean server?" in error.hint

    @pytest.mark.parametrize("name", ["../evil", "/etc/evil", ".hidden", "-rf", "two\nlines"])
    def test_a_script_whose_name_is_none_for_a_file(self, name: str) -> None:
        with pytest.raises(InputError, match="can't be the name of a file") as caught:
            pick_script({name: "shop:main"}, Config(), "shop", "shop")
        assert "--entry" in caught.value.hint
        with pytest.raises(InputError):
            script_entry(name, b"print()", Config(), "shop")
        assert script_entry(name, "shop:main", Config(name="shop"), "shop").name == "shop"

    def test_an_entry_replaces_scripts(self) -> None:
        project('[project.scripts]\nb = "b:b"\na = "a:a"\n')
        assert load("shop", entry="shop.cli:App.run").entry == EntryPoint("shop", "shop.cli", "App.run")
        assert load("shop", entry="shop.tool").entry == EntryPoint("shop", "shop.tool", "")

    def test_the_name_of_the_product(self) -> None:
        project('[project.scripts]\na = "a:a"\n[tool.coachwhip]\nname = "nice"\n')
        assert load("shop").entry == EntryPoint("nice", "a", "a")

    def test_no_entry_point(self) -> None:
        project()
        error = refused("shop")
        assert "no console script" in error.message
        assert "--entry" in error.hint

    @pytest.mark.parametrize(
        "text",
        ['dynamic = ["scripts"]', 'dynamic = ["entry-points"]', '[tool.poetry.scripts]\na = "a:b"'],
    )
    def test_scripts_that_only_the_built_wheel_knows(self, text: str) -> None:
        project(text)
        assert load("shop").entry is None

    def test_a_project_without_a_project_table(self) -> None:
        write("old/setup.py", "")
        app = load("old")
        assert (app.kind, app.distribution, app.entry) == (Kind.PROJECT, "", None)

    def test_extras_and_more_requirements(self) -> None:
        project('scripts.run = "shop:main"\n[tool.coachwhip]\nextras = ["a"]\nwith = ["rich"]\n')
        app = load("shop", extras=("b",), with_=("uvloop>=1",))
        assert app.config.extras == ("a", "b")
        assert app.requirements == ("rich", "uvloop>=1")

    def test_a_wrong_requirement_to_add(self) -> None:
        project('scripts.run = "shop:main"\n')
        error = refused("shop", with_=("rich >> 1",))
        assert "'rich >> 1' is no requirement" in error.message

    def test_places_of_wheels_are_relative_to_the_file_that_names_them(self) -> None:
        project('scripts.run = "a:b"\n[tool.coachwhip]\nfind-links = ["wheels", "https://example.com/w"]\n')
        links = load("shop", find_links=("here",)).config.find_links
        assert links == (str(Path("shop/wheels").resolve()), "https://example.com/w", "here")

    def test_another_python(self) -> None:
        project('requires-python = ">=3.14"\nscripts.run = "a:b"\n')
        error = refused("shop")
        assert "needs Python >=3.14" in error.message
        assert "would carry Python 3.13" in error.message
        assert load("shop", python="3.14").config.python == (3, 14)

    def test_mistakes_in_the_file(self) -> None:
        write("a/pyproject.toml", "[project\n")
        assert "a/pyproject.toml is no valid TOML" in refused("a").message
        assert "line 1" in refused("a").message
        write("b/pyproject.toml", "project = 1\n")
        assert "project is not a table" in refused("b").message
        write("c/pyproject.toml", '[project]\nname = "c"\nscripts = {x = 1}\n')
        assert "the script x" in refused("c").message
        write("d/pyproject.toml", '[project]\nname = "d"\nscripts = {x = "not-a-module"}\n')
        assert "'not-a-module'" in refused("d").message
        write("e/pyproject.toml", '[project]\nname = "e"\nrequires-python = "new"\nscripts = {x = "a:b"}\n')
        assert "no version specifier" in refused("e").message
        write("f/pyproject.toml", '[project]\nname = "f"\n[tool.coachwhip]\nexcludes = []\n')
        error = refused("f")
        assert isinstance(error, ConfigError)
        assert "f/pyproject.toml" in error.message
        assert "'exclude'" in error.hint

    def test_a_folder_that_is_no_project(self) -> None:
        write("httpie/notes.txt")
        assert 'write "httpie>=0"' in refused("httpie").hint
        write("tools/a.py")
        assert "tools/a.py" in refused("./tools/").hint
        Path("deep/er").mkdir(parents=True)
        assert refused("deep/er").message == "the folder deep/er has no pyproject.toml"


class TestScripts:
    def test_a_plain_script(self) -> None:
        write("tool.py", "print(1)\n")
        app = load("tool.py")
        assert app == AppSource(
            Kind.SCRIPT,
            "tool.py",
            Config(),
            path=Path("tool.py").resolve(),
            entry=EntryPoint("tool", source=b"print(1)\n"),
        )

    def test_inline_metadata(self) -> None:
        write(
            "tool.py",
            '# /// script\n# requires-python = ">=3.12"\n# dependencies = ["rich", "click>8"]\n#\n'
            '# [tool.coachwhip]\n# name = "t"\n# with = ["attrs"]\n# ///\n',
        )
        app = load("tool.py")
        assert app.requirements == ("rich", "click>8", "attrs")
        assert app.config.name == "t"
        assert app.entry is not None
        assert app.entry.name == "t"

    def test_a_script_without_ending_is_known_by_its_first_line(self) -> None:
        write("tool", "#!/usr/bin/env python3\n")
        assert load("tool").kind is Kind.SCRIPT

    def test_what_a_script_cannot_have(self) -> None:
        write("tool.py", '# /// script\n# requires-python = "<3.10"\n# ///\n')
        assert "tool.py needs Python <3.10" in refused("tool.py").message
        write("tool.py", '# /// script\n# dependencies = ["a b"]\n# ///\n')
        assert refused("tool.py").message.startswith("tool.py: 'a b' is no requirement")
        write("tool.py", '# /// script\n# [tool.coachwhip]\n# nme = "x"\n# ///\n')
        assert "'name'" in refused("tool.py").hint
        write("tool.py", "")
        assert isinstance(refused("tool.py", entry="a:b"), ConfigError)


class TestWheels:
    def test_a_wheel_and_its_script(self) -> None:
        path = wheel("run = shop.cli:main [fast]\n")
        app = load(str(path))
        assert app.entry == EntryPoint("run", "shop.cli", "main")
        assert (app.kind, app.distribution, app.version) == (Kind.WHEEL, "shop", "1.0")
        assert app.requirements == (f"shop @ {path.resolve().as_uri()}",)

    def test_extras(self) -> None:
        app = load(str(wheel("run = shop:main\n")), extras=("x", "y"))
        assert app.requirements[0].startswith("shop[x,y] @ file:///")

    def test_a_script_of_another_distribution_is_found_later(self) -> None:
        app = load(str(wheel("run = shop:main\n")), script="other")
        assert app.entry is None
        entry = choose_entry(app, {"shop": {"run": "shop:main"}, "dep": {"other": "dep:go"}})
        assert entry == EntryPoint("other", "dep", "go")

    def test_wheels_that_are_none(self) -> None:
        assert "no name that a wheel can have" in refused(str(write("x.whl"))).message
        write("shop-1.0-py3-none-any.whl", "no zip")
        assert "damaged" in refused("shop-1.0-py3-none-any.whl").message
        assert "no console script" in refused(str(wheel())).message
        assert "can't be understood" in refused(str(wheel("no separator\n"))).message


class TestRequirements:
    @pytest.mark.parametrize(
        ("text", "name", "requirement"),
        [
            ("httpie", "httpie", "httpie"),
            ("HTTPie[x]>=3,<4", "httpie", "HTTPie[x]<4,>=3"),
            ("ruamel.yaml", "ruamel-yaml", "ruamel.yaml"),
            (
                "a @ https://example.com/a-1-py3-none-any.whl",
                "a",
                "a@ https://example.com/a-1-py3-none-any.whl",
            ),
        ],
    )
    def test_a_requirement(self, text: str, name: str, requirement: str) -> None:
        app = load(text)
        assert (app.kind, app.distribution) == (Kind.REQUIREMENT, name)
        assert app.requirements[0].replace(" @", "@") == requirement
        assert app.entry is None

    def test_extras_are_added(self) -> None:
        assert load("httpie[a]", extras=("b",)).requirements == ("httpie[a,b]",)

    def test_what_is_neither_path_nor_requirement(self) -> None:
        assert "is no requirement" in refused("what is this").message
        assert "write NAME @ https://x/y" in refused("https://x/y").hint

    def test_requirements_files(self) -> None:
        write("r.txt", "rich\n")
        app = load(None, "r.txt", entry="shop.main:run")
        assert app.kind is Kind.REQUIREMENTS
        assert app.requirement_files == (Path("r.txt").resolve(),)
        assert app.entry == EntryPoint("shop", "shop.main", "run")
        later = load(None, "r.txt", script="rich")
        assert choose_entry(later, {"rich": {"rich": "rich.x:y"}}) == EntryPoint("rich", "rich.x", "y")
        with pytest.raises(InputError, match="no console script rich"):
            choose_entry(later, {"pip": {"pip": "pip:main"}})
        assert "what to run" in refused(None, "r.txt").message
        assert isinstance(refused(None, "r.txt", script="x", extras=("y",)), ConfigError)

    def test_requirements_files_beside_an_app(self) -> None:
        write("r.txt", "rich\n")
        app = load("httpie", "r.txt")
        assert app.requirements == ("httpie",)
        assert app.requirement_files == (Path("r.txt").resolve(),)

    def test_a_missing_requirements_file(self) -> None:
        write("requirements.txt")
        assert "did you mean requirements.txt?" in refused("httpie", "requirement.txt").hint


class TestDetection:
    @pytest.mark.parametrize("text", ["./x", "x/y", "../x", "~/x", "x.py", "x.whl", "pyproject.toml", "."])
    def test_paths_by_their_looks(self, text: str) -> None:
        assert looks_like_path(text)

    @pytest.mark.parametrize(
        "text", ["httpie", "a.b", "a[b]>=1.0", "a @ file:///x/y.whl", "a[b]@https://x/y.py"]
    )
    def test_requirements_by_their_looks(self, text: str) -> None:
        assert not looks_like_path(text)

    def test_a_missing_path_names_near_ones(self) -> None:
        write("examples/hello/pyproject.toml")
        error = refused("examples/helo")
        assert error.message == "there is no examples/helo"
        assert error.hint == "did you mean examples/hello?"
        assert "spelling" in refused("nowhere/at/all").hint
        write("tool.py")
        assert "tool.py" in refused("tol.py").hint

    def test_extras_behind_a_path(self) -> None:
        project()
        assert refused("./shop[cli, color]").hint.endswith("write ./shop --extra cli --extra color")

    def test_a_path_that_exists_wins(self) -> None:
        project('scripts.run = "a:b"\n', "httpie")
        assert load("httpie").kind is Kind.PROJECT

    @pytest.mark.parametrize(
        ("name", "hint"),
        [("r.txt", "-r r.txt"), ("a.tar.gz", "unpack"), ("pyproject.toml", "folder"), ("a.bin", "httpie>=3")],
    )
    def test_files_that_are_no_apps(self, name: str, hint: str) -> None:
        write(name)
        assert hint in refused(name).hint

    @given(st.text(min_size=1), st.sampled_from([None, Found(directory=True), Found(directory=False)]))
    def test_any_argument_is_understood_or_refused(self, text: str, found: Found | None) -> None:
        with contextlib.suppress(InputError):
            assert classify(text, found) in Kind


class TestInline:
    def test_none(self) -> None:
        assert (
            parse_inline(b"# /// other\n# a = 1\n# ///\nx = '''\n# // script\n'''\n", "x.py").dependencies
            == ()
        )

    def test_windows_lines_and_other_blocks(self) -> None:
        source = b"# /// other\r\n# ///\r\n\r\n# /// script\r\n# dependencies = ['a']\r\n# ///\r\n"
        assert parse_inline(source, "x.py").dependencies == ("a",)

    def test_a_comment_that_looks_like_an_end_belongs_to_the_block_when_another_follows(self) -> None:
        source = b"# /// script\n# dependencies = [\n# 'a',\n# ]\n# # not the end:\n#\n# ///\n# more\n"
        assert parse_inline(source, "x.py").dependencies == ("a",)

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (b"# /// script\n# a = 1\n", "does not end"),
            (b"# /// script\n# ///\n\n# /// script\n# ///\n", "2 blocks"),
            (b"x = 1\n# /// script\n# dependencies = [\n# ///\n", "line 2 is no TOML"),
            (b"# /// script\n# dependencies = 'a'\n# ///\n", "not a list of texts"),
            (b"# /// script\n# requires-python = 3\n# ///\n", "requires-python"),
            (b"# /// script\n# tool = 3\n# ///\n", "tool"),
            (b"# coding: klingon\n", "not a Python script"),
            (b"\xff\xfe", "not a Python script"),
        ],
    )
    def test_mistakes(self, source: bytes, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            parse_inline(source, "x.py")
        assert "x.py" in caught.value.message

    @given(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)))
    def test_dependencies_come_out_as_they_went_in(self, names: list[str]) -> None:
        listed = "".join(f"#   {name!r},\n" for name in names)
        source = f"import x\n# /// script\n# dependencies = [\n{listed}# ]\n# ///\n".encode()
        assert list(parse_inline(source, "x.py").dependencies) == names

    @given(st.binary())
    def test_any_bytes_are_understood_or_refused(self, source: bytes) -> None:
        for text in (source, b"# /// script\n# " + source + b"\n# ///\n"):
            with contextlib.suppress(InputError):
                parse_inline(text, "x.py")


class TestEntries:
    def test_entry_points_files(self) -> None:
        text = (
            "[console_scripts]\nHttp = a:b\nx = c:d [extra]\n[gui_scripts]\nwin = e:f\nx = g:h\n[no]\ny = z\n"
        )
        assert parse_scripts(text) == {"Http": "a:b", "x": "c:d [extra]", "win": "e:f"}
        assert parse_scripts("") == {}

    @given(st.text())
    def test_any_text_is_understood_or_refused(self, text: str) -> None:
        with contextlib.suppress(ValueError):
            parse_scripts(text)

    def test_the_choice_after_fetching(self) -> None:
        app = AppSource(Kind.REQUIREMENT, "httpie", Config(), "httpie")
        scripts = {"httpie": {"http": "a:b", "https": "a:c", "httpie": "a:d"}, "pip": {"pip": "pip:main"}}
        assert choose_entry(app, scripts) == EntryPoint("httpie", "a", "d")
        del scripts["httpie"]["httpie"]
        with pytest.raises(InputError, match="several console scripts: http, https"):
            choose_entry(app, scripts)
        with pytest.raises(InputError, match="no console script"):
            choose_entry(app, {"pip": {"pip": "pip:main"}})

    def test_a_project_whose_name_only_its_wheel_knows(self) -> None:
        app = AppSource(Kind.PROJECT, "old", Config())
        scripts = {"old-app": {"x": "a:b", "old-app": "a:c"}, "dep": {"dep": "d:e"}}
        assert choose_entry(app, scripts) == EntryPoint("old-app", "a", "c")

    def test_what_is_known_before_stays(self) -> None:
        entry = EntryPoint("x", "y", "z")
        app = AppSource(Kind.PROJECT, ".", Config(), "a", entry=entry)
        assert choose_entry(app, {"a": {"other": "b:c"}}) == entry

    def test_a_gui_script_counts(self) -> None:
        facts = parse_project(b'[project]\nname = "a"\ngui-scripts = {w = "x:y"}\n', "p")
        assert pick_script(facts.scripts or {}, Config(), "a", "p") == EntryPoint("w", "x", "y")

    def test_wheel_scripts(self) -> None:
        assert wheel_scripts(wheel("a = b:c\n")) == {"a": "b:c"}
        assert wheel_scripts(wheel()) == {}

    def test_a_python_script_that_a_wheel_brings_as_a_file(self) -> None:
        files = {
            "aws-1.data/scripts/aws": b"#!python\nimport aws\n",
            "aws-1.data/scripts/aws.cmd": b"@echo off\n",
            "aws-1.data/scripts/deep/x": b"#!python\n",
        }
        assert offered_scripts(files, "aws") == {"aws": files["aws-1.data/scripts/aws"]}
        app = AppSource(Kind.REQUIREMENT, "aws", Config(), "aws")
        entry = choose_entry(app, {"aws": offered_scripts(files, "aws")})
        assert entry == EntryPoint("aws", source=files["aws-1.data/scripts/aws"])
        files["aws-1.dist-info/entry_points.txt"] = b"[console_scripts]\naws = a:b\n"
        assert offered_scripts(files, "aws") == {"aws": "a:b"}

    def test_a_package_that_can_only_be_run_as_a_module(self) -> None:
        files = {"ruff/__main__.py": b"", "ruff-1.data/scripts/ruff": b"\x7fELF", "other/__main__.py": b""}
        assert offered_scripts(files, "ruff") == {"ruff": "ruff"}
        app = AppSource(Kind.REQUIREMENT, "ruff", Config(), "ruff")
        assert choose_entry(app, {"ruff": {"ruff": "ruff"}}) == EntryPoint("ruff", "ruff")
        assert offered_scripts(files, "shop") == {}


class TestPythonVersions:
    @pytest.mark.parametrize("requires", ["", ">=3.9", ">=3.13.2", "~=3.13", "==3.13.*", "<3.14", "!=3.13.0"])
    def test_fitting(self, requires: str) -> None:
        check_python(requires, (3, 13), "x")

    @pytest.mark.parametrize("requires", [">=3.14", "<3.13", "==3.12.*", ">=4"])
    def test_not_fitting(self, requires: str) -> None:
        with pytest.raises(InputError, match=r"would carry Python 3\.13"):
            check_python(requires, (3, 13), "x")


class TestSyntax:
    HERE = sys.version_info[:2]

    def test_file_line_and_text_are_shown(self) -> None:
        with pytest.raises(InputError) as caught:
            check_syntax({"src/a.py": b"x = 1\n", "src/b.py": b"import os\n\n    def f(:\n"}, self.HERE)
        assert caught.value.message.startswith("src/b.py, line 3: ")
        assert caught.value.detail == "def f(:"
        assert caught.value.exit_code == ExitCode.INPUT

    def test_text_that_is_no_python_at_all(self) -> None:
        with pytest.raises(InputError, match=r"a\.py: "):
            check_syntax({"a.py": b"x = '\0'\n"}, self.HERE)

    def test_a_newer_python_decides_itself(self) -> None:
        newer = (self.HERE[0], self.HERE[1] + 1)
        assert check_syntax({"a.py": b"x = 1", "b.py": b"new syntax"}, newer) == ["b.py"]
        assert syntax_error("b.py", 0, "", "no").message == "b.py: no"

    def test_warnings_stay_quiet(self) -> None:
        assert check_syntax({"a.py": b"x = '\\d'\nassert (1, 2)\n"}, self.HERE) == []

    def test_the_package_of_the_entry_point(self) -> None:
        paths = [
            "setup.py",
            "src/app/__init__.py",
            "src/app/cli.py",
            "src/app/sub/x.py",
            "src/app/tests/bad.py",
            "src/app/templates/{{name}}.py",
            "src/app/my-data/x.py",
            "src/app/data.txt",
            "other/x.py",
            "tool.py",
        ]
        assert own_modules(paths, "app.cli") == ["src/app/__init__.py", "src/app/cli.py", "src/app/sub/x.py"]
        assert own_modules(paths, "other") == ["other/x.py"]
        assert own_modules(paths, "tool") == ["tool.py"]
        assert own_modules(paths, "absent") == []

    def test_own_sources(self) -> None:
        project('scripts.run = "app.cli:main"\n')
        write("shop/src/app/cli.py", "x\n")
        write("shop/.venv/src/app/y.py", "y\n")
        write("tool.py", "t\n")
        assert own_sources(load("shop")) == {"shop/src/app/cli.py": b"x\n"}
        assert own_sources(load("tool.py")) == {"tool.py": b"t\n"}
        assert own_sources(load("httpie")) == {}
