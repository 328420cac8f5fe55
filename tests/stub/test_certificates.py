"""Where a product looks for the machine's certificate authorities: once for each context."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.stub.programs import STUB, TESTS, compile_program

if TYPE_CHECKING:
    from pathlib import Path

DEBIAN = ("etc/ssl/certs/ca-certificates.crt", "etc/ssl/certs/0a775a30.0")
FEDORA = ("etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "etc/pki/tls/certs/ca-bundle.crt")
REHASHED = (*FEDORA, "etc/pki/tls/certs/5ad8a5d6.0")

SSL, TLS = "/etc/ssl/certs", "/etc/pki/tls/certs"


@pytest.fixture(scope="module")
def program(c_compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert c_compiler
    sources = (TESTS / "certificates.c", STUB / "certificates.c")
    return compile_program(
        tmp_path_factory.mktemp("certificates") / "program", sources, "-Wl,--wrap=opendir,--wrap=access"
    )


def ask(program: Path, root: Path, files: tuple[str, ...], contexts: int) -> list[str]:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    done = subprocess.run([program, root, str(contexts)], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("files", "listed", "answer"),
    [
        (DEBIAN, [SSL], ("/etc/ssl/cert.pem", SSL)),
        (REHASHED, [SSL, TLS], ("/etc/ssl/cert.pem", TLS)),
        (FEDORA, [SSL, TLS], (f"/{FEDORA[0]}", SSL)),
        (("etc/ssl/cert.pem",), [SSL, TLS], ("/etc/ssl/cert.pem", SSL)),
        ((), [SSL, TLS], ("/etc/ssl/cert.pem", SSL)),
    ],
    ids=["hashed", "hashed elsewhere", "a bundle", "another bundle", "nothing"],
)
def test_one_look_for_each_context(
    program: Path, tmp_path: Path, files: tuple[str, ...], listed: list[str], answer: tuple[str, str]
) -> None:
    look = [f"lists {folder}" for folder in listed]
    context = [*look, " ".join(answer)]
    expected = [*context, *context, *look, f"alone {answer[1]}"]
    assert ask(program, tmp_path, files, 2) == expected
