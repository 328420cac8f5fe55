"""Archives from Debian, without touching the system's package lists.

A private apt directory names the suites; `apt-get source --download-only` fetches sources, verified by apt's
signatures. A package's revision in a suite changes with time, so a package is found by the hash of the
archive that is wanted. Binary packages are taken from the mirror by their path, whatever suites it still has,
and verified by the hash that the recipe has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.effects.download import sha256_of
from coachwhip.effects.process import run
from coachwhip.errors import NetworkError
from coachwhip.runtime.toolchain import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["DebianArchive", "PrivateApt", "candidates", "mirrors", "network_settings", "parse_source_records"]

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
#: Stable releases keep their versions; the newest one first.
_SUITES = ("trixie", "bookworm")
_SOURCES = """\
Types: deb-src
URIs: {mirror}
Suites: {suites}
Components: main
Signed-By: {keyring}

"""
_APT = Path("/etc/apt")
_HELPER = Path("/usr/lib/apt/apt-helper")
#: A mirror of Debian, or of its security updates, in apt's settings.
_MIRROR = re.compile(r"https?://\S+/debian(-security)?/?(?=\s|$)")
_NETWORK = re.compile(r"Acquire::(?:https?|Check-(?:Valid-Until|Date)|ForceIPv[46])\b")
_ARCHIVE = re.compile(r"\.orig\.tar\.(?:gz|xz|bz2)$")


@dataclass(frozen=True)
class DebianArchive:
    """An upstream archive in a Debian source package.

    Attributes:
        package: source package.
        version: Debian's version of it.
        file: the archive's file name, `openssl_3.5.7.orig.tar.gz`.
        sha256: its hash according to the signed index.
    """

    package: str
    version: str
    file: str
    sha256: str

    @property
    def upstream_version(self) -> str:
        """The upstream version in the file name, `3.5.7`."""
        return _ARCHIVE.sub("", self.file).partition("_")[2]


def parse_source_records(text: str) -> list[DebianArchive]:
    """Read what `apt-cache showsrc` prints: the upstream archive of each record, duplicates left out."""
    found: dict[DebianArchive, None] = {}
    for record in text.split("\n\n"):
        fields: dict[str, list[str]] = {}
        current: list[str] = []
        for line in record.splitlines():
            if line[:1].isspace():
                current.append(line.strip())
            else:
                name, _, value = line.partition(":")
                current = fields.setdefault(name, [value.strip()])
        for line in fields.get("Checksums-Sha256", ())[1:]:
            sha256, _, file = line.split()
            if _ARCHIVE.search(file):
                found[DebianArchive(fields["Package"][0], fields["Version"][0], file, sha256)] = None
    return list(found)


def candidates(
    records: Iterable[DebianArchive], sha256: str, version: str, series: str
) -> list[DebianArchive]:
    """Choose the records to try, the best first.

    Args:
        records: what Debian's index has.
        sha256: of the pinned archive; records that have it are the only ones tried.
        version: the pinned version.
        series: when no record has the hash, newer versions that begin with this will do; none if empty.
    """
    records = list(records)
    exact = [record for record in records if record.sha256 == sha256]
    if exact or not series:
        return exact
    newer = [
        record
        for record in records
        if record.upstream_version.startswith(series)
        and _release(record.upstream_version) > _release(version)
    ]
    return sorted(newer, key=lambda record: _release(record.upstream_version), reverse=True)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def network_settings(dump: str) -> str:
    """Return those of the system's apt settings that say how servers are reached: proxies, clocks."""
    return "".join(f"{line}\n" for line in dump.splitlines() if _NETWORK.match(line))


def mirrors(settings: Iterable[str]) -> tuple[str, str]:
    """Return the mirrors of Debian and of its security updates that a machine uses; empty when it has none.

    Args:
        settings: texts of `sources.list` and of the files beside it, in either of apt's formats.
    """
    found = {"": "", "-security": ""}
    for text in settings:
        for line in text.splitlines():
            match = _MIRROR.search(line) if not line.lstrip().startswith("#") else None
            if match:
                found[match[1] or ""] = found[match[1] or ""] or match[0]
    return found[""], found["-security"]


