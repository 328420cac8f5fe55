"""Which part may import which, who may touch the world, and how long a piece of code may be.

The rules are those of the design; `docs/explanation/architecture.md` says why. Everything is read from
the syntax tree, so that imports inside functions and under `TYPE_CHECKING` count like any other.
"""

from __future__ import annotations

import ast
import graphlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent.parent / "src" / "coachwhip"

#: Values and pure functions: everybody may import them, they import only one another.
PURE = {"coachwhip", "errors", "model", "progress", "target", "config", "elf", "image", "prelink"}

#: Besides the pure parts and itself, what each part may import. A part that is missing here is an error.
MAY_IMPORT: dict[str, set[str]] = {
    **{part: set() for part in PURE},
    "effects": set(),
    "boot": set(),
    "runtime": {"effects"},
    "inputs": {"effects"},
    "resolve": {"effects", "runtime", "inputs"},
    "collect": {"effects", "runtime"},
    "pipeline": {"effects", "runtime", "inputs", "resolve", "collect"},
    "cli": {"effects", "runtime", "inputs", "resolve", "collect", "pipeline"},
    "__main__": {"cli"},
}

#: Scripts that another Python runs: like `boot`, they are no part of the process that is coachwhip. They
#: import one another as the files beside them.
WORKERS = {"coachwhip.collect.regexes", "coachwhip.collect.worker"}

#: What code outside of coachwhip's process may import: the standard library, the module that the stub
#: builds into every product, what else products carry of `boot`, workers.
OUTSIDE_MODULES = (
    sys.stdlib_module_names
    | {"_coachwhip", "_coachwhip_venv"}
    | {name.rpartition(".")[2] for name in WORKERS}
)

#: Modules of the standard library that reach outside the process, which no pure part needs.
WORLD = {"subprocess", "socket", "urllib", "http", "ssl", "tempfile", "shutil", "fcntl", "multiprocessing"}

#: Names that only the command line may use: what prints, what ends the process, what reads its surroundings.
COMMAND_LINE_ONLY = {"print", "input", "exit", "quit", "SystemExit"}
COMMAND_LINE_ONLY_ATTRIBUTES = {
    ("sys", "argv"),
    ("sys", "exit"),
    ("sys", "stdin"),
    ("sys", "stdout"),
    ("sys", "stderr"),
    ("os", "environ"),
    ("os", "environb"),
    ("os", "getenv"),
    ("os", "chdir"),
    ("os", "_exit"),
}

MODULE_LINES = 350
FUNCTION_LINES = 60


@dataclass(frozen=True)
class Module:
    """One file of the package, parsed."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def part(self) -> str:
        """The part of the design that the module belongs to: `image` for `coachwhip.image.reader`."""
        names = self.name.split(".")
        if self.name in WORKERS:
            return "boot"
        return names[1] if len(names) > 1 else names[0]


def parse(name: str, path: Path) -> Module:
    return Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))


def load() -> list[Module]:
    modules = []
    for path in sorted(PACKAGE.rglob("*.py")):
        names = ["coachwhip", *path.relative_to(PACKAGE).with_suffix("").parts]
        modules.append(parse(".".join(names).removesuffix(".__init__"), path))
    return modules


MODULES = load()
every_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything that the module imports, wherever it does so."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.path}:{node.lineno}: imports are absolute here"
            assert node.module is not None
            yield node.lineno, node.module
            if node.module == "coachwhip":
                yield from ((node.lineno, f"coachwhip.{alias.name}") for alias in node.names)


def forbidden_imports(module: Module) -> list[str]:
    allowed = PURE | MAY_IMPORT[module.part] | {module.part} if module.part != "boot" else {"boot"}
    found = []
    for line, name in imports(module):
        top, _, rest = name.partition(".")
        if top == "coachwhip":
            part = rest.partition(".")[0] or "coachwhip"
            if part not in allowed:
                found.append(f"{module.path}:{line}: {module.part} imports {part}")
        elif module.part in PURE and top in WORLD:
            found.append(f"{module.path}:{line}: {module.part} is pure and imports {top}")
        elif module.part == "boot" and top not in OUTSIDE_MODULES:
            found.append(f"{module.path}:{line}: boot imports {top}, which is not in the standard library")
    return found


def world_touches(module: Module) -> list[str]:
    """Return where a module prints, exits, or reads argv or environ."""
    found = []
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if name in COMMAND_LINE_ONLY:
                found.append(f"{module.path}:{node.lineno}: {name}")
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if (
                owner,
                name,
            ) in COMMAND_LINE_ONLY_ATTRIBUTES:
                found.append(f"{module.path}:{node.lineno}: {owner}.{name}")
    return found


def top_level_names(module: Module) -> set[str]:
    """Return the names that a module binds at its top level, conditional blocks included."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.alias(name=name, asname=alias):
                names.add(alias or name)
    return names


