from __future__ import annotations

import re
from dataclasses import replace

import pytest

from coachwhip.errors import ConfigError
from coachwhip.runtime.installed import recipe_book
from coachwhip.runtime.recipe import Patch, parse_recipes, recipe_hash

SOURCE = """
[source.a]
title = "A"
version = "1.0"
licenses = ["LICENSE"]
seconds = 1
origins = [{ url = "https://example.org/a.tar.gz", sha256 = "%s" }]
build.archive = "liba.a"
build.compile = ["a.c"]
""" % ("0" * 64)


def test_the_recipes_of_this_version_are_sound() -> None:
    for recipe in recipe_book().recipes:
        assert recipe.source.version.startswith(recipe.python + ".")
        built: set[str] = set()
        for source in recipe.dependencies:
            if source.build is not None:
                built |= {re.sub(r"^lib|\.a$", "", name) for name in source.build.archives}
            # Both origins, so that a build works where only one of them can be reached.
            assert [bool(origin.url) for origin in source.origins] == [True, False]
        built |= {re.sub(r"^lib|\.a$", "", name) for name in recipe.own_archives}
        assert {name for names in recipe.libraries.values() for name in names} <= built


def test_a_version_is_found_by_minor_and_by_full_number() -> None:
    book = recipe_book()
    newest = book.recipes[-1]

    assert book.get(None) is newest
    assert book.get(newest.python) is newest
    assert book.get(newest.source.version) is newest


def test_an_unknown_version_names_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        recipe_book().get("2.7")

    assert "2.7" in caught.value.message
    assert "3.13" in caught.value.hint


def test_the_hash_covers_what_decides_the_result_and_nothing_else() -> None:
    recipe = recipe_book().get(None)
    base = recipe_hash(recipe, "pgo", {"ziglang": "1"})
    slower = tuple(replace(source, seconds=source.seconds + 1) for source in recipe.dependencies)

    assert re.fullmatch(r"[0-9a-f]{16}", base)
    assert recipe_hash(replace(recipe, dependencies=slower), "pgo", {"ziglang": "1"}) == base
    assert recipe_hash(recipe, "quick", {"ziglang": "1"}) != base
    assert recipe_hash(recipe, "pgo", {"ziglang": "2"}) != base
    assert recipe_hash(replace(recipe, flags=("-O2",)), "pgo", {"ziglang": "1"}) != base
    assert recipe_hash(replace(recipe, dependencies=slower[1:]), "pgo", {"ziglang": "1"}) != base
    assert recipe_hash(replace(recipe, starts=()), "pgo", {"ziglang": "1"}) != base


def test_the_hardened_variant_is_another_recipe_that_changes_nothing_in_the_usual_one() -> None:
    recipe = recipe_book().get(None)
    variant = recipe.hardened()
    only_told = tuple(
        source
        if source.build is None
        else replace(source, build=replace(source.build, pie_without=(), pie_flags=()))
        for source in recipe.dependencies
    )

    assert recipe_hash(variant, "pgo", {}) != recipe_hash(recipe, "pgo", {})
    assert recipe_hash(replace(recipe, dependencies=only_told), "pgo", {}) == recipe_hash(recipe, "pgo", {})
    builds = {source.name: source.build for source in variant.dependencies}
    assert builds["libffi"] is not None
    assert "--disable-exec-static-tramp" not in builds["libffi"].configure
    assert "--disable-shared" in builds["libffi"].configure
    assert "-Wno-implicit-function-declaration" in builds["libffi"].flags


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("title =", "titel ="), "titel"),
        (('build.archive = "liba.a"', 'build.archive = "liba.a"\nbuild.pie_without = ["-x"]'), "leaves out"),
        (('sha256 = "00', 'sha256 = "0'), "hash"),
        (('licenses = ["LICENSE"]', "licenses = []"), "no licence"),
        (('build.compile = ["a.c"]', ""), "exactly one of"),
        (("seconds = 1", 'needs = ["b"]\nseconds = 1'), "unknown"),
        (("url =", 'debian = "a", url ='), "exactly one place"),
        (("url =", 'pool = "a/a_1_amd64.deb", url ='), "exactly one place"),
        (("seconds = 1", 'other_licenses = ["a/COPYING"]\nseconds = 1'), "unknown licence a/COPYING"),
    ],
)
def test_a_wrong_recipe_is_refused(change: tuple[str, str], message: str) -> None:
    assert parse_recipes(SOURCE + "[runtime]\n").recipes == ()

    with pytest.raises(ValueError, match=message):
        parse_recipes(SOURCE.replace(*change) + "[runtime]\n")


def test_a_patch_applies_to_the_text_it_was_made_for_only() -> None:
    patch = Patch("a.c", "old", "new")

    assert patch.apply("an old text") == "an new text"
    for text in ("another text", "old, old"):
        with pytest.raises(ValueError, match=r"a\.c"):
            patch.apply(text)


RUNTIME = """
[source.python]
title = "P"
version = "3.13.0"
licenses = ["LICENSE"]
seconds = 1
origins = [{ url = "https://example.org/p.tar.gz", sha256 = "%s" }]

[runtime.3_13]
python = "3.13"
source = "python"
dependencies = ["a"]
configure = []
flags = []
own_archives = {}
system = []
tests = []
libraries = {}
starts = []
carried = {}
""" % ("0" * 64)


def test_what_is_carried_is_what_comes_of_the_sources() -> None:
    (plain,) = parse_recipes(SOURCE + RUNTIME).recipes
    assert not plain.carried

    shared = SOURCE + 'build.shared = "liba.so.1"\n'
    (recipe,) = parse_recipes(
        shared + RUNTIME.replace("carried = {}", 'carried = {"liba.so.1" = "2.17"}')
    ).recipes
    assert recipe.dependencies[0].shared == ("liba.so.1",)
    with pytest.raises(ValueError, match="carries other libraries"):
        parse_recipes(shared + RUNTIME)


def test_a_dependency_is_built_or_ready_made() -> None:
    ready = SOURCE.replace('build.archive = "liba.a"\nbuild.compile = ["a.c"]\n', "ready = {}\n")
    assert parse_recipes(ready + RUNTIME).recipes[0].dependencies[0].shared == ()
    for text in (SOURCE + "ready = {}\n", ready.replace("ready = {}\n", "")):
        with pytest.raises(ValueError, match="does not say how it is built"):
            parse_recipes(text + RUNTIME)
