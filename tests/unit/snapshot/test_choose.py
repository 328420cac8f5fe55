"""Which modules a snapshot holds."""

from __future__ import annotations

import pytest

from coachwhip.model import SnapshotWish
from coachwhip.snapshot import Choice, Module, Note, choose
from coachwhip.snapshot.choose import _WORDS, PATH_LINES
from coachwhip.snapshot.known import HARMLESS, HARMLESS_THROUGH, USUALLY_SET

WISH = SnapshotWish()
KINDS = sorted(_WORDS)


def module(name: str, *notes: tuple[str, str], imports: tuple[str, ...] = (), fault: str = "") -> Module:
    return Module(
        name, tuple(Note(kind, detail, f"{name}.py:3", ()) for kind, detail in notes), imports, fault
    )


def decide(*modules: Module, wish: SnapshotWish = WISH, blocked: dict[str, str] | None = None) -> Choice:
    return choose(modules, wish, blocked or {})


def out(choice: Choice) -> dict[str, str]:
    """Module -> what keeps it out: itself, or the module that it imports."""
    return {left.name: left.because or left.name for left in choice.left_out}


def test_modules_that_look_at_nothing_are_taken_in_their_order() -> None:
    choice = decide(module("b"), module("a", imports=("b",)), module("a.c", imports=("a",)))
    assert choice == Choice(("b", "a", "a.c"), (), ())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "variable"])
def test_whatever_a_module_looks_at_keeps_it_out(kind: str) -> None:
    choice = decide(module("pure"), module("bad", (kind, "detail")))
    assert choice.modules == ("pure",)
    (left,) = choice.left_out
    assert (left.name, left.place, left.because) == ("bad", "bad.py:3", "")
    assert left.reason == _WORDS[kind].format(detail="detail")


def test_the_first_reason_counts() -> None:
    (left,) = decide(module("bad", ("variable", "RARE"), ("time", "now"), ("file", "/x"))).left_out
    assert left.reason == "asks for the time (now)"


def test_what_imports_such_a_module_stays_out_too_however_far() -> None:
    choice = decide(
        module("bad", ("time", "now")),
        module("near", imports=("bad",)),
        module("far", imports=("pure", "near")),
        module("before", imports=("later",)),
        module("pure"),
        module("later", imports=("far",)),
    )
    assert choice.modules == ("pure",)
    assert out(choice) == {"bad": "bad", "near": "bad", "far": "bad", "later": "bad", "before": "bad"}
    assert next(left for left in choice.left_out if left.name == "far").reason == "imports near"


def test_a_package_keeps_its_modules_out_and_not_the_other_way_round() -> None:
    assert decide(module("p", ("process", "getpid")), module("p.a")).modules == ()
    assert decide(module("p"), module("p.a", ("process", "getpid")), module("p.b")).modules == ("p", "p.b")


def test_modules_that_import_each_other_stay_together() -> None:
    one, two = module("one", imports=("two",)), module("two", imports=("one",))
    assert decide(one, two).modules == ("one", "two")
    assert decide(one, module("two", ("time", "now"), imports=("one",))).modules == ()


def test_rare_variables_become_gates_and_usual_ones_keep_out() -> None:
    choice = decide(
        module("b", ("variable", "B_DEBUG"), ("variable", "A_DEBUG")),
        module("c", ("variable", "B_DEBUG")),
        module("home", ("variable", "HOME"), ("variable", "NOT_NEEDED")),
        module("all", ("variable", "*")),
    )
    assert choice.modules == ("b", "c")
    assert choice.gates == ("A_DEBUG", "B_DEBUG")
    assert "reads HOME from the environment" in [left.reason for left in choice.left_out]


@pytest.mark.parametrize("name", sorted(USUALLY_SET))
def test_usual_variables_never_become_gates(name: str) -> None:
    choice = decide(module("m", ("variable", name)))
    assert (choice.modules, choice.gates) == ((), ())


