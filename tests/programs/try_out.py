"""Build programs of the package index by name and use them as their users would.

    sudo python -m tests.programs.try_out [NAME ...] [--folder DIR] [--built] [--python PYTHON] [--table]

Each program of `programs.toml` is built with default settings and used by `use/NAME.sh` as the user
nobody, with an empty home and without any Python on PATH. With `--python` its start is timed as well, beside
the same program in a virtual environment of that Python. What was found is kept in DIR/facts; `--table`
prints it as the rows of docs/reference/tried-programs.md.

It needs the network, root, curl, git and openssl, takes long, and is no part of the tests that run by
themselves.
"""

from __future__ import annotations

import argparse
import http.server
import os
import shutil
import ssl
import subprocess
import sys
import threading
import tomllib
from functools import partial
from pathlib import Path
from typing import Any

from tests.programs.facts import Settings, build, compare, keep, table, way_of_starting

HERE = Path(__file__).resolve().parent
TOOLS = """
    sh bash cat cp mv rm mkdir chmod touch sleep env printf echo head tail grep sed sort uniq wc find id git
    curl kill seq tr cut date true false ls stty less pwd ln uname ps dirname basename mktemp cmp script
    timeout
"""
PAGE = "<html><title>Page {0}</title><body><p>text {0}</p><a href='index.html'>back</a></body></html>"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and returns what is posted."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def prepare(folder: Path) -> dict[str, str]:
    """Make the environment of the programs: a PATH without Python, a site over HTTP and one over HTTPS."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    tools = folder / "path"
    tools.mkdir(exist_ok=True)
    for name in TOOLS.split():
        found = shutil.which(name)
        if found and not (tools / name).exists():
            (tools / name).symlink_to(Path(found).resolve())
    site = folder / "site"
    site.mkdir(exist_ok=True)
    (site / "index.html").write_text("<title>Front</title><a href='p1.html'>1</a> <a href='p2.html'>2</a>")
    for number in "12":
        (site / f"p{number}.html").write_text(PAGE.format(number))
    (site / "a.json").write_text('[{"a": 3, "b": "x"}, {"a": 1, "b": "y"}]\n')
    (site / "film.mp4").write_bytes(os.urandom(300_000))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificates(folder / "ca"))
    return {
        "PATH": str(tools),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "SITE": f"http://localhost:{serve(site)}",
        "TLS": f"https://localhost:{serve(site, tls)}",
        "CA": str(folder / "ca/ca.pem"),
    }


def serve(site: Path, tls: ssl.SSLContext | None = None) -> int:
    """Serve a folder in a thread; returns the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site)))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def certificates(folder: Path) -> tuple[Path, Path]:
    """Make a certificate authority and a certificate for localhost; returns the latter and its key."""
    folder.mkdir(exist_ok=True)
    (folder / "names").write_text("subjectAltName=DNS:localhost\nauthorityKeyIdentifier=keyid\n")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
    for command in (
        [*new, "/CN=Test", "-x509", "-keyout", "ca.key", "-out", "ca.pem", *usage],
        [*new, "/CN=localhost", "-keyout", "site.key", "-out", "site.csr"],
        ["openssl", "x509", "-req", "-in", "site.csr", "-out", "site.pem", *signer],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "site.pem", folder / "site.key"


def use(
    name: str, product: Path, home: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Use a program as the user nobody."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.chown(home, "nobody")
    user = [
        str(shutil.which("setpriv")),
        "--reuid=nobody",
        "--regid=nogroup",
        "--clear-groups",
        "--inh-caps=-all",
    ]
    return subprocess.run(
        [*user, "/bin/bash", "-euo", "pipefail", HERE / "use" / f"{name}.sh"],
        cwd=home,
        env={**environment, "HOME": str(home), "P": str(product)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def main() -> int:
    """Try all programs or the named ones; the exit status is the number of those that failed."""
    programs = tomllib.loads((HERE / "programs.toml").read_text())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*programs, []])
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/tried-programs"))
    parser.add_argument("--built", action="store_true", help="use what an earlier run has built")
    parser.add_argument(
        "--unused", action="store_true", help="do not use the programs, only build and time them"
    )
    parser.add_argument("--python", type=Path, help="time starts, beside this Python")
    parser.add_argument("--table", action="store_true", help="only print what earlier runs have found")
    options = parser.parse_args()
    names = options.names or list(programs)
    if options.table:
        print(table({name: programs[name] for name in names}, options.folder))  # noqa: T201
        return 0
    environment = prepare(options.folder)
    return sum(not _try(name, programs[name], environment, options) for name in names)


def _try(name: str, settings: Settings, environment: dict[str, str], options: argparse.Namespace) -> bool:
    """Build, use and time a program; returns whether it works."""
    folder: Path = options.folder
    product = folder / "dist" / name
    if not options.built:
        keep(folder, name, build(name, settings, product))
    if not options.unused:
        done = use(name, product, folder / "home" / name, environment)
        keep(folder, name, {"works": done.returncode == 0})
        print(f"{name}: {'works' if done.returncode == 0 else 'FAILS'}", flush=True)  # noqa: T201
        if done.returncode:
            print(done.stdout[-4000:])  # noqa: T201
            return False
    keep(folder, name, {"start": way_of_starting(product, settings, folder)})
    if options.python:
        keep(folder, name, compare(name, settings, product, folder, options.python))
    return True


if __name__ == "__main__":
    sys.exit(main())
