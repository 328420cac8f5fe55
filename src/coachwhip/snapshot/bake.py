"""Make a product's snapshot, by running it: train, watch, choose, bake."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coachwhip.effects.process import start
from coachwhip.errors import BuildError
from coachwhip.snapshot.choose import PATH_LINES, choose
from coachwhip.snapshot.model import Baked, Choice, Module, Note

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from coachwhip.model import SnapshotWish

__all__ = ["bake", "check"]

#: How often what turned out to be in the way is left out before there is no snapshot at all.
_ATTEMPTS = 4
_BAKE_SECONDS = 120.0
#: The file with the modules from which statements were taken out.
_DEFERRED = "deferred"
#: How long one training run may take; what it has imported by then is not learned.
_TRAIN_SECONDS = 10.0


@dataclass(frozen=True)
class _Place:
    """A product, and the folder that it lies and runs in."""

    product: Path

    @property
    def folder(self) -> Path:
        return self.product.parent

    def run(self, plan: dict[str, Any], arguments: Sequence[str] = (), seconds: float = _BAKE_SECONDS) -> Any:  # noqa: ANN401
        """Run the product with a plan; return its report, None when it wrote none."""
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        (self.folder / "plan.json").write_text(json.dumps({**plan, "report": report.name}))
        # The memory is made in the C locale, which every machine has. Programs are used in others, and some
        # refuse to run in that one.
        locale = "C.UTF-8" if plan["task"] == "train" else "C"
        self._run({"COACHWHIP_BAKE": "plan.json", "LC_ALL": locale}, arguments, seconds)
        return json.loads(report.read_text()) if report.exists() else None

    def status(self, arguments: Sequence[str], snapshot: str) -> int | None:
        """Run the product as a user would; return its exit status, None when it does not end by itself."""
        return self._run({"COACHWHIP_SNAPSHOT": snapshot, "LC_ALL": "C.UTF-8"}, arguments, _TRAIN_SECONDS)

    def _run(self, variables: dict[str, str], arguments: Sequence[str], seconds: float) -> int | None:
        # As little as possible: what is not there can't get into the snapshot. Names are relative, as the
        # folder's own differs from build to build.
        environment = {**variables, "HOME": "/dev/null", "PATH": os.defpath}
        with (self.folder / "messages").open("ab") as messages:
            process = start(
                [f"./{self.product.name}", *arguments],
                cwd=self.folder,
                env=environment,
                output=messages,
                own_session=True,
            )
            return _wait(process, seconds)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Wait for a process for some time, then end it with all that it started; return its own status."""
    status = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return status


def bake(product: Path, entry_module: str, wish: SnapshotWish) -> Baked:
    """Make a snapshot of a product that has none.

    Args:
        product: the executable, alone in a folder in which it may write.
        entry_module: the module that its entry imports; empty when there is none.
        wish: what the app's configuration says.

    Raises:
        BuildError: no snapshot can be made of this program.
    """
    place = _Place(product)
    search = _search(place, entry_module, wish)
    for _ in range(_ATTEMPTS):
        choice, deferred = search.choice()
        _refuse_path_lines(choice)
        faults, memory = _bake(place, choice, deferred)
        if not faults and memory:
            return Baked(memory, choice, wish, (place.folder / deferred).read_bytes() if deferred else b"")
        # Without a word of modules it is memory that can't be saved: that of native libraries, if anything.
        faults = faults or dict.fromkeys(
            _mapped(search.watched), "holds addresses of this machine's libraries"
        )
        if faults.keys() <= search.blocked.keys():
            break
        search.blocked |= faults
    messages = (place.folder / "messages").read_text(errors="replace")
    raise BuildError("no snapshot can be made of this program", detail=messages)


def _refuse_path_lines(choice: Choice) -> None:
    for left in choice.left_out:
        if left.name == PATH_LINES:
            raise BuildError(f"no snapshot can be made of this program: code in a .pth file {left.reason}")


def _mapped(modules: Sequence[Module]) -> list[str]:
    """Return the names of native libraries that could be in a snapshot."""
    return [module.name for module in modules if any(note.kind == "mapped" for note in module.notes)]


def _named(entry_module: str) -> list[str]:
    return [entry_module] if entry_module else []