def exported(module: Module) -> list[str] | None:
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return list(ast.literal_eval(value))
    return None


def public_definitions(module: Module) -> set[str]:
    return {
        node.name
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not is_subcommand(node)
    }


def is_subcommand(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether the command line reaches this function through its group, and nobody by its name."""
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="command")) if owner != "click":
                return True
    return False


def long_functions(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                found.append(f"{module.path}:{node.lineno}: {node.name} has {lines} lines")
    return found


@every_module
def test_imports_go_only_the_way_of_the_design(module: Module) -> None:
    assert module.part in MAY_IMPORT, f"{module.name} belongs to no part that the design names"
    assert forbidden_imports(module) == []


def test_no_module_imports_itself_in_a_circle() -> None:
    names = {module.name for module in MODULES}
    graph = {
        module.name: {name for _, name in imports(module) if name in names and name != module.name}
        for module in MODULES
    }
    # Raises CycleError, which names the circle.
    graphlib.TopologicalSorter(graph).prepare()


@every_module
def test_only_the_command_line_touches_the_terminal_and_the_environment(module: Module) -> None:
    # Code under boot/ is the program's own start-up: it runs in products, not in coachwhip.
    if module.part not in {"cli", "__main__", "boot"}:
        assert world_touches(module) == []


@every_module
def test_modules_and_functions_are_short(module: Module) -> None:
    lines = module.path.read_text(encoding="utf-8").count("\n")
    assert lines <= MODULE_LINES, f"{module.path} has {lines} lines"
    assert long_functions(module) == []


@every_module
def test_all_names_exactly_what_the_module_offers(module: Module) -> None:
    names = exported(module)
    if names is None and module.part != "boot":
        assert public_definitions(module) == set(), f"{module.path} has public names but no __all__"
    if names is None:
        return
    assert len(names) == len(set(names)), f"{module.path}: __all__ repeats a name"
    assert set(names) <= top_level_names(module), f"{module.path}: __all__ names what is not there"
    missing = public_definitions(module) - set(names)
    assert missing == set(), f"{module.path}: public but not in __all__"


def snippet(tmp_path: Path, name: str, text: str) -> Module:
    path = tmp_path / "snippet.py"
    path.write_text(text, encoding="utf-8")
    return parse(name, path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("coachwhip.elf", "def f():\n    from coachwhip.effects.files import atomic_write\n"),
        ("coachwhip.config", "import subprocess\n"),
        ("coachwhip.collect.layer", "from coachwhip import cli\n"),
        ("coachwhip.collect.layer", "from coachwhip.resolve import lock\n"),
        ("coachwhip.boot.finder", "import click\n"),
        ("coachwhip.boot.finder", "from coachwhip.errors import ExitCode\n"),
    ],
)
def test_a_forbidden_import_is_seen(tmp_path: Path, name: str, text: str) -> None:
    assert len(forbidden_imports(snippet(tmp_path, name, text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "print(1)\n",
        "import os\nhome = os.environ['HOME']\n",
        "import sys\nsys.exit(2)\n",
        "raise SystemExit\n",
    ],
)
def test_touching_the_world_is_seen(tmp_path: Path, text: str) -> None:
    assert len(world_touches(snippet(tmp_path, "coachwhip.resolve.lock", text))) == 1


def test_a_long_function_is_seen(tmp_path: Path) -> None:
    body = "    x = 1\n" * FUNCTION_LINES
    assert long_functions(snippet(tmp_path, "coachwhip.elf", f"def f():\n{body}")) != []
