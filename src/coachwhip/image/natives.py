"""Which libraries of a product a packaged library needs, as the system's loader would find them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from coachwhip.model import NativeLib, Node

__all__ = [
    "CARRIED",
    "GLIBC_LIBRARIES",
    "carried_libraries",
    "dependency_closures",
    "is_carried",
    "library_folders",
    "needed_libraries",
    "outside_libraries",
]

#: Where libraries of the runtime are in a product that carries them; `stub/carried.c` has the same.
CARRIED = "lib/coachwhip"

#: What glibc consists of on x86-64, in any version since 2.17.
GLIBC_LIBRARIES = frozenset(
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

    A needed name is looked for along DT_RUNPATH with `$ORIGIN` resolved, as ld.so(8) does, then among the
    carried libraries. Other libraries from outside of the bundle are left to the system.
    """
    direct = {
        path: tuple(found for _, found in needed if found is not None)
        for path, needed in needed_libraries(nodes).items()
    }
    return {path: _closure(path, direct) for path in direct if direct[path]}


def needed_libraries(nodes: Mapping[str, Node]) -> dict[str, tuple[tuple[str, str | None], ...]]:
    """Map each native library's path to the names that it needs, with the packaged library that each means.

    The order is that of DT_NEEDED; None stands for a library from outside of the bundle.
    """
    known = _Natives(nodes)
    return {path: tuple(known.needed(path)) for path in known.natives}


def library_folders(path: str, native: NativeLib) -> tuple[str, ...]:
    """Return a library's DT_RUNPATH as paths below the product's root; what leads elsewhere is left out."""
    origin = "/" + posixpath.dirname(path)
    entries = (entry.replace("${ORIGIN}", "$ORIGIN") for entry in native.runpath)
    inside = (entry.replace("$ORIGIN", origin) for entry in entries if "$ORIGIN" in entry)
    folders = map(posixpath.normpath, inside)
    return tuple(dict.fromkeys(folder.lstrip("/") for folder in folders))


def carried_libraries(nodes: Mapping[str, Node]) -> frozenset[str]:
    """Return the paths of those carried libraries that something else among the nodes needs."""
    closures = dependency_closures(nodes)
    used = {path for user, needed in closures.items() if not is_carried(user) for path in needed}
    return frozenset(path for path in used if is_carried(path))


def outside_libraries(nodes: Mapping[str, Node]) -> dict[str, str]:
    """Map each library that the machine must have, beside glibc, to the path of one that needs it.

    A name that some packaged library has is not of the machine: packages load such libraries ahead.
    """
    known = _Natives(nodes)
    found: dict[str, str] = {}
    for path, native in sorted(known.natives.items()):
        for name in native.needed:
            if name not in known.packaged | GLIBC_LIBRARIES and known.carried(native, name) is None:
                found.setdefault(name, path)
    return dict(sorted(found.items()))


def is_carried(path: str) -> bool:
    """Return whether a path is that of a carried library."""
    return posixpath.dirname(path) == CARRIED


class _Natives:
    """The native libraries among some nodes; `packaged` are the names of those that are not carried."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.natives = {path: node.native for path, node in nodes.items() if node.native is not None}
        own = {path: native for path, native in self.natives.items() if not is_carried(path)}
        self.packaged = {posixpath.basename(path) for path in own} | {lib.soname for lib in own.values()}

    def needed(self, path: str) -> Iterator[tuple[str, str | None]]:
        """Yield what a library names as needed, each with its path as far as the nodes have it."""
        native = self.natives[path]
        folders = library_folders(path, native)
        for name in native.needed:
            beside = (posixpath.normpath(posixpath.join(folder, name)) for folder in folders)
            found = next((place for place in beside if place in self.natives), None)
            if found is None and name not in self.packaged:
                found = self.carried(native, name)
            yield name, found

    def carried(self, native: NativeLib, name: str) -> str | None:
        """Return the path of a carried library that will do for what `native` needs by a name.

        The loader of a program that is started by itself does not find it, and one that lacks a version of
        symbols would not be accepted.
        """
        path = f"{CARRIED}/{name}"
        if path not in self.natives or native.program:
            return None
        wanted = {version for library, version in native.versions if library == name}
        return path if wanted <= set(self.natives[path].offers) else None


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
