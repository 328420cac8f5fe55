"""Download files whose hash is known: several at once, retried, and put in place by rename."""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import hashlib
import http.client
import netrc
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote, urlsplit, urlunsplit

from coachwhip.effects.files import atomic_write, translated_os_errors
from coachwhip.errors import MachineError, NetworkError, ResolutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Download", "Downloader", "sha256_of"]

_CHUNK = 1 << 18
_TIMEOUT = 60.0
_ATTEMPTS = 4
_PARALLEL = 8
#: Seconds before the second attempt; doubled for each further one.
_PAUSE = 0.5
#: Answers that another attempt may well turn into a good one.
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Download:
    """One file to get.

    Attributes:
        url: `https`, `http` or `file`.
        sha256: expected, hex; empty when unknown (then whatever comes is taken).
        path: where to put it.
    """

    url: str
    sha256: str
    path: Path


class _TransferError(Exception):
    """The other side or the way to it failed; kept apart from what our disk does."""

    def __init__(self, cause: OSError | http.client.HTTPException) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Downloader:
    """Gets files with the proxies, certificates and credentials of an environment.

    Credentials come from the URL itself, from `credentials`, or from the user's `.netrc`, in this order,
    and are sent to the host that they are meant for only.
    """

    def __init__(self, environ: Mapping[str, str], *, credentials: Mapping[str, str] | None = None) -> None:
        """Prepare for downloads; opens nothing.

        Args:
            environ: environment of the command: `*_PROXY`, `SSL_CERT_FILE`, `NETRC`.
            credentials: `user:password` by host name.
        """
        self._environ = environ
        self._credentials = dict(credentials or {})
        self._open = _opener(environ)

    def get_all(self, downloads: Sequence[Download], done: Callable[[Download], None] | None = None) -> None:
        """Get all files, several at once; `done` is told of each one that is in place.

        Raises:
            NetworkError: one can't be had.
            ResolutionError: one is not what its hash says.
            MachineError: it can't be written.
        """
        with concurrent.futures.ThreadPoolExecutor(_PARALLEL) as pool:
            running = {pool.submit(self._get, download): download for download in downloads}
            try:
                for future in concurrent.futures.as_completed(running):
                    future.result()
                    if done is not None:
                        done(running[future])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _get(self, download: Download) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._get_once(download)
            except _TransferError as error:
                if attempt == _ATTEMPTS or not _worth_retrying(error.cause):
                    _refuse(download, error.cause)
                time.sleep(_PAUSE * 2 ** (attempt - 1))
            else:
                return

    def _get_once(self, download: Download) -> None:
        digest = hashlib.sha256()
        with (
            contextlib.closing(_transfer(self._open, self._request(download.url))) as chunks,
            translated_os_errors("write the download"),
            atomic_write(download.path) as temporary,
            temporary.open("wb") as stream,
        ):
            for chunk in chunks:
                digest.update(chunk)
                stream.write(chunk)
            if download.sha256 and digest.hexdigest() != download.sha256:
                raise _wrong_hash(download, digest.hexdigest())

    def _request(self, url: str) -> urllib.request.Request:
        parts = urlsplit(url)
        host = parts.hostname or ""
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        request = urllib.request.Request(bare, headers={"User-Agent": "coachwhip"})  # noqa: S310 - see _opener
        secret = ""
        if parts.username is not None:
            secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        secret = secret or self._credentials.get(host, "") or self._from_netrc(host)
        if secret:
            # Unredirected: storage that an index redirects to must not see the index's password.
            value = base64.b64encode(secret.encode()).decode()
            request.add_unredirected_header("Authorization", f"Basic {value}")
        return request

    def _from_netrc(self, host: str) -> str:
        name = self._environ.get("NETRC") or f"{self._environ.get('HOME', '')}/.netrc"
        try:
            found = netrc.netrc(name).authenticators(host)
        except (OSError, netrc.NetrcParseError):
            return ""
        return f"{found[0]}:{found[2]}" if found else ""


def sha256_of(path: Path) -> str:
    """Return the hex hash of a file.

    Raises:
        MachineError: it can't be read.
    """
    with translated_os_errors("read the file"), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _opener(environ: Mapping[str, str]) -> Callable[[urllib.request.Request], http.client.HTTPResponse]:
    """Return a function that opens requests; it knows no schemes but https, http and file."""
    bundle = environ.get("SSL_CERT_FILE") or environ.get("PIP_CERT") or environ.get("REQUESTS_CA_BUNDLE")
    try:
        context = ssl.create_default_context(cafile=bundle or None)
    except OSError as error:
        raise MachineError(
            f"can't read the certificates in {bundle}: {error}", hint="check SSL_CERT_FILE or PIP_CERT"
        ) from error
    opener = urllib.request.OpenerDirector()
    proxies = {
        scheme: url
        for scheme in ("http", "https")
        if (url := environ.get(f"{scheme}_proxy") or environ.get(f"{scheme}_proxy".upper()))
    }
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.FileHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return lambda request: opener.open(request, timeout=_TIMEOUT)


def _transfer(
    open_: Callable[[urllib.request.Request], http.client.HTTPResponse], request: urllib.request.Request
) -> Generator[bytes, None, None]:
    """Yield what the other side sends; `_TransferError` when it stops before the announced end."""
    try:
        with open_(request) as answer:
            expected = answer.headers.get("Content-Length", "")
            size = 0
            while chunk := answer.read(_CHUNK):
                size += len(chunk)
                yield chunk
            if expected.isdigit() and size != int(expected):
                raise http.client.IncompleteRead(b"", int(expected) - size)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise _TransferError(error) from error


def _worth_retrying(error: OSError | http.client.HTTPException) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code in _TRANSIENT
    reason = getattr(error, "reason", error)
    return not isinstance(reason, ssl.SSLCertVerificationError | FileNotFoundError)


def _refuse(download: Download, error: OSError | http.client.HTTPException) -> NoReturn:
    parts = urlsplit(download.url)
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if isinstance(error, urllib.error.HTTPError):
        hint = "check the user name and password of that index" if error.code in (401, 403) else ""
        raise NetworkError(f"can't download {shown}: {error.code} {error.reason}", hint=hint) from error
    reason = getattr(error, "reason", error)
    raise NetworkError(f"can't download {shown}: {reason}", hint="check the network and try again") from error


def _wrong_hash(download: Download, actual: str) -> ResolutionError:
    return ResolutionError(
        f"{download.path.name} is not the file that was locked: its hash is wrong",
        hint="the index or a proxy in between delivers something else; don't use it before you know why",
        detail=f"expected sha256 {download.sha256}\nreceived sha256 {actual}\nfrom {download.url}",
    )
