"""What a target accepts: wheel tags in order of preference, glibc floors, environment markers.

Pure: nothing here looks at the machine that runs it, so that a build gives the same answer anywhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.tags import Tag, compatible_tags, cpython_tags

from coachwhip.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coachwhip.model import Target

__all__ = [
    "fits",
    "format_tags",
    "glibc_needed",
    "marker_environment",
    "newer_glibc_tags",
    "parse_glibc",
    "parse_python",
    "supported_tags",
]

#: Names that platform tags had before PEP 600, by the glibc that they stand for.
_LEGACY = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}

#: The oldest glibc that any wheel can be tagged for. Legacy tags below 2.17 exist for x86 only.
_OLDEST = {"x86_64": (2, 5), "i686": (2, 5)}
_OLDEST_OTHERS = (2, 17)

#: Beyond the newest glibc there is, so that "needs a newer one" can be told from "never fits".
_NEWEST_MINOR = 99

_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_(\w+)")


def parse_python(text: str) -> tuple[int, int]:
    """Return `(3, 13)` for `3.13` or `3.13.4`.

    Raises:
        ConfigError: the text is not a Python version.
    """
    match = re.fullmatch(r"(3)\.(\d{1,3})(?:\.\d+)?", text.strip())
    if match is None:
        raise ConfigError(
            f"{text!r} is not a version of Python",
            hint="write the minor version, for example 3.13",
        )
    return int(match[1]), int(match[2])


def parse_glibc(text: str) -> tuple[int, int]:
    """Return `(2, 28)` for `2.28`.

    Raises:
        ConfigError: the text is not a version of glibc, or one that no product can be made for.
    """
    match = re.fullmatch(r"(2)\.(\d{1,2})", text.strip())
    if match is None:
        raise ConfigError(
            f"{text!r} is not a version of glibc", hint="write two numbers, for example 2.17 or 2.28"
        )
    version = int(match[1]), int(match[2])
    if version < _OLDEST_OTHERS:
        raise ConfigError(
            f"glibc {text.strip()} is older than anything a product can run on",
            hint="2.17 (from 2012) is the oldest one possible, and the default",
        )
    return version


def supported_tags(target: Target) -> tuple[Tag, ...]:
    """Return the wheel tags that `target` accepts, the best first."""
    platforms = list(_platforms(target.glibc, _oldest(target.arch), target.arch))
    return tuple(dict.fromkeys(_tags(target, platforms)))


def newer_glibc_tags(target: Target) -> tuple[Tag, ...]:
    """Return the tags that only a newer glibc stands in the way of, the smallest step first."""
    major, minor = target.glibc
    result: list[Tag] = []
    for newer in range(minor + 1, _NEWEST_MINOR + 1):
        # One glibc at a time, so that the order is by glibc before anything else.
        platforms = _names((major, newer), target.arch)
        result += (tag for tag in _tags(target, list(platforms)) if tag.platform != "any")
    return tuple(result)


def fits(tags: Iterable[Tag], target: Target) -> bool:
    """Return whether a wheel with this set of tags can be used on `target`."""
    return not set(supported_tags(target)).isdisjoint(tags)


def glibc_needed(tags: Iterable[Tag], target: Target) -> tuple[int, int] | None:
    """Return the oldest glibc on which a wheel with these tags can be used.

    Everything else about `target` is held fixed. `(0, 0)` means that the wheel does not depend on
    glibc; None means that no glibc makes it fit (another Python, another machine).
    """
    wanted = set(tags)
    if wanted & set(_tags(target, [])):
        return (0, 0)
    widest = list(_platforms((2, _NEWEST_MINOR), _oldest(target.arch), target.arch))
    found = [_glibc_of(tag.platform) for tag in wanted & set(_tags(target, widest))]
    return min((floor for floor in found if floor is not None), default=None)


def marker_environment(target: Target, python_full_version: str) -> dict[str, str]:
    """Return the environment markers (PEP 508) of `target`.

    Args:
        target: where the product runs.
        python_full_version: exact version of its interpreter, `3.13.5`.

    `platform_release` and `platform_version` describe a kernel that nobody knows while building; they
    are empty, as uv has them when it resolves for another platform.
    """
    return {
        "implementation_name": "cpython",
        "implementation_version": python_full_version,
        "os_name": "posix",
        "platform_machine": target.arch,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": python_full_version,
        "python_version": target.python_version,
        "sys_platform": "linux",
    }


def format_tags(tags: Iterable[Tag]) -> str:
    """Return a compressed tag set as in a wheel's file name, `cp313-cp313-manylinux_2_17_x86_64`."""
    parts = list(tags)
    return "-".join(
        ".".join(sorted({getattr(tag, field) for tag in parts}))
        for field in ("interpreter", "abi", "platform")
    )


def _tags(target: Target, platforms: list[str]) -> Iterator[Tag]:
    """Yield the target's tags for these platforms, then those that fit any platform."""
    if platforms:
        yield from cpython_tags(target.python, [target.abi], platforms)
    yield from cpython_tags(target.python, [target.abi], ["any"])
    for tag in compatible_tags(target.python, target.abi, platforms or ["any"]):
        if platforms or tag.platform == "any":
            yield tag


def _oldest(arch: str) -> tuple[int, int]:
    return _OLDEST.get(arch, _OLDEST_OTHERS)


def _platforms(newest: tuple[int, int], oldest: tuple[int, int], arch: str) -> Iterator[str]:
    for minor in range(newest[1], oldest[1] - 1, -1):
        yield from _names((newest[0], minor), arch)


def _names(glibc: tuple[int, int], arch: str) -> Iterator[str]:
    yield f"manylinux_{glibc[0]}_{glibc[1]}_{arch}"
    if glibc in _LEGACY:
        yield f"{_LEGACY[glibc]}_{arch}"


def _glibc_of(platform: str) -> tuple[int, int] | None:
    match = _MANYLINUX.fullmatch(platform)
    if match is not None:
        return int(match[1]), int(match[2])
    for glibc, name in _LEGACY.items():
        if platform.startswith(f"{name}_"):
            return glibc
    return None
