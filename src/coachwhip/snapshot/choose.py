"""Which modules can be part of a snapshot. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coachwhip.snapshot.known import HARMLESS, HARMLESS_THROUGH, USUALLY_SET
from coachwhip.snapshot.model import Choice, LeftOut

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from coachwhip.model import SnapshotWish
    from coachwhip.snapshot.model import Module, Note

__all__ = ["ONLY_LOOKING", "PATH_LINES", "choose", "in_words"]

#: Stands for the code in `.pth` files, which runs before any module is imported.
PATH_LINES = "(.pth)"

_WORDS = {
    "variable": "reads {detail} from the environment",
    "file": "looks at {detail}",
    "time": "asks for the time ({detail})",
    "random": "asks for randomness ({detail})",
    "process": "asks about the process ({detail})",
    "user": "asks who the user is ({detail})",
    "machine": "asks about the machine ({detail})",
    "folder": "asks for the current folder ({detail})",
    "terminal": "asks about the terminal ({detail})",
    "locale": "asks for or sets the locale ({detail})",
    "state": "changes the process ({detail})",
    "effect": "changes {detail}, and not every run imports it",
    "signal": "asks for signals ({detail})",
    "thread": "starts a thread",
    "program": "starts a program ({detail})",
    "network": "uses the network ({detail})",
    "library": "loads a library with ctypes",
    "mapping": "maps memory ({detail})",
    "native": "is a native library",
    "descriptor": "leaves a file open",
}

#: Kinds of notes that a statement may have which is executed when the program starts, and not before: it only
#: looks.
ONLY_LOOKING = frozenset(
    {"variable", "file", "time", "random", "process", "user", "machine", "folder", "terminal", "locale"}
)


def choose(
    modules: Sequence[Module],
    wish: SnapshotWish,
    blocked: Mapping[str, str],
    always: Collection[str] = (),
    stubborn: Collection[str] = (),
) -> Choice:
    """Decide which modules a snapshot holds.

    A module stays out for what it looks at, and with it every module that imports it; or the statement that
    looks waits for the start. Environment variables that are hardly ever set become gates instead: where one
    is set, the program starts without its snapshot.

    Args:
        modules: in the order of import, as they were watched.
        wish: what the app's configuration says.
        blocked: module -> what went wrong with it when a snapshot was tried.
        always: modules that every run imports, if not all of them: what others change in the program while
            they are imported must not be there in runs that do not import them.
        stubborn: modules none of whose statements can wait.
    """
    by_name = {module.name: module for module in modules}
    usual = _with_imports(by_name, always)
    left: dict[str, LeftOut] = {}
    waiting: dict[str, tuple[Note, ...]] = {}
    for module in modules:
        said = _said(module, wish, blocked)
        against = () if said is not None else _against(module, usual)
        if said:
            left[module.name] = LeftOut(module.name, said, "")
        elif against and module.name in usual and module.name not in stubborn and _can_wait(module, against):
            waiting[module.name] = against
        elif against:
            first = against[0]
            left[module.name] = LeftOut(module.name, in_words(first), first.place, kind=first.kind)
    _add_importers(by_name, left)
    inside = [module.name for module in modules if module.name not in left]
    # What can't be imported, like modules for Windows, fails in the same way while the snapshot is made.
    chosen = tuple(name for name in inside if name != PATH_LINES and not by_name[name].fault)
    waiting = {name: notes for name, notes in waiting.items() if name in chosen}
    gates = {variable for name in inside for variable in _gates(by_name[name], waiting.get(name, ()))}
    return Choice(chosen, tuple(left.values()), tuple(sorted(gates | set(wish.gate))), waiting)


def in_words(note: Note) -> str:
    """Say what a module does that a note is about."""
    return _WORDS[note.kind].format(detail=note.detail)


def _said(module: Module, wish: SnapshotWish, blocked: Mapping[str, str]) -> str | None:
    """Say what stands against a module, whatever it does: empty when it is to be in, None for nothing."""
    top = module.name.partition(".")[0]
    if module.name in wish.deny or top in wish.deny:
        return "the configuration says so"
    if module.name in wish.allow or top in wish.allow:
        return ""
    return blocked.get(module.name)


def _against(module: Module, usual: Collection[str]) -> tuple[Note, ...]:
    """Return what a module does that keeps it out."""
    return tuple(
        note
        for note in module.notes
        if not _is_harmless(module.name, note) and not (note.kind == "effect" and module.name in usual)
    )


def _can_wait(module: Module, notes: Sequence[Note]) -> bool:
    return bool(module.origin) and all(note.kind in ONLY_LOOKING and note.line for note in notes)


def _gates(module: Module, waiting: Sequence[Note]) -> set[str]:
    """Return the variables that a module has read, and that must not be set."""
    later = {note.line for note in waiting}
    return {
        note.detail
        for note in module.notes
        if note.kind == "variable"
        and note.detail not in USUALLY_SET
        and note.detail != "*"
        and (note.line == 0 or note.line not in later)
    }


def _with_imports(by_name: Mapping[str, Module], names: Collection[str]) -> set[str]:
    """Return modules with all that is imported with them."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += by_name[name].imports if name in by_name else ()
            waiting += [name.rpartition(".")[0]] if "." in name else []
    return found


def _is_harmless(name: str, note: Note) -> bool:
    if note.kind == "variable" and note.detail != "*" and note.detail not in USUALLY_SET:
        return True
    if note.kind == "mapped":
        return True
    full = f"{note.kind} {note.detail}"
    if any((module, full) in HARMLESS_THROUGH for module in note.through):
        return True
    return (name, note.kind) in HARMLESS or (name, full) in HARMLESS


def _add_importers(by_name: Mapping[str, Module], left: dict[str, LeftOut]) -> None:
    """Add all modules that import one that is left out, or whose package is."""
    changed = True
    while changed:
        changed = False
        for name, module in by_name.items():
            if name in left:
                continue
            parent = name.rpartition(".")[0]
            cause = next((other for other in (*module.imports, parent) if other in left), None)
            if cause is not None:
                root = left[cause].because or cause
                left[name] = LeftOut(name, f"imports {cause}", "", because=root)
                changed = True
