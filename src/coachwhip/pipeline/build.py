"""The steps of a build in their order. Policy only: every step is a function of another part."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip import collect, inputs, resolve
from coachwhip.effects.files import atomic_write, translated_os_errors
from coachwhip.effects.prune import cache_in_use
from coachwhip.effects.source import read_bytes
from coachwhip.elf import native_lib
from coachwhip.errors import BuildError, InputError, NetworkError
from coachwhip.image import plan_image, write_product
from coachwhip.model import Distribution
from coachwhip.pipeline.boot import collect_boot
from coachwhip.pipeline.carried import with_carried
from coachwhip.pipeline.entry import check_entry
from coachwhip.pipeline.finish import place, whole, with_snapshot
from coachwhip.pipeline.manifest import manifest_of
from coachwhip.pipeline.model import Product, Request
from coachwhip.pipeline.natives import prelink_bundle
from coachwhip.prelink import Prelinked
from coachwhip.runtime import find_runtime, install_runtime, prepare_toolchain
from coachwhip.runtime.stub import build_stub

if TYPE_CHECKING:
    from coachwhip.effects.cache import Cache
    from coachwhip.image import ImagePlan, Manifest
    from coachwhip.inputs import AppSource
    from coachwhip.model import Bundle, EntryPoint, Target, Wheel
    from coachwhip.progress import Progress
    from coachwhip.resolve import Lock
    from coachwhip.runtime import Runtime
    from coachwhip.runtime.toolchain import Toolchain
    from coachwhip.snapshot import Baked

__all__ = ["build_product"]

#: Names under which a product acts as the Python interpreter, see `stub/start.c`.
_PYTHON = re.compile(r"python[0-9.]*")


@dataclass(frozen=True)
class _Job:
    """What the steps of one build have in common."""

    request: Request
    app: AppSource
    runtime: Runtime
    progress: Progress

    @property
    def cache(self) -> Cache:
        return self.request.cache


def build_product(request: Request, progress: Progress) -> Product:
    """Build what is asked for; the file appears when it is complete, or not at all.

    Raises:
        CoachwhipError: one of its kinds, by what went wrong; see the parts that do the work.
    """
    app = inputs.load_app(request.given)
    _check_output(request.output, app)
    doubtful = _check_syntax(app)
    options = replace(
        request.resolve,
        default_index=app.config.index_url,
        index=app.config.extra_index_urls,
        find_links=app.config.find_links,
    )
    request = replace(request, resolve=options)
    with cache_in_use(request.cache):
        runtime = _runtime(request, app, progress)
        _check_syntax_there(runtime, doubtful)
        job = _Job(request, app, runtime, progress)
        wheels, target = _wheels(job)
        entry = _entry(app, wheels)
        output = request.output or Path("dist") / entry.name
        _check_output(output, app)
        bundle = _bundle(job, wheels, entry, target)
        check_entry(bundle, runtime.python_version, [builtin.name for builtin in runtime.builtins])
        return _product(job, bundle, output)


def _product(job: _Job, bundle: Bundle, output: Path) -> Product:
    toolchain = prepare_toolchain(job.cache, job.request.resolve.environ, pie=job.runtime.pie)
    with job.progress.step("Linking the interpreter"):
        stub = _stub(job, bundle, toolchain)
    prelinked = _prelinked(job, bundle, stub, toolchain)
    manifest = manifest_of(
        bundle,
        python_version=job.runtime.python_version,
        recipe=job.runtime.recipe,
        stub_glibc=native_lib(stub).glibc,
        prelinked=prelinked,
    )
    plan = plan_image(bundle, collect.entry_path(bundle.entry), prelinked)
    with tempfile.TemporaryDirectory(dir=job.cache.area("products")) as scratch:
        bare = Path(scratch) / "product"
        with job.progress.step(f"Writing {output}"):
            _write(bare, prelinked.stub, plan, manifest)
        baked = _bake(job, bare, bundle.entry.module)
        size = place(whole(bare) if baked else bare, output)
    floor, floor_set_by = manifest.floor()
    system = tuple(record.name for record in manifest.system)
    choice, memory = (baked.choice, len(baked.memory)) if baked else (None, 0)
    return Product(output, size, bundle.target.arch, floor, floor_set_by, system, choice, memory)


def _bake(job: _Job, product: Path, entry_module: str) -> Baked | None:
    """Make the snapshot; None when none is wanted or, which is said, none can be made."""
    wish = job.app.config.snapshot
    if job.runtime.pie:
        job.progress.note("Hardened (pie): no snapshot, addresses differ from process to process.")
        return None
    if not wish.wanted:
        return None
    try:
        with job.progress.step("Making the snapshot"):
            baked = with_snapshot(product, entry_module, wish)
    except BuildError as error:
        job.progress.note(f"No snapshot: {error.message}; the product starts the ordinary way.")
        for line in error.detail.splitlines():
            job.progress.detail(line)
        return None
    for arguments, ending in zip(wish.train, baked.endings, strict=True):
        if fault := ending.fault():
            command = " ".join(arguments) or "without arguments"
            job.progress.note(f"Tried out ({command}), the program ends with {fault}")
    return baked


def _check_output(output: Path | None, app: AppSource) -> None:
    if output is None:
        return
    with translated_os_errors("use this output"):
        _check_place(output, app)
    if _PYTHON.fullmatch(output.name):
        raise InputError(
            f"the output can't be called {output.name}: under this name it is Python and not the app",
            hint="name another file with -o",
        )


def _check_place(output: Path, app: AppSource) -> None:
    if output.is_dir():
        raise InputError(
            f"the output {output} is a folder", hint=f"name a file: -o {output / 'NAME'}, or another place"
        )
    if output.exists() and not output.is_file():
        raise InputError(f"the output {output} is no ordinary file", hint="name another file with -o")
    if app.path is not None and output.exists() and output.samefile(app.path):
        raise InputError(f"the output {output} is the app itself", hint="name another file with -o")


def _check_syntax(app: AppSource) -> dict[str, bytes]:
    """Return those of the app's modules that only the product's Python can judge."""
    sources = inputs.own_sources(app)
    return {path: sources[path] for path in inputs.check_syntax(sources, app.config.python)}


def _check_syntax_there(runtime: Runtime, doubtful: dict[str, bytes]) -> None:
    problems = collect.syntax_problems(runtime.interpreter, doubtful) if doubtful else {}
    for path, problem in problems.items():
        raise inputs.syntax_error(path, problem.line, problem.text, problem.message)


def _runtime(request: Request, app: AppSource, progress: Progress) -> Runtime:
    version = app.config.target.python_version
    pie = app.config.pie
    runtime = find_runtime(version, cache=request.cache, pie=pie)
    if runtime is not None:
        return runtime
    wanted = f"{'position-independent ' if pie else ''}runtime for Python {version}"
    if request.resolve.offline:
        raise NetworkError(
            f"no {wanted} is installed, and --offline forbids to get one",
            hint=f"run `coachwhip runtime install{' --pie' if pie else ''}` once with the network",
        )
    progress.note(f"No {wanted} is installed yet; this is done once.")
    return install_runtime(
        version,
        cache=request.cache,
        environ=request.resolve.environ,
        progress=progress,
        pie=pie,
        find_links=request.resolve.find_links,
    )


def _wheels(job: _Job) -> tuple[tuple[Wheel, ...], Target]:
    """Return all wheels of the product, a project's own first, and the target that they are for."""
    app, runtime, cache = job.app, job.runtime, job.cache
    target, options, progress = app.config.target, job.request.resolve, job.progress
    is_project = app.kind is inputs.Kind.PROJECT and app.path is not None
    project = resolve.Project(app.path, extras=app.config.extras) if is_project and app.path else None
    lock = resolve.resolve(
        app.requirements,
        target,
        runtime,
        requirement_files=app.requirement_files,
        project=project,
        options=options,
        progress=progress,
    )
    if lock.newer:
        progress.note(_raised(lock))
    wheels = resolve.fetch(lock, target, runtime, cache, options=options, progress=progress)
    if project is None:
        return wheels, lock.target
    own = resolve.build_local(project.folder, target, runtime, cache, options=options, progress=progress)
    return (own, *(wheel for wheel in wheels if wheel.name != own.name)), lock.target


