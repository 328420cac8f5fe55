"""Make a product's snapshot, by running it: train, watch, choose, bake."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coachwhip.errors import BuildError
from coachwhip.image.format import SNAPSHOT_MAGIC
from coachwhip.snapshot.choose import PATH_LINES, choose
from coachwhip.snapshot.model import Baked, Choice, Ending, Module, Note
from coachwhip.snapshot.place import TRAIN_SECONDS, Place, Run
from coachwhip.snapshot.working_set import working_set

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from coachwhip.model import SnapshotWish

__all__ = ["bake", "check"]

#: How often what turned out to be in the way is left out before there is no snapshot at all.
_ATTEMPTS = 8
#: The file with the modules from which statements were taken out.
_DEFERRED = "deferred"


def bake(product: Path, entry_module: str, wish: SnapshotWish, *, waiting: bool = True) -> Baked:
    """Make a snapshot of a product that has none.

    Args:
        product: the executable, alone in a folder in which it may write.
        entry_module: the module that its entry imports; empty when there is none.
        wish: what the app's configuration says.
        waiting: whether single statements of modules may wait for the start.

    Raises:
        BuildError: no snapshot can be made of this program.
    """
    place = Place(product)
    search = _search(place, entry_module, wish)
    if not waiting:
        search.stubborn |= {module.name for module in search.watched}
    for _ in range(_ATTEMPTS):
        choice, deferred = search.choice()
        _refuse_path_lines(choice)
        faults, needs, memory = _bake(place, choice, deferred)
        if search.add(needs):
            continue
        if not faults and memory.startswith(SNAPSHOT_MAGIC):
            code = (place.folder / deferred).read_bytes() if deferred else b""
            return Baked(memory, choice, wish, code, search.endings)
        # Without a word of modules it is memory that can't be saved: that of native libraries, if anything.
        faults = faults or dict.fromkeys(
            _holders(search.watched, memory), "holds addresses of this machine's libraries"
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


def _holders(modules: Sequence[Module], answer: bytes) -> list[str]:
    """Return the modules whose memory can't be saved, by what the product has written instead of a snapshot.

    These are all native ones where a library that is no module is in the way: any of them may need it.
    """
    paths = set(answer.decode(errors="replace").split("\0")) - {""}
    native = {
        module.name: note.detail for module in modules for note in module.notes if note.kind == "mapped"
    }
    found = [name for name, path in native.items() if path in paths]
    return found if paths and paths <= set(native.values()) else list(native)


def _named(entry_module: str) -> list[str]:
    return [entry_module] if entry_module else []


def check(product: Path, baked: Baked) -> bytes:
    """Run a product from its snapshot, with the command lines of the training: it must end as it did there.

    Return the snapshot's working set, as `working_set` does.

    Args:
        product: the executable, called as it was when it was trained, alone in a folder where it may write.
        baked: its snapshot.

    Raises:
        BuildError: it does not; the snapshot is of no use then.
    """
    place = Place(product)
    reports = []
    for arguments, usual in zip(baked.wish.train, baked.endings, strict=True):
        if usual.status is None:
            continue
        found, pages = place.watch_pages(arguments)
        reports.append(pages)
        if found.agrees(usual) or (found.status == usual.status and _differs_anyway(place, arguments, found)):
            continue
        command = " ".join(arguments) or "without arguments"
        what = f"ends with {found.status} instead of {usual.status}"
        if found.status == usual.status:
            what = "prints something else"
        raise BuildError(f"from its snapshot the program {what} ({command})")
    return working_set(baked.memory, reports)


def _differs_anyway(place: Place, arguments: Sequence[str], found: Ending) -> bool:
    """Whether a program prints in this place what it has printed, or something else at each start."""
    first = place.use(arguments, snapshot=False)
    return first.agrees(found) or not first.agrees(place.use(arguments, snapshot=False))


def _train(place: Place, wish: SnapshotWish) -> list[Run]:
    """Run the app with the command lines of the training; reports are names of the modules it imports."""
    return [place.run({"task": "train"}, arguments, TRAIN_SECONDS) for arguments in wish.train]


def _in_order(runs: Sequence[Sequence[str]]) -> list[str]:
    """Return all modules in a possible order of import."""
    names = dict.fromkeys(name for run in runs for name in run)
    return [name for name in names if name != "__main__" and not name.startswith("_coachwhip")]


def _watch(place: Place, names: Sequence[str]) -> list[Module]:
    run = place.run({"task": "watch", "modules": list(names)})
    report = run.report
    if report is None:
        ends = "is not done after two minutes" if run.ending.status is None else "ends"
        raise BuildError(
            f"the program {ends} while its modules are imported",
            detail=run.ending.printed.decode(errors="replace"),
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
        endings: of the runs of the training.
        blocked: module -> what went wrong with it.
        stubborn: modules none of whose statements can wait.
        needing: module -> lines of statements that were seen to need what waits.
    """

    place: Place
    wish: SnapshotWish
    watched: Sequence[Module]
    always: Collection[str]
    endings: tuple[Ending, ...]
    blocked: dict[str, str] = field(default_factory=dict)
    stubborn: set[str] = field(default_factory=set)
    needing: dict[str, set[int]] = field(default_factory=dict)

    def add(self, needs: Sequence[tuple[str, int]]) -> bool:
        """Have further statements wait, by module and line; whether there are any that do not."""
        new = [(name, line) for name, line in needs if line not in self.needing.get(name, ())]
        for name, line in new:
            self.needing.setdefault(name, set()).add(line)
        return bool(new)

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
                "lines": sorted(
                    {note.line for note in choice.waiting.get(module.name, ())}
                    | self.needing.get(module.name, set())
                ),
            }
            for module in self.watched
            if module.name in chosen and module.origin
        }
        faults: dict[str, str] | None
        faults = self.place.run({"task": "defer", "modules": modules, "deferred": _DEFERRED}).report
        return dict.fromkeys(choice.waiting, "fails") if faults is None else faults


def _search(place: Place, entry_module: str, wish: SnapshotWish) -> _Search:
    """Run the app, and watch the modules that it imports."""
    trained = _train(place, wish)
    runs: list[list[str]] = [run.report for run in trained if run.report is not None]
    endings = tuple(run.ending for run in trained)
    always = {*(set.intersection(*map(set, runs)) if runs else ()), *_named(entry_module)}
    watched = _watch(place, _in_order([_named(entry_module), *runs]))
    return _Search(place, wish, watched, always, endings)


def _bake(
    place: Place, choice: Choice, deferred: str
) -> tuple[dict[str, str], Sequence[tuple[str, int]], bytes]:
    """Return module -> what went wrong with it; (module, line) of what needs what waits; and the memory."""
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
    report = place.run(plan).report
    if report is None:
        return {}, (), b""
    return report["faults"], report["needs"], snapshot.read_bytes() if snapshot.exists() else b""
