"""Where source archives come from, with folders and a fake apt instead of servers."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects.cache import Cache
from coachwhip.errors import NetworkError, RuntimeBuildError
from coachwhip.progress import Silent
from coachwhip.runtime import sources
from coachwhip.runtime.debian import DebianArchive, candidates
from coachwhip.runtime.recipe import Origin, SourceRecipe
from coachwhip.runtime.sources import Archive, obtain_archives, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping


def tar(path: Path, files: Mapping[str, str]) -> str:
    """Write an archive; return its hash."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def deb(files: Mapping[str, str]) -> bytes:
    """A binary package with these files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:xz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": stream.getvalue()}
    parts = [b"!<arch>\n"]
    for name, content in members.items():
        parts += [f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode(), content]
        parts += [b"\n"] if len(content) % 2 else []
    return b"".join(parts)


def recipe(url: str, sha256: str, *, series: str = "") -> SourceRecipe:
    origins = (Origin(sha256, url=url), Origin(sha256, debian="lib"))
    return SourceRecipe("lib", "Lib", "1.0", origins, ("LICENSE",), 1, series=series)


class FakeApt:
    """A Debian that has what `on_server` says."""

    on_server: Mapping[DebianArchive, Path] = {}
    in_pool: Mapping[str, Path] = {}

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        del root, environ

    @staticmethod
    def usable() -> bool:
        return bool(FakeApt.on_server or FakeApt.in_pool)

    def update(self) -> None:
        assert FakeApt.on_server, "lists are fetched for sources only"

    def find(self, package: str, sha256: str, version: str, series: str) -> list[DebianArchive]:
        return candidates([a for a in self.on_server if a.package == package], sha256, version, series)

    def fetch(self, archive: DebianArchive, directory: Path) -> Path | None:
        source = self.on_server[archive]
        return Path(shutil.copy(source, directory / archive.file)) if source.exists() else None

    def fetch_package(self, pool: str, sha256: str, directory: Path) -> Path | None:
        del sha256
        source = self.in_pool.get(pool)
        return Path(shutil.copy(source, directory / source.name)) if source else None


@pytest.fixture(autouse=True)
def _debian(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "PrivateApt", FakeApt)
    monkeypatch.setattr(FakeApt, "on_server", {})
    monkeypatch.setattr(FakeApt, "in_pool", {})


def obtain(wanted: SourceRecipe, cache: Cache) -> Archive:
    return obtain_archives([wanted], cache, {}, Silent())["lib"]


def test_upstream_comes_first_and_once(tmp_path: Path) -> None:
    cache, file = Cache(tmp_path / "cache"), tmp_path / "lib-1.0.tar.gz"
    wanted = recipe(file.as_uri(), tar(file, {"lib-1.0/a.c": "int a;"}))

    first = obtain(wanted, cache)
    file.unlink()

    assert (first.version, first.origin) == ("1.0", file.as_uri())
    assert obtain(wanted, cache) == first


def test_a_damaged_archive_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    cache, file = Cache(tmp_path / "cache"), tmp_path / "lib-1.0.tar.gz"
    wanted = recipe(file.as_uri(), tar(file, {"lib-1.0/a.c": "int a;"}))
    first = obtain(wanted, cache)
    first.path.write_bytes(b"damaged")

    assert obtain(wanted, cache) == first
    assert first.path.read_bytes() == file.read_bytes()


def test_debian_is_asked_when_upstream_fails_or_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, file, wrong = Cache(tmp_path / "cache"), tmp_path / "lib.tar.gz", tmp_path / "wrong.tar.gz"
    sha256 = tar(file, {"lib-1.0/a.c": "int a;"})
    tar(wrong, {"lib-1.0/a.c": "evil"})
    gone = DebianArchive("lib", "1.0-2", "lib_1.0.orig.tar.gz", sha256)
    there = DebianArchive("lib", "1.0-1", "lib_1.0.orig.tar.gz", sha256)
    monkeypatch.setattr(FakeApt, "on_server", {gone: tmp_path / "404", there: file})

    archive = obtain(recipe(wrong.as_uri(), sha256), cache)

    assert archive.origin == "debian:lib=1.0-1"
    assert archive.path.read_bytes() == file.read_bytes()


def test_a_security_fix_stands_in_and_says_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "new.tar.gz"
    fixed = DebianArchive("lib", "1.0.1-1", "lib_1.0.1.orig.tar.gz", tar(file, {"lib/a.c": "int b;"}))
    monkeypatch.setattr(FakeApt, "on_server", {fixed: file})
    wanted = recipe((tmp_path / "404").as_uri(), "0" * 64, series="1.0")

    archive = obtain(wanted, Cache(tmp_path / "cache"))

    assert (archive.version, archive.sha256) == ("1.0.1", fixed.sha256)


def test_a_binary_package_comes_from_the_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "lib_1.0_amd64.deb"
    file.write_bytes(deb({"./usr/lib/liba.so.1": "ELF"}))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(FakeApt, "in_pool", {"l/lib/lib_1.0_amd64.deb": file})
    origins = (
        Origin(sha256, url=(tmp_path / "404").as_uri()),
        Origin(sha256, pool="l/lib/lib_1.0_amd64.deb"),
    )

    archive = obtain(replace(recipe("", ""), origins=origins), Cache(tmp_path / "cache"))
    unpack(archive, tmp_path / "src" / "lib")

    assert archive.origin == "debian:pool/main/l/lib/lib_1.0_amd64.deb"
    assert (tmp_path / "src" / "lib" / "usr" / "lib" / "liba.so.1").read_text() == "ELF"


def test_a_source_that_nobody_has_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = recipe((tmp_path / "404").as_uri(), "0" * 64)
    with pytest.raises(NetworkError, match="can't download the source of Lib"):
        obtain(wanted, Cache(tmp_path / "cache"))

    other = DebianArchive("lib", "2.0-1", "lib_2.0.orig.tar.gz", "1" * 64)
    monkeypatch.setattr(FakeApt, "on_server", {other: tmp_path / "404"})
    with pytest.raises(NetworkError, match=r"Lib 1\.0"):
        obtain(wanted, Cache(tmp_path / "cache"))


def archive_of(path: Path, files: Mapping[str, str]) -> Archive:
    return Archive("1.0", tar(path, files), "here", path)


def test_the_top_folder_becomes_the_directory(tmp_path: Path) -> None:
    target = tmp_path / "src" / "lib"
    target.mkdir(parents=True)
    (target / "stale").touch()

    unpack(archive_of(tmp_path / "a.tar.gz", {"lib-1.0/src/a.c": "int a;"}), target)

    assert [p.relative_to(target).as_posix() for p in target.rglob("*.c")] == ["src/a.c"]
    assert not (target / "stale").exists()
    assert [p.name for p in target.parent.iterdir()] == ["lib"]


def test_a_package_that_is_cut_off_or_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    whole = deb({"./a": "1"})
    odd = (whole[:-1], whole[:70], whole.replace(b"`\n", b"??"), deb({"../escape": "1"}))
    for number, data in enumerate(odd):
        (tmp_path / f"{number}.deb").write_bytes(data)
        with pytest.raises(RuntimeBuildError, match="is not a source archive"):
            unpack(Archive("1.0", "", "here", tmp_path / f"{number}.deb"), tmp_path / "src" / "lib")
    assert not (tmp_path / "src" / "lib").exists()
    assert not list(tmp_path.rglob("escape"))


@pytest.mark.parametrize("files", [{"a/x": "1", "b/y": "2"}, {"../escape": "1"}, {}])
def test_an_archive_of_another_shape_is_refused(tmp_path: Path, files: Mapping[str, str]) -> None:
    with pytest.raises(RuntimeBuildError, match="is not a source archive"):
        unpack(archive_of(tmp_path / "a.tar.gz", files), tmp_path / "src" / "lib")
    assert not (tmp_path / "src" / "lib").exists()
    assert not (tmp_path / "escape").exists()
