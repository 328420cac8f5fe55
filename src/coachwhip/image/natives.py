"""Which packaged libraries a packaged library needs, as the system's loader would find them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coachwhip.model import NativeLib, Node

__all__ = ["dependency_closures", "library_folders", "needed_libraries", "outside_libraries"]

#: What glibc consists of on x86-64, in any version since 2.17.
_GLIBC = frozenset(
    {
        "ld-linux-x86-64.so.2",
        "libanl.so.1",
        "libc.so.6",
        "libcrypt.so.1",
        "libdl.so.2",
        "libm.so.6",
        "libmvec.so.1",
        "libnsl.so.1",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libutil.so.1",
    }
)


def dependency_closures(nodes: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """Map each native library's path to the paths it needs, dependencies before dependents.

    A needed name is looked for along DT_RUNPATH with `$ORIGIN` resolved, as ld.so(8) does. Libraries
    from outside of the bundle are left to the system.
    """
    needed = needed_libraries(nodes)
    direct = {
        path: tuple(found for _, found in entries if found is not None) for path, entries in needed.items()
    }
    return {path: _closure(path, direct) for path in direct if direct[path]}


def needed_libraries(nodes: Mapping[str, Node]) -> dict[str, tuple[tuple[str, str | None], ...]]:
    """Map each native library's path to the names that it needs, with the packaged library that each means.

    The order is that of DT_NEEDED; None stands for a library from outside of the bundle.
    """
    natives = {path: node.native for path, node in nodes.items() if node.native is not None}
    return {
        path: tuple((name, _find(name, library_folders(path, native), natives)) for name in native.needed)
        for path, native in natives.items()
    }


def library_folders(path: str, native: NativeLib) -> tuple[str, ...]:
    """Return a library's DT_RUNPATH as paths below the product's root; what leads elsewhere is left out."""
    origin = "/" + posixpath.dirname(path)
    folders = (entry.replace("${ORIGIN}", "$ORIGIN") for entry in native.runpath)
    found = (
        posixpath.normpath(folder.replace("$ORIGIN", origin)) for folder in folders if "$ORIGIN" in folder
    )
    return tuple(dict.fromkeys(folder.lstrip("/") for folder in found))


def outside_libraries(nodes: Mapping[str, Node]) -> dict[str, str]:
    """Map each library that the machine must have, beside glibc, to the path of one that needs it.

    A name that some packaged library has is not of the machine: packages load such libraries ahead.
    """
    natives = {path: node.native for path, node in nodes.items() if node.native is not None}
    packaged = {posixpath.basename(path) for path in natives} | {lib.soname for lib in natives.values()}
    found: dict[str, str] = {}
    for path, native in sorted(natives.items()):
        for name in native.needed:
            if name not in packaged and name not in _GLIBC:
                found.setdefault(name, path)
    return dict(sorted(found.items()))


def _find(name: str, folders: Iterable[str], natives: Mapping[str, NativeLib]) -> str | None:
    candidates = (posixpath.normpath(posixpath.join(folder, name)) for folder in folders)
    return next((path for path in candidates if path in natives), None)


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
