"""Puts a runtime together from what was compiled."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

from coachwhip.errors import RuntimeBuildError
from coachwhip.runtime.cpython import FINAL, PREFIX
from coachwhip.runtime.elf_facts import executable_symbols
from coachwhip.runtime.layout import complete_layout
from coachwhip.runtime.libraries import license_name
from coachwhip.runtime.model import Builtin, Runtime, Source, runtime_document
from coachwhip.runtime.sysconfig_data import (
    builtin_table,
    clean_variables,
    parse_variables,
    relocatable_module,
)
from coachwhip.runtime.sysroot import GLIBC
from coachwhip.runtime.toolchain import TARGET, link_executable

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.runtime.recipe import SourceRecipe
    from coachwhip.runtime.workspace import Context

__all__ = ["assemble", "is_c_api"]

#: The C API, and what compiled extension modules use of CPython beside it.
_C_API = re.compile(r"_?P[yY]")
_NOT_INSTALLED = ("__pycache__", "*.pyc", "test", "tests", "idle_test")


def is_c_api(name: str) -> bool:
    """Whether a symbol belongs to the C API; init functions of built-in modules do not."""
    return _C_API.match(name) is not None and not name.startswith("PyInit_")


def assemble(context: Context, recipe_hash: str) -> Runtime:
    """Fill the workspace's product directory with a runtime.

    Args:
        context: of a build whose compile steps are done.
        recipe_hash: name of the recipe, written into `runtime.json`.

    Raises:
        RuntimeBuildError: something expected was not built.
    """
    root = context.workspace.product
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    runtime = _describe(context, recipe_hash, root)
    try:
        _copy_archives(context, runtime)
        _copy_carried(context, runtime)
        _write_exports(context, runtime)
        _copy_headers(context, runtime)
        _copy_stdlib(context, runtime)
        shutil.copytree(context.workspace.licenses, runtime.licenses)
    except OSError as error:
        raise RuntimeBuildError(
            f"the runtime can't be put together: {error.strerror}: {error.filename}"
        ) from error
    (root / "runtime.json").write_text(json.dumps(runtime_document(runtime), indent=1) + "\n")
    runtime.interpreter.parent.mkdir()
    main = context.workspace.build(FINAL) / "Programs" / "python.o"
    link_executable(context.toolchain, [main], runtime.interpreter, runtime, gc_sections=False)
    complete_layout(root)
    return runtime


def _describe(context: Context, recipe_hash: str, root: Path) -> Runtime:
    recipe = context.recipe
    build = context.workspace.build(FINAL)
    table = builtin_table((build / "Modules" / "config.c").read_text())
    python = context.archives[recipe.source.name].version
    libraries = [name for source in recipe.dependencies if source.build for name in source.build.archives]
    archives = [f"libpython{recipe.python}.a", *recipe.own_archives, *libraries]
    return Runtime(
        root=root,
        python_version=python,
        abi=recipe.abi,
        platform=TARGET,
        recipe=recipe_hash,
        optimization="pgo" if context.pgo else "quick",
        builtins=tuple(Builtin(name, init, recipe.libraries.get(name, ())) for name, init in table),
        link_archives=tuple(f"lib/{name}" for name in archives),
        link_system=recipe.system,
        sources=tuple(_source(context, source) for source in recipe.sources),
        glibc_floor=(int(GLIBC.partition(".")[0]), int(GLIBC.partition(".")[2])),
        carried=tuple(f"lib/carried/{name}" for name in recipe.carried),
        pie=recipe.pie,
    )


def _source(context: Context, source: SourceRecipe) -> Source:
    archive = context.archives[source.name]
    directory = context.workspace.licenses / source.name
    files = [f"{source.name}/{name}" for name in sorted(path.name for path in directory.iterdir())]
    for other in source.other_licenses:
        owner, _, file = other.partition("/")
        files.append(f"{owner}/{license_name(file)}")
    return Source(
        name=source.name,
        version=archive.version,
        sha256=archive.sha256,
        origin=archive.origin,
        licenses=tuple(f"licenses/{file}" for file in files),
    )


def _copy_archives(context: Context, runtime: Runtime) -> None:
    build = context.workspace.build(FINAL)
    own = {name: build / path for name, path in context.recipe.own_archives.items()}
    (runtime.root / "lib").mkdir()
    for target in runtime.archives:
        if target.name.startswith("libpython"):
            source = build / target.name
        else:
            source = own.get(target.name, context.workspace.dependencies / "lib" / target.name)
        shutil.copyfile(source, target)


def _copy_carried(context: Context, runtime: Runtime) -> None:
    for target in runtime.carried_libraries:
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(context.workspace.carried / target.name, target)


def _write_exports(context: Context, runtime: Runtime) -> None:
    """What CPython's own build exports, the libraries' symbols left out."""
    symbols = executable_symbols((context.workspace.build(FINAL) / "python").read_bytes())
    names = sorted(name for name in symbols.exported if is_c_api(name))
    lines = "".join(f"  {name};\n" for name in names)
    runtime.exports.write_text("{\n" + lines + "};\n")


def _copy_headers(context: Context, runtime: Runtime) -> None:
    shutil.copytree(context.workspace.source(context.recipe.source.name) / "Include", runtime.include)
    shutil.copyfile(context.workspace.build(FINAL) / "pyconfig.h", runtime.include / "pyconfig.h")


def _copy_stdlib(context: Context, runtime: Runtime) -> None:
    library = context.workspace.source(context.recipe.source.name) / "Lib"
    build = context.workspace.build(FINAL)
    shutil.copytree(library, runtime.stdlib, ignore=shutil.ignore_patterns(*_NOT_INSTALLED))
    shutil.copytree(
        library / "test", runtime.test_stdlib / "test", ignore=shutil.ignore_patterns("__pycache__")
    )
    data = build / (build / "pybuilddir.txt").read_text().strip()
    (variables,) = data.glob("_sysconfigdata_*.py")
    cleaned = clean_variables(parse_variables(variables.read_text()), str(context.workspace.root))
    (runtime.stdlib / variables.name).write_text(relocatable_module(cleaned, PREFIX))
