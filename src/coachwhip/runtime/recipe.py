"""The recipes of runtimes: what they are made of and how, from `recipes.toml`, checked when loaded. Pure."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from coachwhip.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Build",
    "LicenseText",
    "Origin",
    "Patch",
    "Recipe",
    "RecipeBook",
    "SourceRecipe",
    "parse_recipes",
    "recipe_hash",
]

_T = TypeVar("_T")
_SHA256_DIGITS = 64
_HASH_DIGITS = 16


@dataclass(frozen=True)
class Origin:
    """A place to get an archive from; one of the last three is set.

    Attributes:
        sha256: of the archive.
        url: address.
        debian: a source package of Debian.
        pool: a binary package of Debian, by its path on mirrors below `pool/main`.
    """

    sha256: str
    url: str = ""
    debian: str = ""
    pool: str = ""


@dataclass(frozen=True)
class Build:
    """How a library is made of its source; `compile` or `configure` is set.

    Attributes:
        archive: the static library; `more_archives` are others made on the way.
        compile: C files that are compiled without any configuration.
        flags: compiler flags besides those of all libraries.
        headers: header files to install for `compile`.
        program: the configuration program and its first arguments; autoconf's `configure` when empty.
        configure: its arguments.
        make: argument lists of the make commands that build.
        install: argument lists of those that install; DESTDIR is added.
        shared: name of a shared library that is made of `compile`, too.
        version_script: file in the source that tells the versions of its symbols.
        pie_without: those of `configure` that the position-independent variant leaves out.
        pie_flags: compiler flags that it has in addition.
    """

    archive: str
    more_archives: tuple[str, ...] = ()
    compile: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    configure: tuple[str, ...] = ()
    make: tuple[tuple[str, ...], ...] = ()
    install: tuple[tuple[str, ...], ...] = ()
    shared: str = ""
    version_script: str = ""
    pie_without: tuple[str, ...] = ()
    pie_flags: tuple[str, ...] = ()

    @property
    def archives(self) -> tuple[str, ...]:
        """All static libraries that it makes."""
        return (self.archive, *self.more_archives)


@dataclass(frozen=True)
class LicenseText:
    """A licence that stands in the first lines of a source file."""

    file: str
    lines: int


@dataclass(frozen=True)
class Patch:
    """A change of a source file: `find`, which must be in it exactly once, becomes `replace`."""

    file: str
    find: str
    replace: str

    def apply(self, text: str) -> str:
        """Return the changed text.

        Raises:
            ValueError: it is not the text that the patch was made for.
        """
        if text.count(self.find) != 1:
            raise ValueError(f"{self.file} is not the file that a patch was made for")
        return text.replace(self.find, self.replace)


@dataclass(frozen=True)
class SourceRecipe:
    """A source archive: where it is, what its licence files are, how a library is made of it.

    Attributes:
        name: key in `recipes.toml`.
        title: name for people.
        version: of the release.
        origins: places to get it from, tried in this order.
        licenses: licence files in the archive.
        seconds: how long its build takes on two cores.
        series: version prefix within which a security fix from Debian may stand in.
        needs: sources that must be built before.
        license_from: where the licence stands when there is no file of its own.
        other_licenses: licence files of other sources that are this one's too, as `SOURCE/FILE`.
        patches: changes made after unpacking.
        build: how its library is made; None for CPython itself and for what is ready-made.
        ready: shared libraries in a binary package: name that they get -> path; None for sources.
    """

    name: str
    title: str
    version: str
    origins: tuple[Origin, ...]
    licenses: tuple[str, ...]
    seconds: float
    series: str = ""
    needs: tuple[str, ...] = ()
    license_from: LicenseText | None = None
    other_licenses: tuple[str, ...] = ()
    patches: tuple[Patch, ...] = ()
    build: Build | None = None
    ready: Mapping[str, str] | None = None

    @property
    def shared(self) -> tuple[str, ...]:
        """Names of the shared libraries that come of it."""
        made = (self.build.shared,) if self.build and self.build.shared else ()
        return (*made, *(self.ready or ()))


@dataclass(frozen=True)
class Recipe:
    """How one version of Python is made.

    Attributes:
        python: minor version, `3.13`.
        source: CPython's own source.
        dependencies: libraries, in the order in which their builds are started.
        configure: arguments of CPython's `configure`.
        flags: optimisation flags.
        own_archives: name in the runtime -> static library that CPython's build makes.
        system: system libraries to link with.
        tests: CPython's test modules that a finished runtime must pass.
        libraries: extension module -> names of the libraries that it brings in.
        carried: shared library for products to carry -> the newest glibc that it may need; what one of them
            needs comes before it.
        starts: modules that are imported together in one start of the training, for each start.
        pie: whether it is the position-independent variant, see `hardened`.
    """

    python: str
    source: SourceRecipe
    dependencies: tuple[SourceRecipe, ...]
    configure: tuple[str, ...]
    flags: tuple[str, ...]
    own_archives: Mapping[str, str]
    system: tuple[str, ...]
    tests: tuple[str, ...]
    libraries: Mapping[str, tuple[str, ...]]
    carried: Mapping[str, str]
    starts: tuple[tuple[str, ...], ...]
    pie: bool = False

    @property
    def abi(self) -> str:
        """`cp313`."""
        return "cp" + self.python.replace(".", "")

    @property
    def sources(self) -> tuple[SourceRecipe, ...]:
        """CPython and its dependencies."""
        return (self.source, *self.dependencies)

    def hardened(self) -> Recipe:
        """Return the variant of which position-independent executables are made."""
        return replace(self, pie=True, dependencies=tuple(_hardened(one) for one in self.dependencies))


@dataclass(frozen=True)
class RecipeBook:
    """All recipes, the newest Python last."""

    recipes: tuple[Recipe, ...]

    def get(self, version: str | None) -> Recipe:
        """Return the recipe for `3.13` or `3.13.5`; that of the newest Python for None.

        Raises:
            ConfigError: there is no such recipe.
        """
        for recipe in reversed(self.recipes):
            if version in (None, recipe.python, recipe.source.version):
                return recipe
        known = ", ".join(recipe.python for recipe in self.recipes)
        raise ConfigError(
            f"there is no recipe for a runtime of Python {version}",
            hint=f"choose one of: {known}",
        )


def recipe_hash(recipe: Recipe, optimization: str, inputs: Mapping[str, str]) -> str:
    """Return the 16 hex digits that name a runtime.

    Args:
        recipe: what it is made of. Titles, durations and tests don't count.
        optimization: `pgo` or `quick`.
        inputs: everything else that decides what comes out: versions of compiler and builder.
    """
    document = asdict(recipe)
    del document["tests"]
    if not recipe.pie:
        del document["pie"]
    for source in (document["source"], *document["dependencies"]):
        del source["seconds"], source["title"]
        if source["build"]:
            # What comes out is told by `configure` and `flags`, of either variant.
            del source["build"]["pie_without"], source["build"]["pie_flags"]
    document |= {"optimization": optimization, "inputs": dict(inputs)}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]


def parse_recipes(text: str) -> RecipeBook:
    """Read `recipes.toml`.

    Raises:
        ValueError: it has unknown or missing keys, a wrong hash, or refers to a source that it lacks.
    """
    document = tomllib.loads(text)
    sources = {name: _source(name, table) for name, table in document["source"].items()}
    recipes = [_recipe(name, table, sources) for name, table in document["runtime"].items()]
    for source in sources.values():
        if unknown := set(source.needs) - sources.keys():
            raise ValueError(f"{source.name} needs unknown {sorted(unknown)}")
        for other in source.other_licenses:
            owner, _, file = other.partition("/")
            if owner not in sources or file not in sources[owner].licenses:
                raise ValueError(f"{source.name} refers to an unknown licence {other}")
    return RecipeBook(tuple(sorted(recipes, key=lambda r: [int(n) for n in r.python.split(".")])))


def _hardened(source: SourceRecipe) -> SourceRecipe:
    if source.build is None:
        return source
    build = source.build
    kept = tuple(word for word in build.configure if word not in build.pie_without)
    return replace(source, build=replace(build, configure=kept, flags=(*build.flags, *build.pie_flags)))


def _recipe(name: str, table: Mapping[str, Any], sources: Mapping[str, SourceRecipe]) -> Recipe:
    values = _frozen(dict(table))
    try:
        values["source"] = sources[values["source"]]
        values["dependencies"] = tuple(sources[key] for key in values["dependencies"])
    except KeyError as error:
        raise ValueError(f"runtime {name} uses an unknown source: {error}") from error
    for source in values["dependencies"]:
        if (source.build is None) == (source.ready is None):
            raise ValueError(f"source {source.name} does not say how it is built")
    recipe = _make(Recipe, f"runtime {name}", values)
    shared = {library for source in recipe.dependencies for library in source.shared}
    if shared != recipe.carried.keys():
        raise ValueError(f"runtime {name} carries other libraries than it makes: {sorted(shared)}")
    return recipe


def _source(name: str, table: Mapping[str, Any]) -> SourceRecipe:
    values = _frozen({**table, "name": name})
    where = f"source {name}"
    values["origins"] = tuple(_make(Origin, where, _frozen(dict(origin))) for origin in table["origins"])
    values["patches"] = tuple(_make(Patch, where, dict(patch)) for patch in table.get("patches", ()))
    for origin in values["origins"]:
        places = [place for place in (origin.url, origin.debian, origin.pool) if place]
        if len(origin.sha256) != _SHA256_DIGITS or len(places) != 1:
            raise ValueError(f"{where} has an origin without a hash, or without exactly one place")
    if "build" in table:
        build = values["build"] = _make(Build, where, _frozen(dict(table["build"])))
        if set(build.pie_without) - set(build.configure):
            raise ValueError(f"{where} leaves out arguments that it does not have")
        if bool(values["build"].compile) == bool(values["build"].configure):
            raise ValueError(f"{where} must have exactly one of `compile` and `configure`")
    if "license_from" in table:
        values["license_from"] = _make(LicenseText, where, dict(table["license_from"]))
    elif not table["licenses"] and "other_licenses" not in table:
        raise ValueError(f"{where} has no licence")
    return _make(SourceRecipe, where, values)


def _frozen(table: dict[str, Any]) -> dict[str, Any]:
    """Lists become tuples, at every depth."""

    def freeze(value: object) -> object:
        if isinstance(value, list):
            return tuple(freeze(item) for item in value)
        return {k: freeze(v) for k, v in value.items()} if isinstance(value, dict) else value

    return {key: freeze(value) for key, value in table.items()}


def _make(kind: type[_T], where: str, values: dict[str, Any]) -> _T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := values.keys() - known:
        raise ValueError(f"{where} has unknown keys {sorted(unknown)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error
