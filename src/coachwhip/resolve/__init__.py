"""Requirements and a target in, wheels that fit the target out.

resolve(...)      -> Lock       which file of each project, by uv, for the target
fetch(lock, ...)  -> wheels     downloaded, checked, or built from source for the target
build_local(...)  -> wheel      a project folder, built for the target
"""

from coachwhip.resolve.build import build_local
from coachwhip.resolve.fetch import fetch
from coachwhip.resolve.model import BuildPython, Kind, Lock, LockedFile, Options, Project
from coachwhip.resolve.resolver import resolve

__all__ = [
    "BuildPython",
    "Kind",
    "Lock",
    "LockedFile",
    "Options",
    "Project",
    "build_local",
    "fetch",
    "resolve",
]
