"""Root file systems without Python: Debian's, made once and kept, and one that has little more than libc."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

__all__ = ["EXTRA_SUITES", "debian", "empty", "need_program", "need_root"]


#: More suites to run in, separated by spaces; each is made once, in a minute or two.
EXTRA_SUITES = tuple(os.environ.get("COACHWHIP_TEST_SUITES", "").split())

#: The loader and the libraries of glibc that products may need, by where Debian keeps them.
_LOADER = "lib64/ld-linux-x86-64.so.2"
_LIBRARIES = "lib/x86_64-linux-gnu"
_GLIBC = (
    *("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
    "libresolv.so.2",
)


def need_root() -> None:
    """Skip what needs chroot and mounts where they are not to be had."""
    if os.geteuid() != 0:
        pytest.skip("chroot and mount need root")
    probe = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"no namespaces on this machine: {probe.stderr.strip()}")


@cache
def need_program(name: str, package: str) -> str:
    """Return the path of a program, from Debian's package if root may install it; skip without it."""
    path = shutil.which(name)
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", package]):
            subprocess.run(["apt-get", *command, "--yes"], check=False, capture_output=True)
        path = shutil.which(name)
    if path is None:
        pytest.skip(f"there is no {name} here, and it can't be installed")
    return path


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "coachwhip-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def debian(suite: str) -> Path:
    """Return the root of a minimal Debian, from the user's cache or made now. Nobody may write to it."""
    need_root()
    root = _cache() / suite
    with (root.parent / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if root.is_dir():
            return root
        fresh = root.with_name(f".{suite}-{secrets.token_hex(4)}")
        command = [need_program("debootstrap", "debootstrap"), "--variant=minbase", suite, str(fresh)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            # Where these tests must not be missing, their absence is a failure.
            report = pytest.fail if os.environ.get("CI") else pytest.skip
            report(f"debootstrap can't make Debian {suite}: {done.stderr[-500:]}{done.stdout[-500:]}")
        shutil.rmtree(fresh / "var" / "cache" / "apt", ignore_errors=True)
        fresh.rename(root)
    return root


def empty(folder: Path, source: Path) -> Path:
    """Fill `folder` with the files of glibc of another root and nothing else: no /proc, /tmp, /etc, shell.

    Args:
        folder: an empty folder.
        source: the root that the files are taken from.
    """
    for name in (_LOADER, *(f"{_LIBRARIES}/{library}" for library in _GLIBC)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_followed(source, name), folder / name)
        (folder / name).chmod(0o755)
    return folder


def _followed(root: Path, name: str) -> Path:
    """The file that a name means in another root, whose absolute links start there."""
    path = root / name
    while path.is_symlink():
        link = path.readlink()
        path = root / str(link).lstrip("/") if link.is_absolute() else path.parent / link
    return path
