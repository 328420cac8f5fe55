from __future__ import annotations

import base64
import hashlib
import http.server
import threading
from typing import TYPE_CHECKING

import pytest

from coachwhip.effects import download as module
from coachwhip.effects.download import Download, Downloader
from coachwhip.errors import MachineError, NetworkError, ResolutionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = b"wheel" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Site(http.server.BaseHTTPRequestHandler):
    """Answers by path; `/flaky` fails twice, `/short` stops in the middle twice, `/moved` redirects."""

    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        tries = [path for path, _ in self.seen].count(self.path)
        if self.path == "/private" and self.headers.get("Authorization") is None:
            self.send_error(401)
        elif self.path == "/missing":
            self.send_error(404)
        elif self.path == "/flaky" and tries < 3:
            self.send_error(503)
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:100] if self.path == "/short" and tries < 3 else CONTENT)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    Site.seen = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def get(url: str, path: Path, sha256: str = SHA256, **options: dict[str, str]) -> None:
    Downloader({}, **options).get_all([Download(url, sha256, path)])


@pytest.mark.parametrize("path", ["file", "flaky", "short", "moved"])
def test_files_arrive(site: str, tmp_path: Path, path: str) -> None:
    get(f"http://{site}/{path}", tmp_path / "new" / "got")
    assert (tmp_path / "new" / "got").read_bytes() == CONTENT
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_several_at_once_and_told_of_each(site: str, tmp_path: Path) -> None:
    wanted = [Download(f"http://{site}/{n}", SHA256, tmp_path / str(n)) for n in range(20)]
    done: list[Download] = []
    Downloader({}).get_all(wanted, done.append)
    assert sorted(done, key=lambda one: int(one.path.name)) == wanted


def test_another_hash_is_refused_and_leaves_nothing(site: str, tmp_path: Path) -> None:
    with pytest.raises(ResolutionError) as caught:
        get(f"http://{site}/file", tmp_path / "got", "0" * 64)
    assert "hash" in caught.value.message
    assert SHA256 in caught.value.detail
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_there(site: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="404"):
        get(f"http://me:secret@{site}/missing", tmp_path / "got")
    assert len(Site.seen) == 1
    with pytest.raises(NetworkError) as caught:
        get(f"http://{site}/private", tmp_path / "got")
    assert "password" in caught.value.hint


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    with pytest.raises(NetworkError, match="can't download http://127"):
        get("http://127.0.0.1:9/x", tmp_path / "got")


def test_passwords_go_where_they_belong(site: str, tmp_path: Path) -> None:
    get(f"http://me:s%40crt@{site}/private", tmp_path / "a")
    get(f"http://{site}/private", tmp_path / "b", credentials={"127.0.0.1": "you:word"})
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login they password pw\n")
    Downloader({"NETRC": str(netrc)}).get_all([Download(f"http://{site}/private", SHA256, tmp_path / "c")])
    get(f"http://{site}/file", tmp_path / "d", credentials={"elsewhere.example": "you:word"})
    sent = [base64.b64decode(value.split()[1]).decode() if value else None for _, value in Site.seen]
    assert sent == ["me:s@crt", "you:word", "they:pw", None]


def test_local_files(tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(CONTENT)
    get((tmp_path / "a b").as_uri(), tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == CONTENT
    with pytest.raises(NetworkError):
        get((tmp_path / "none").as_uri(), tmp_path / "got")


def test_our_own_disk_is_not_the_network(site: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError):
        get(f"http://{site}/file", tmp_path / "file" / "got")
    assert len(Site.seen) <= 1


def test_unreadable_certificates(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="certificates"):
        Downloader({"SSL_CERT_FILE": str(tmp_path / "none.pem")})
