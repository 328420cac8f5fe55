"""What programs do after they went on from a snapshot, and how they end: the same as without one."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.products.building import build, environment, make_wheel
from tests.products.lives import PROGRAMS
from tests.products.starts import Starter
from tests.products.subjects import FROM_SNAPSHOT, Subject

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(subject: Subject, name: str) -> None:
    subject.same(PROGRAMS[name])


def test_open_files_are_written(subject: Subject, tmp_path: Path) -> None:
    code = """
        one = open(sys.argv[2] + '1', 'w'); one.write('one')
        json.two = open(sys.argv[2] + '2', 'w'); json.two.write('two')
        argparse.Action.three = [open(sys.argv[2] + '3', 'w')]; argparse.Action.three[0].write('three')
        json.dumps.four = {4: open(sys.argv[2] + '4', 'w')}; json.dumps.four[4].write('four')
        sys.stdout.write('no end')
    """
    for way in ("snapshot", "ordinary"):
        assert getattr(subject, way)(code, tmp_path / way).stdout == "no end"
    for way in ("snapshot", "ordinary"):
        found = [(tmp_path / f"{way}{n}").read_text() for n in range(1, 5)]
        assert found == ["one", "two", "three", "four"], way


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(parallel_subject: Subject, method: str) -> None:
    assert parallel_subject.output(method).startswith("[0, 1, 4, 9, 16]\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_from_outside(subject: Subject, number: signal.Signals) -> None:
    found = []
    for value in ("1", "0"):
        code = "print('ready', flush=True); time.sleep(60)"
        variables = environment(COACHWHIP_SNAPSHOT=value)
        with subprocess.Popen(
            [subject.path, code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
        found.append((process.returncode, errors.splitlines()[-1:]))
    assert found[0] == found[1]
    assert found[0][0] == -number


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGPIPE, signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM]
)
def test_signals_that_the_parent_ignores(subject: Subject, number: signal.Signals) -> None:
    code = f"""
        print(signal.getsignal({number}))
        os.kill(os.getpid(), {number})
        print(subprocess.run(['sh', '-c', 'kill -{number.value} $$; echo alive'], capture_output=True))
    """
    subject.output(code, preexec_fn=lambda: signal.signal(number, signal.SIG_IGN))


def test_memory_that_is_limited(subject: Subject) -> None:
    code = """
        try:
            x = bytearray(10**10)
        except MemoryError:
            print('one')
        kept = []
        try:
            while True:
                kept.append('x' * 1000 + str(len(kept)))
        except MemoryError:
            kept.clear()
        print('two')
        try:
            kept = {n: [n] for n in range(10**9)}
        except MemoryError:
            print('three')
    """
    size = 600 << 20
    subject.output(code, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))


@pytest.mark.parametrize("mega", [80, 100, 120, 150, 200])
def test_little_address_space(subject: Subject, mega: int) -> None:
    size = mega << 20
    outcome = subject.any_start(
        "print(1)", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size))
    )
    assert (outcome.status, outcome.stdout) == (0, "1\n"), outcome


@pytest.mark.parametrize("prefix", [("setarch", "-R"), ("setarch", "-L"), ("prlimit", "--stack=unlimited")])
def test_other_layouts_of_memory(subject: Subject, prefix: tuple[str, ...]) -> None:
    if shutil.which(prefix[0]) is None:
        pytest.skip(f"no {prefix[0]}")
    outcome = subject.any_start("print(len(json.dumps(list(range(10**5)))))", prefix=prefix)
    assert (outcome.status, outcome.stdout) == (0, "688890\n"), outcome


def test_handshake(subject: Subject, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -subj /CN=localhost"
    )
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True
    )
    code = """
        key, certificate = sys.argv[2:]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        listener = socket.create_server(('127.0.0.1', 0))
        def serve():
            connection = context.wrap_socket(listener.accept()[0], server_side=True)
            connection.sendall(connection.recv(100).upper())
            connection.close()
        threading.Thread(target=serve).start()
        client = ssl.create_default_context(cafile=certificate)
        connection = socket.create_connection(listener.getsockname())
        with client.wrap_socket(connection, server_hostname='localhost') as s:
            s.sendall(b'secret')
            print(s.version(), s.recv(100), s.cipher()[0])
        strict = ssl.create_default_context()
        print(strict.verify_mode, strict.check_hostname)
        import urllib.request, urllib.error
        try:
            urllib.request.urlopen(f'https://localhost:{listener.getsockname()[1]}', timeout=1)
        except OSError as error:
            print('refused')
    """
    subject.same(code, key, certificate)


def test_many_at_once(subject: Subject) -> None:
    code = "print(json.dumps(sys.argv[2:]), threading.get_native_id() == os.getpid())"
    running = [
        subprocess.Popen(
            [subject.path, code, str(n)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
        for n in range(200)
    ]
    for n, process in enumerate(running):
        stdout, stderr = process.communicate(timeout=300)
        assert (process.returncode, stdout, stderr) == (0, f'["{n}"] True\n'.encode(), b"")


def test_one_after_the_other(subject: Subject, tmp_path: Path) -> None:
    """`python -m tests.products.starts` does it more often."""
    rounds = int(os.environ.get("COACHWHIP_STARTS", "300"))
    starter = Starter([subject.path, "print(sorted(os.listdir('/proc/self/fd')), sys.argv)"], tmp_path)
    first = starter.one()
    assert (first.status, first.stderr) == (0, f"{subject.path.name}: {FROM_SNAPSHOT}\n".encode())
    assert starter.in_a_row(rounds) == {first: rounds}
    assert starter.left_behind() == []


#: Is unlocked only if the hooks that belong together run together.
HOOKED = """\
import os, sys, threading

lock, seen = threading.Lock(), []


def child():
    lock.release()
    seen.append("child")


os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=child)


def main():
    if sys.argv[1:]:
        return
    print(seen, lock.locked(), flush=True)
    if os.fork() == 0:
        print(seen[-1:], lock.locked(), flush=True)
        os._exit(0)
    os.wait()
    print(lock.locked())
"""


def test_hooks_of_forks_run_at_a_start(tmp_path: Path) -> None:
    scripts = "[console_scripts]\nhooked = hooked:main\n"
    wheel = make_wheel(tmp_path, "hooked", "1.0", {"hooked.py": HOOKED}, entry_points=scripts)
    hooked = Subject(build(wheel, output=tmp_path / "app"))
    rest = "['child'] False\nFalse\n"
    assert hooked.ordinary().stdout == f"[] False\n{rest}"
    assert hooked.snapshot().stdout == f"['child'] False\n{rest}"


def test_it_starts_from_wherever_it_lies(subject: Subject, tmp_path: Path) -> None:
    moved = tmp_path / "päth with spaces" / "other name"
    moved.parent.mkdir()
    shutil.copy(subject.path, moved)
    other = type(subject)(moved)
    expected = f"{moved} ['/__app__/bin/subject']\n"
    assert other.output("print(sys.argv[0], [__file__])") == expected
    os.utime(moved, (time.time() - 10**8,) * 2)
    assert other.output("print(sys.argv[0], [__file__])") == expected