def test_the_configuration_is_followed() -> None:
    clock, package, inner = module("clock", ("time", "now")), module("p"), module("p.inner", ("file", "/x"))
    assert decide(clock, wish=SnapshotWish(allow=("clock",))).modules == ("clock",)
    assert decide(package, inner, wish=SnapshotWish(allow=("p",))).modules == ("p", "p.inner")
    assert decide(package, inner, wish=SnapshotWish(allow=("p.inner",))).modules == ("p", "p.inner")
    denied = decide(package, inner, module("q", imports=("p",)), wish=SnapshotWish(deny=("p",)))
    assert denied.modules == ()
    assert denied.left_out[0].reason == "the configuration says so"
    both = decide(clock, wish=SnapshotWish(allow=("clock",), deny=("clock",)))
    assert both.modules == ()
    assert decide(module("m"), wish=SnapshotWish(gate=("Z", "A"))).gates == ("A", "Z")


def test_an_allowed_module_still_has_gates_and_needs_what_it_imports() -> None:
    wish = SnapshotWish(allow=("m",))
    assert decide(module("m", ("variable", "RARE"), ("time", "now")), wish=wish).gates == ("RARE",)
    assert decide(module("bad", ("time", "now")), module("m", imports=("bad",)), wish=wish).modules == ()


def test_what_was_in_the_way_stays_out() -> None:
    choice = decide(module("m"), module("n", imports=("m",)), blocked={"m": "it failed"})
    assert choice.modules == ()
    assert choice.left_out[0].reason == "it failed"


def test_what_can_not_be_imported_is_not_tried() -> None:
    """As modules for other systems, whose importers expect an ImportError."""
    choice = decide(module("msvcrt", fault="ImportError"), module("m", imports=("msvcrt",)))
    assert choice.modules == ("m",)
    assert choice.left_out == ()


def test_code_in_path_lines_is_no_module() -> None:
    assert decide(module(PATH_LINES, ("variable", "RARE")), module("m")) == Choice(("m",), (), ("RARE",))
    assert out(decide(module(PATH_LINES, ("time", "now")))) == {PATH_LINES: PATH_LINES}


def test_what_is_known_to_be_harmless_is_taken() -> None:
    for name, what in HARMLESS:
        kind, _, detail = what.partition(" ")
        assert kind in _WORDS, f"{name}: no such kind: {kind}"
        assert decide(module(name, (kind, detail or "anything"))).modules == (name,)
        assert decide(module(f"other_{name}", ("time", "x"), (kind, detail))).modules == ()
    for through, what in HARMLESS_THROUGH:
        kind, _, detail = what.partition(" ")
        note = Note(kind, detail, "", (through,))
        assert choose([Module("m", (note,), ())], WISH, {}).modules == ("m",)
        assert choose([Module("m", (Note(kind, detail, "", ("else",)),), ())], WISH, {}).modules == ()


def test_every_harmless_thing_has_its_reason() -> None:
    assert all(
        reason and not reason.endswith(".") for reason in (*HARMLESS.values(), *HARMLESS_THROUGH.values())
    )


def test_what_changes_the_program_is_taken_where_every_run_imports_it() -> None:
    effect = ("effect", "what happens at the end")
    modules = [
        module("entry", imports=("p.near",)),
        module("p", effect),
        module("p.near", effect, imports=("far",)),
        module("far", effect),
        module("seldom", effect, imports=("far",)),
    ]
    choice = choose(modules, WISH, {}, ["entry"])
    assert choice.modules == ("entry", "p", "p.near", "far")
    assert choice.left_out[0].reason == "changes what happens at the end, and not every run imports it"
    assert choose(modules, SnapshotWish(allow=("seldom",)), {}, ["entry"]).left_out == ()
    assert choose([module("m", ("time", "now"))], WISH, {}, ["m"]).modules == ()