def _system_mirrors() -> tuple[str, str]:
    files = [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*.*"))]
    wanted = [path for path in files if path.suffix in (".list", ".sources") and path.is_file()]
    return mirrors(path.read_text(errors="replace") for path in wanted)


class PrivateApt:
    """apt with lists and settings of its own below one directory."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._environ = clean_environment(environ)
        self._prepared = self._updated = False

    @staticmethod
    def usable() -> bool:
        """Whether this machine has apt, Debian's keys and one of its mirrors."""
        return _KEYRING.exists() and Path("/usr/bin/apt-get").exists() and bool(_system_mirrors()[0])

    def update(self) -> None:
        """Fetch the signed indexes, once.

        Raises:
            NetworkError: they can't be fetched or their signatures are wrong.
        """
        if self._updated:
            return
        self._prepare()
        status, output = self._apt("apt-get", "update", "--error-on=any")
        if status:
            raise NetworkError(
                "Debian's package lists can't be fetched",
                hint="check the network, or install a ready-made runtime with --find-links",
                detail=output,
            )
        self._updated = True

    def _prepare(self) -> None:
        """Write apt's settings, once."""
        if self._prepared:
            return
        for name in ("lists/partial", "cache/archives/partial"):
            (self._root / name).mkdir(parents=True, exist_ok=True)
        main, security = _system_mirrors()
        sources = _SOURCES.format(mirror=main, suites=" ".join(_SUITES), keyring=_KEYRING)
        if security:
            updates = " ".join(f"{suite}-security" for suite in _SUITES)
            sources += _SOURCES.format(mirror=security, suites=updates, keyring=_KEYRING)
        (self._root / "debian.sources").write_text(sources)
        (self._root / "apt.conf").write_text(
            f'Dir::Etc::sourcelist "{self._root}/debian.sources";\n'
            'Dir::Etc::sourceparts "/dev/null";\n'
            # The system's settings may have hooks that clean its cache after every update.
            'Dir::Etc::main "/dev/null";\n'
            'Dir::Etc::parts "/dev/null";\n'
            f'Dir::State "{self._root}";\n'
            f'Dir::State::lists "{self._root}/lists";\n'
            'Dir::State::status "/dev/null";\n'
            f'Dir::Cache "{self._root}/cache";\n'
            'APT::Sandbox::User "";\n'
            'Acquire::Languages "none";\n'
            'Acquire::Retries "2";\n' + network_settings(self._system_settings())
        )
        self._prepared = True

    def _system_settings(self) -> str:
        return run(["/usr/bin/apt-config", "dump"], env=self._environ).stdout

    def find(self, package: str, sha256: str, version: str, series: str) -> list[DebianArchive]:
        """Return the archives of a source package that will do, the best first; see `candidates`."""
        _, output = self._apt("apt-cache", "showsrc", "--only-source", package)
        return candidates(parse_source_records(output), sha256, version, series)

    def fetch(self, archive: DebianArchive, directory: Path) -> Path | None:
        """Download an archive into a directory; None when Debian's servers no longer have it.

        The package's other files may be missing without harm.
        """
        wanted = f"{archive.package}={archive.version}"
        self._apt("apt-get", "source", "--download-only", "--only-source", wanted, cwd=directory)
        path = directory / archive.file
        return path if path.exists() and sha256_of(path) == archive.sha256 else None

    def fetch_package(self, pool: str, sha256: str, directory: Path) -> Path | None:
        """Download a binary package into a directory; None when the mirror has no such file.

        Args:
            pool: its path below the mirror's `pool/main`.
            sha256: of the package.
            directory: where to put it.
        """
        self._prepare()
        path = directory / pool.rpartition("/")[2]
        address = f"{_system_mirrors()[0].rstrip('/')}/pool/main/{pool}"
        self._run([str(_HELPER), "download-file", address, str(path), f"SHA256:{sha256}"])
        return path if path.exists() and sha256_of(path) == sha256 else None

    def _apt(self, *args: str, cwd: Path | None = None) -> tuple[int, str]:
        return self._run(_words(args), cwd)

    def _run(self, command: Sequence[str], cwd: Path | None = None) -> tuple[int, str]:
        env = {**self._environ, "APT_CONFIG": str(self._root / "apt.conf")}
        done = run(command, cwd=cwd, env=env)
        return done.status, done.stdout + done.stderr


def _words(args: Sequence[str]) -> list[str]:
    return [f"/usr/bin/{args[0]}", *args[1:]]
