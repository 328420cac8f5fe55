"""Brings a program to the state that is saved as its snapshot: everything imported that can be."""

import gc
import importlib
import os
import sys


def bake():
    """Import the modules of the plan."""
    import _coachwhip_resume

    names = os.environ.get("COACHWHIP_BAKE_MODULES", "")
    for name in filter(None, names.split(",")):
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{name}: {error!r}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    for _ in range(3):
        gc.collect()