def _raised(lock: Lock) -> str:
    """Say which glibc the product will need, and why."""
    newest = [str(item) for item in lock.newer if item.glibc == lock.target.glibc]
    more = f" and {len(newest) - 1} more" if len(newest) > 1 else ""
    return "glibc {}.{} or newer because of {}{}".format(*lock.target.glibc, newest[0], more)


def _entry(app: AppSource, wheels: tuple[Wheel, ...]) -> EntryPoint:
    if app.entry is not None:
        return app.entry
    return inputs.choose_entry(app, {wheel.name: inputs.wheel_scripts(wheel.path) for wheel in wheels})


def _bundle(job: _Job, wheels: tuple[Wheel, ...], entry: EntryPoint, target: Target) -> Bundle:
    config, runtime, cache, progress = job.app.config, job.runtime, job.cache, job.progress
    options = collect.Options(optimize=config.optimize, include=config.include)
    own = _own(job.app, wheels)
    app = Distribution(own.name, own.version, own.sha256, own.tags) if own else Distribution(entry.name, "")
    for wheel in wheels:
        progress.detail(f"{wheel.name} {wheel.version}, {wheel.tags}, {wheel.origin}")
    packages = "1 package" if len(wheels) == 1 else f"{len(wheels)} packages"
    with progress.step(f"Collecting {packages} and the standard library"):
        layers = [collect.collect_wheel(wheel, runtime, options, cache) for wheel in wheels]
        start = collect.collect_entry(entry, app, runtime, options, cache, sources=config.sources)
        boot = collect_boot(runtime, options, cache)
        stdlib = collect.collect_stdlib(runtime, options, cache)
        plan = collect.plan_bundle(app, entry, collect.Parts(start, (*layers, boot), stdlib), config)
        bundle = with_carried(replace(plan.bundle, target=target), runtime, options, cache)
    for layer in layers:
        for note in collect.layer_notes(layer):
            progress.detail(str(note))
    for warning in plan.warnings:
        progress.note(f"warning: {warning}")
    return bundle


