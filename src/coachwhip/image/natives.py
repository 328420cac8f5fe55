"""Which packaged libraries a packaged library needs, as the system's loader would find them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from coachwhip.model import NativeLib, Node

__all__ = ["dependency_closures"]


def dependency_closures(nodes: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """Map each native library's path to the paths it needs, dependencies before dependents.

    A needed name is looked for along DT_RUNPATH with `$ORIGIN` resolved, as ld.so(8) does. Libraries
    from outside of the bundle are left to the system.
    """
    natives = {path: node.native for path, node in nodes.items() if node.native is not None}
    direct = {path: tuple(_direct(path, native, natives)) for path, native in natives.items()}
    return {path: _closure(path, direct) for path in natives if direct[path]}


def _direct(path: str, native: NativeLib, natives: Mapping[str, NativeLib]) -> Iterator[str]:
    origin = posixpath.dirname(path)
    for name in native.needed:
        for entry in native.runpath:
            folder = entry.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", "/" + origin)
            found = posixpath.normpath(posixpath.join(folder, name)).lstrip("/")
            if found in natives:
                yield found
                break


def _closure(path: str, direct: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Depth-first post-order without `path` itself; cycles between libraries are cut."""
    done: list[str] = []
    seen = {path}
    stack = [(path, iter(direct[path]))]
    while stack:
        current, rest = stack[-1]
        following = next((dep for dep in rest if dep not in seen), None)
        if following is not None:
            seen.add(following)
            stack.append((following, iter(direct[following])))
            continue
        stack.pop()
        if current != path:
            done.append(current)
    return tuple(done)
