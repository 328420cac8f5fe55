from __future__ import annotations

from pathlib import Path

from coachwhip.collect import Parts, plan_bundle
from coachwhip.config import Config
from coachwhip.model import Blob, Compression, Distribution, EntryPoint, Layer, Node

PACKAGES = "lib/python3.13/site-packages"
ENTRY = EntryPoint("run", "app", "main")
APP = Distribution("app", "1")


def blob(content: int) -> Blob:
    return Blob(0, 4, 4, Compression.NONE, content)


def layer(name: str, *paths: str, content: int = 1) -> Layer:
    nodes = tuple(
        Node(path, blob(content), code=blob(content) if path.endswith(".py") else None)
        for path in sorted(paths)
    )
    return Layer(Distribution(name, "1"), nodes, Path(f"/{name}"))


def plan(*wheels: Layer, config: Config | None = None) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    stdlib = layer("python", "lib/python3.13/os.py", "lib/python3.13/json/__init__.py")
    start = layer("app", "bin/run")
    made = plan_bundle(APP, ENTRY, Parts(start, wheels, stdlib), config or Config())
    assert made.bundle.layers[0].nodes == start.nodes
    paths = {
        item.distribution.name: [node.path.removeprefix(f"{PACKAGES}/") for node in item.nodes]
        for item in made.bundle.layers[1:]
    }
    return paths, made.warnings


def test_the_order_is_own_code_then_by_name_then_the_standard_library() -> None:
    paths, warnings = plan(
        layer("zebra", f"{PACKAGES}/z.py"),
        layer("app", f"{PACKAGES}/app.py"),
        layer("bee", f"{PACKAGES}/b.py"),
    )
    assert list(paths) == ["app", "bee", "zebra", "python"]
    assert warnings == ()


def test_the_bundle_carries_settings_and_target() -> None:
    config = Config(python=(3, 14), optimize=2, interpreter=False)
    bundle = plan_bundle(APP, ENTRY, Parts(layer("app", "bin/run"), (), layer("python")), config).bundle
    assert (bundle.name, bundle.version, bundle.entry) == ("run", "1", ENTRY)
    assert bundle.target.python == (3, 14)
    assert (bundle.settings.optimize, bundle.settings.interpreter) == (2, False)


def test_exclude_and_include() -> None:
    wheel = layer(
        "numpy", *(f"{PACKAGES}/numpy/{path}" for path in ("core.py", "tests/a.py", "testing/tests/b.py"))
    )
    paths, warnings = plan(
        wheel,
        config=Config(
            exclude=("**.tests", "json", "nothing.here"), include=("numpy.testing.tests", "absent")
        ),
    )
    assert paths["numpy"] == ["numpy/core.py", "numpy/testing/tests/b.py"]
    assert paths["python"] == ["lib/python3.13/os.py"]
    assert warnings == (
        "exclude: the pattern 'nothing.here' matches nothing",
        "include: the pattern 'absent' matches nothing",
    )


def test_include_may_name_built_in_modules_when_pruning() -> None:
    assert plan(config=Config(include=("_ssl",), prune=True))[1] == ()


def test_without_sources_only_modules_lose_their_text() -> None:
    wheel = layer("app", f"{PACKAGES}/app.py", f"{PACKAGES}/app.txt")
    stdlib = layer("python", "lib/python3.13/os.py")
    start = Layer(APP, (Node("bin/run", blob(1), code=blob(2)),), Path("/start"))
    bundle = plan_bundle(APP, ENTRY, Parts(start, (wheel,), stdlib), Config(sources=False)).bundle
    assert [node.path for item in bundle.layers for node in item.nodes if node.data] == [
        "bin/run",
        f"{PACKAGES}/app.txt",
    ]
    assert all(node.code for item in bundle.layers for node in item.nodes if node.path.endswith(".py"))


def test_the_first_of_two_files_wins_with_a_warning() -> None:
    paths, warnings = plan(
        layer("bee", f"{PACKAGES}/ns/__init__.py", f"{PACKAGES}/b.py"),
        layer("cat", f"{PACKAGES}/ns/__init__.py", f"{PACKAGES}/c.py", content=2),
    )
    assert paths["bee"] == ["b.py", "ns/__init__.py"]
    assert paths["cat"] == ["c.py"]
    [warning] = warnings
    assert "ns/__init__.py" in warning
    assert "bee 1" in warning
    assert "cat 1" in warning


def test_two_files_with_the_same_content_need_no_warning() -> None:
    paths, warnings = plan(layer("bee", f"{PACKAGES}/x.py"), layer("cat", f"{PACKAGES}/x.py"))
    assert (paths["bee"], paths["cat"], warnings) == (["x.py"], [], ())


def test_a_file_where_another_has_a_directory() -> None:
    paths, warnings = plan(
        layer("bee", f"{PACKAGES}/a/b.py", f"{PACKAGES}/c"),
        layer("cat", f"{PACKAGES}/a", f"{PACKAGES}/c/d.py"),
    )
    assert paths["cat"] == []
    assert len(warnings) == 2


def test_what_is_excluded_does_not_collide() -> None:
    config = Config(exclude=("bee_only",))
    paths, warnings = plan(
        layer("bee", f"{PACKAGES}/bee_only/x.py", f"{PACKAGES}/y.py"),
        layer("cat", f"{PACKAGES}/y.py"),
        config=config,
    )
    assert warnings == ()
    assert paths["bee"] == ["y.py"]