def _own(app: AppSource, wheels: tuple[Wheel, ...]) -> Wheel | None:
    """Return the wheel that is the app; None for scripts and requirements files, which have none."""
    if app.kind is inputs.Kind.PROJECT:
        return wheels[0]
    return next((wheel for wheel in wheels if wheel.name == app.distribution), None)


def _prelinked(job: _Job, bundle: Bundle, stub: bytes, toolchain: Toolchain) -> Prelinked:
    if job.runtime.pie:
        return Prelinked(stub, (), (), {})
    with job.progress.step("Prelinking native libraries"):
        prelinked = prelink_bundle(bundle, stub, toolchain)
    for path, reason in prelinked.refused.items():
        job.progress.note(f"{path} will be unpacked when it is used: {reason}")
    return prelinked


def _stub(job: _Job, bundle: Bundle, toolchain: Toolchain) -> bytes:
    builtins = None
    if job.app.config.prune:
        names = [builtin.name for builtin in job.runtime.builtins]
        builtins = collect.linked_builtins(bundle, names, job.app.config)
    return read_bytes(build_stub(job.runtime, toolchain, job.cache, builtins))


def _write(output: Path, stub: bytes, plan: ImagePlan, manifest: Manifest) -> int:
    with (
        translated_os_errors("write the product"),
        atomic_write(output, mode=0o755) as temporary,
        temporary.open("w+b") as stream,
    ):
        return write_product(stub, plan, manifest, stream)
