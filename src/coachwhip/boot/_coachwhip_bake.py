"""Runs inside a product while its snapshot is made: trains, watches imports, and imports for good.

The plan comes as JSON in the file that COACHWHIP_BAKE names; `task` says what to do, `report` where to write:

- `train`: run the app as usual and write which modules it has imported.
- `watch`: import `modules` one by one and write what each of them has looked at that is not the program's.
- `defer`: compile `modules` so that statements that look at the machine wait, and write them to `deferred`.
- `bake`: import `modules`, write what went wrong with which, and which lines need what waits; the process is
  then saved to `snapshot`.

On the machine of use the plan is the one that the product's own snapshot was made by.
"""

import gc
import importlib
import json
import os
import sys

import _coachwhip

#: How many processors a product's snapshot is made for, if not for fewer.
_PROCESSORS = 2


class Unbaked(BaseException):
    """A module that is to stay out of the snapshot was about to be imported; nobody shall handle that."""


def prepare(path):
    """Do what a plan says before the app runs.

    Return None, or the file that the process is to be saved to, and the variables that must not be set then.
    """
    with open(path, encoding="utf-8") as stream:
        plan = json.load(stream)
    del os.environ["COACHWHIP_BAKE"]
    if plan["task"] != "bake":
        plan["report"] = os.path.abspath(plan["report"])  # modules may change the folder
    if plan["task"] == "train":
        _train(plan)
        return None
    if plan["task"] == "watch":
        import _coachwhip_watch

        _write(plan["report"], _coachwhip_watch.watch(plan["modules"]))
        os._exit(0)
    if plan["task"] == "defer":
        import _coachwhip_defer

        _write(plan["report"], _coachwhip_defer.defer(plan["modules"], plan["deferred"]))
        os._exit(0)
    # Elsewhere: the name of the build's own folder, which modules ask for, would get into the snapshot.
    folder = os.open(".", os.O_PATH | os.O_CLOEXEC)
    os.chdir("/")
    _coachwhip.hold_randomness()
    # Libraries make pools of threads as large; what differs from that is made good at a start.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:_PROCESSORS])
    deferred = _read(f"/proc/self/fd/{folder}/{plan['deferred']}") if plan["deferred"] else b""
    _write(f"/proc/self/fd/{folder}/{plan['report']}", _bake(plan, deferred))
    return f"/proc/self/fd/{folder}/{plan['snapshot']}", _encoded(plan["gates"])


def prepare_here(text):
    """Import what the plan in the product's snapshot says, for a snapshot that is for this machine only.

    Return what went wrong, in words or empty, and the variables that must not be set.
    """
    from binascii import a2b_base64

    del os.environ["COACHWHIP_BAKE"]
    try:
        plan = json.loads(text)
        deferred = a2b_base64(plan["deferred"])
    except (ValueError, KeyError, TypeError):
        return "the plan in the product's file is damaged", b""
    found = _bake(plan, deferred)
    return "; ".join(f"{name}: {fault}" for name, fault in found["faults"].items()), _encoded(plan["gates"])


def _encoded(gates):
    return b"".join(os.fsencode(name) + b"\0" for name in gates)


def _read(path):
    with open(path, "rb") as stream:
        return stream.read()


def _write(path, report):
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(report, stream)


def _train(plan):
    import atexit

    before = set(sys.modules)
    atexit.register(lambda: _write(plan["report"], [name for name in sys.modules if name not in before]))


class _Gate:
    """A finder that lets modules not be imported which are to stay out."""

    def __init__(self, left_out):
        self._left_out = left_out

    def find_spec(self, fullname, path=None, target=None):
        if fullname in self._left_out:
            raise Unbaked(fullname)


def _bake(plan, deferred):
    _coachwhip.hold_constant()
    import _coachwhip_later
    import _coachwhip_resume

    waiting = _coachwhip_later.Waiting(deferred)
    gate = _Gate(frozenset(plan["left_out"]))
    sys.meta_path.insert(0, gate)
    faults, needs = {}, []
    outside = set(plan["left_out"]) - sys.modules.keys()
    for name in plan["modules"]:
        try:
            importlib.import_module(name)
        except (Unbaked, Exception) as error:
            faults[name] = f"{type(error).__name__}: {error}"
            needed = waiting.needed_by(error)
            needs += [needed] if needed else []
        # Native modules of one library import each other without asking a finder.
        inside = sorted(outside & sys.modules.keys())
        if inside:
            faults.setdefault(name, f"imports {inside[0]} unheard")
            outside.difference_update(inside)
    sys.meta_path.remove(gate)
    later, more = waiting.finish()
    faults = {**more, **faults}
    _coachwhip_resume.plan(later)
    sys.stdout.flush()
    sys.stderr.flush()
    for _ in range(3):
        gc.collect()
    return {"faults": faults, "needs": needs}