def check(product: Path, wish: SnapshotWish) -> None:
    """Run a product from its snapshot and without it, as in training: both must end in the same way.

    Raises:
        BuildError: they do not; the snapshot is of no use then.
    """
    place = _Place(product)
    for arguments in wish.train:
        usual, found = (place.status(arguments, snapshot) for snapshot in ("0", "1"))
        if usual is not None and found != usual:
            command = " ".join(arguments) or "without arguments"
            raise BuildError(
                f"from its snapshot the program ends with {found} instead of {usual} ({command})"
            )


def _train(place: _Place, wish: SnapshotWish) -> list[list[str]]:
    """Return the names of the modules that each training run imports."""
    reports = [place.run({"task": "train"}, arguments, _TRAIN_SECONDS) for arguments in wish.train]
    return [report for report in reports if report is not None]


def _in_order(runs: Sequence[Sequence[str]]) -> list[str]:
    """Return all modules in a possible order of import."""
    names = dict.fromkeys(name for run in runs for name in run)
    return [name for name in names if name != "__main__" and not name.startswith("_coachwhip")]


def _watch(place: _Place, names: Sequence[str]) -> list[Module]:
    report = place.run({"task": "watch", "modules": list(names)})
    if report is None:
        raise BuildError(
            "the program ends while its modules are imported",
            detail=(place.folder / "messages").read_text(errors="replace"),
        )
    return [
        Module(
            name,
            tuple(
                Note(kind, detail, place, tuple(through), line)
                for kind, detail, place, through, line in found["notes"]
            ),
            tuple(found["imports"]),
            found.get("fault", ""),
            found.get("origin", ""),
            found.get("package", False),
        )
        for name, found in report.items()
    ]


@dataclass
class _Search:
    """The search for what can be in a snapshot.

    Attributes:
        place: where the product is.
        wish: what the app's configuration says.
        watched: the modules of the program.
        always: those that every run imports, if not all of these.
        blocked: module -> what went wrong with it.
        stubborn: modules none of whose statements can wait.
    """

    place: _Place
    wish: SnapshotWish
    watched: Sequence[Module]
    always: Collection[str]
    blocked: dict[str, str] = field(default_factory=dict)
    stubborn: set[str] = field(default_factory=set)

    def choice(self) -> tuple[Choice, str]:
        """Return what comes into the snapshot, and the name of a file with modules whose statements wait."""
        while True:
            choice = choose(self.watched, self.wish, self.blocked, self.always, self.stubborn)
            if not choice.waiting:
                return choice, ""
            faults = self._defer(choice)
            if not faults:
                return choice, _DEFERRED
            # The causes go first: without what waits, others have nothing to wait for.
            causes = faults.keys() & choice.waiting.keys()
            self.stubborn |= causes
            if not causes:
                self.blocked |= {
                    name: f"needs what has to wait for the start, and {why}" for name, why in faults.items()
                }

    def _defer(self, choice: Choice) -> dict[str, str]:
        """Have statements of modules wait; return module -> why that can't be."""
        chosen = set(choice.modules)
        modules = {
            module.name: {
                "origin": module.origin,
                "package": module.package,
                "imports": [name for name in module.imports if name in chosen],
                "lines": sorted({note.line for note in choice.waiting.get(module.name, ())}),
            }
            for module in self.watched
            if module.name in chosen and module.origin
        }
        faults: dict[str, str] | None
        faults = self.place.run({"task": "defer", "modules": modules, "deferred": _DEFERRED})
        return dict.fromkeys(choice.waiting, "fails") if faults is None else faults


def _search(place: _Place, entry_module: str, wish: SnapshotWish) -> _Search:
    """Run the app, and watch the modules that it imports."""
    runs = _train(place, wish)
    always = {*(set.intersection(*map(set, runs)) if runs else ()), *_named(entry_module)}
    return _Search(place, wish, _watch(place, _in_order([_named(entry_module), *runs])), always)


def _bake(place: _Place, choice: Choice, deferred: str) -> tuple[dict[str, str], bytes]:
    """Return module -> what went wrong with it; and the memory."""
    snapshot = place.folder / "snapshot"
    snapshot.unlink(missing_ok=True)
    plan = {
        "task": "bake",
        "modules": list(choice.modules),
        "left_out": [left.name for left in choice.left_out],
        "gates": list(choice.gates),
        "deferred": deferred,
        "snapshot": snapshot.name,
    }
    faults = place.run(plan)
    if faults is None:
        return {}, b""
    return faults, snapshot.read_bytes() if snapshot.exists() else b""
