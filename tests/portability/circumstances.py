"""The circumstances in which every example must do what it does anywhere; `docs/reference/portability.md`
lists them by these names.
"""

from __future__ import annotations

from tests.portability.machine import USUAL, Circumstances, Mount

__all__ = ["CIRCUMSTANCES"]

HOME = {"HOME": "/home", "PATH": "/usr/bin:/bin"}
PLACES = ("/home", "/tmp", "/var/tmp", "/dev/shm")
PROC = Mount("proc", "/proc")


def places(options: str, *names: str) -> tuple[Mount, ...]:
    """The usual mounts, with options for those named (all when none is)."""
    chosen = names or PLACES
    return (PROC, *(Mount("tmpfs", name, options if name in chosen else "") for name in PLACES))


def environment(**variables: str) -> Circumstances:
    return Circumstances(environment=HOME | variables)


CIRCUMSTANCES: dict[str, Circumstances] = {
    "an unprivileged user": Circumstances(),
    "root": Circumstances(user=0),
    "no network": Circumstances(namespaces=("--net",)),
    "own user, PID, IPC and network namespaces": Circumstances(
        namespaces=("--user", "--map-root-user", "--pid", "--fork", "--ipc", "--net"), user=0
    ),
    "read-only home": Circumstances(mounts=places("ro", "/home")),
    "everything read-only": Circumstances(mounts=places("ro")),
    "noexec /tmp": Circumstances(mounts=places("mode=1777,noexec", "/tmp", "/var/tmp", "/dev/shm")),
    "noexec home": Circumstances(mounts=places("mode=1777,noexec", "/home")),
    "noexec everywhere": Circumstances(mounts=places("mode=1777,noexec")),
    "noexec /tmp and read-only home": Circumstances(
        mounts=(*places("mode=1777,noexec")[2:], PROC, Mount("tmpfs", "/home", "ro"))
    ),
    "a full disk everywhere": Circumstances(mounts=places("mode=1777,size=4k,nr_inodes=2")),
    "a small home": Circumstances(mounts=places("mode=1777,size=100k", "/home")),
    "no /proc": Circumstances(mounts=USUAL[1:]),
    "no HOME": Circumstances(environment={"PATH": "/usr/bin"}),
    "an empty environment": Circumstances(environment={}),
    "HOME that does not exist": environment(HOME="/nonexistent"),
    "HOME that is a file": environment(HOME="/etc/passwd"),
    "odd TMPDIR": environment(TMPDIR="/no/such dir/\u00e4\udcff", XDG_CACHE_HOME="relative"),
    "PYTHON variables of another Python": environment(
        PYTHONHOME="/nonexistent", PYTHONPATH="/nonexistent", PYTHONSTARTUP="/etc/passwd", PYTHONINSPECT="1"
    ),
    "an unknown locale": environment(LC_ALL="xx_YY.KOI8-R", LANG="zz"),
    "cwd deleted": Circumstances(directory="/tmp", directory_removed=True),
    "umask 077": Circumstances(umask=0o077),
    "umask 777": Circumstances(umask=0o777),
    "stdin closed": Circumstances(closed=(0,)),
    "ulimit -n 20": Circumstances(limits={"RLIMIT_NOFILE": 20}),
    "ulimit -s 256": Circumstances(limits={"RLIMIT_STACK": 256 << 10}),
    "ulimit -v 1 GB": Circumstances(limits={"RLIMIT_AS": 1 << 30}),
    "ulimit -c 0, -l 0, -u 20": Circumstances(
        limits={"RLIMIT_CORE": 0, "RLIMIT_MEMLOCK": 0, "RLIMIT_NPROC": 20}
    ),
    "started through a descriptor": Circumstances(by_descriptor=True),
    "started through a descriptor, no /proc": Circumstances(by_descriptor=True, mounts=USUAL[1:]),
}
