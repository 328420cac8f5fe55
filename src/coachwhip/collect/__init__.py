"""Wheels, the runtime's standard library and the app's start code -> layers -> a bundle.

collect_stdlib, collect_wheel, collect_entry,
collect_files                                  -> Layer       made once, then from the cache
plan_bundle(app, entry, parts, config)         -> BundlePlan  what goes in, and warnings
linked_builtins(bundle, builtins, config)      -> names       what must be linked when `prune` is on
layer_notes(layer)                             -> notes       for the build report
syntax_problems(interpreter, modules)          -> problems    of modules that only this Python can judge
"""

from coachwhip.collect.compiler import Problem, syntax_problems
from coachwhip.collect.entry import entry_path, entry_script
from coachwhip.collect.linked import linked_builtins
from coachwhip.collect.model import Note, Options, PythonRuntime, RawFile, library
from coachwhip.collect.plan import BundlePlan, Parts, plan_bundle
from coachwhip.collect.store import collect_entry, collect_files, collect_stdlib, collect_wheel, layer_notes

__all__ = [
    "BundlePlan",
    "Note",
    "Options",
    "Parts",
    "Problem",
    "PythonRuntime",
    "RawFile",
    "collect_entry",
    "collect_files",
    "collect_stdlib",
    "collect_wheel",
    "entry_path",
    "entry_script",
    "layer_notes",
    "library",
    "linked_builtins",
    "plan_bundle",
    "syntax_problems",
]
