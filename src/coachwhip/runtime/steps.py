"""The steps of a build from source: what is done in which order, how long it takes, what is done already."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from coachwhip.runtime.assemble import assemble
from coachwhip.runtime.cpython import compile_final, compile_instrumented, configure, train
from coachwhip.runtime.estimate import Pace, Step
from coachwhip.runtime.gates import check
from coachwhip.runtime.libraries import build_libraries
from coachwhip.runtime.model import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from coachwhip.runtime.workspace import Context

__all__ = ["build", "build_steps"]

#: Libraries that are built two at a time take this part of the time that they take one by one.
_TOGETHER = 0.8


def build_steps(context: Context, digest: str) -> list[tuple[Step, Callable[[], object]]]:
    """The steps of a build, in order, with what does them."""
    recipe = context.recipe
    missing = [source for source in recipe.dependencies if not context.workspace.done(source.name)]
    libraries = sum(source.seconds for source in missing) * _TOGETHER
    steps: list[tuple[Step, Callable[[], object]]] = [
        (
            Step("libraries", f"Building {len(missing)} libraries", libraries, 0.8),
            lambda: build_libraries(context),
        ),
        (Step("configure", "Configuring CPython", 34, 0), lambda: configure(context)),
    ]
    if context.pgo:
        steps += [
            (
                Step("instrument", "Compiling CPython for training", 90, 0.9),
                lambda: compile_instrumented(context),
            ),
            (Step("train", "Training", 35, 0.8), lambda: train(context)),
        ]
    return [
        *steps,
        (
            Step("compile", "Compiling CPython", 105 if context.pgo else 85, 0.9),
            lambda: compile_final(context),
        ),
        (Step("assemble", "Putting the runtime together", 3, 0), lambda: assemble(context, digest)),
        (
            Step("check", "Testing the runtime", 20, 0.7),
            lambda: check(context, Runtime.load(context.workspace.product)),
        ),
    ]


def build(context: Context, digest: str) -> None:
    """Do the steps that are not done yet.

    Args:
        context: what to build where; the finished runtime is its workspace's product.
        digest: hash of the recipe.

    Raises:
        RuntimeBuildError: a step failed, or the result did not pass its gates.
        MachineError: a program is missing, the disk is full.
    """
    steps = [item for item in build_steps(context, digest) if not context.workspace.done(item[0].name)]
    pace = Pace(context.cpus)
    variant = " (pie)" if context.recipe.pie else ""
    title = f"Building CPython {context.recipe.source.version}{variant} for any glibc since 2.17"
    with context.progress.step(title, estimate=pace.seconds(*(step for step, _ in steps))):
        for step, action in steps:
            started = time.monotonic()
            with context.progress.step(step.title, estimate=pace.seconds(step)):
                action()
            pace.learn(step, time.monotonic() - started)
            context.workspace.finish(step.name)
