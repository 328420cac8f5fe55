"""Products that go on from a snapshot: everything is as it is without one."""

from __future__ import annotations

import ast
import difflib
import os
import pty
import resource
import select
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile

from tests.products.building import environment
from tests.products.observed import OBSERVE
from tests.products.subjects import FROM_SNAPSHOT, build_script

if TYPE_CHECKING:
    from pathlib import Path

    from tests.products.subjects import Subject

pytestmark = pytest.mark.product


def observations(text: str) -> list[str]:
    # Addresses differ, and the path in a name does not.
    lines = text.replace("), ('", "),\n('").replace(", 'p", ",\n'p").split(", ")
    return [line.partition(" at 0x")[0] for line in lines]


def observe(subject: Subject, **options: object) -> str:
    """Compare what is seen of the same surroundings; return it."""
    here = subject.snapshot(OBSERVE, "--x", "ä", **options)
    there = subject.ordinary(OBSERVE, "--x", "ä", **options)
    found, expected = observations(here.stderr), observations(there.stderr)
    different = [line for line in difflib.ndiff(expected, found) if line[0] in "+-"]
    assert not different, "\n".join(different)
    assert here.status == there.status == 0
    assert "'arguments'" in here.stderr, here
    return here.stderr


def variables(**changes: str) -> dict[str, str]:
    """Few variables, and no locale."""
    return {"PATH": os.environ["PATH"], "HOME": "/home/somebody", "PARENT": str(os.getpid()), **changes}


@pytest.mark.parametrize("locale", [None, "C", "POSIX", "C.UTF-8", "C.utf8", "en_US.UTF-8", "missing.UTF-8"])
def test_locales(subject: Subject, locale: str | None) -> None:
    observe(subject, env=variables(**({"LC_ALL": locale} if locale else {})))
    if locale:
        observe(subject, env=variables(LANG=locale))
        observe(subject, env=variables(LC_CTYPE=locale))


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/St_Johns", ":Asia/Tokyo", "EST5EDT", "XYZ-3:30", "nonsense", ""]
)
def test_time_zones(subject: Subject, zone: str) -> None:
    observe(subject, env=variables(TZ=zone))


def test_surroundings(subject: Subject, tmp_path: Path) -> None:
    seen = observe(
        subject, env=variables(HOME="/elsewhere", NEW="1", EMPTY="", TMPDIR=str(tmp_path)), cwd=tmp_path
    )
    assert "/elsewhere" in seen
    assert str(tmp_path) in seen
    observe(subject, env={"HOME": "/"}, umask=0o77)
    observe(subject, env={})
    observe(subject, preexec_fn=lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN))
    observe(subject, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP]))
    observe(subject, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))


def test_values_that_are_no_text(subject: Subject) -> None:
    odd = os.fsdecode(b"\xff\xfe")
    observe(subject, env=variables(ODD=odd, **{odd: "1"}))
    code = "print(ascii(sys.argv[2:]), os.environb[b'ODD'], ascii(os.environ['ODD']))"
    for locale in ("C", "C.UTF-8", "en_US.UTF-8"):
        seen = subject.output(code, odd, "ä", "", env=variables(ODD=odd, LC_ALL=locale))
        assert seen == "['\\udcff\\udcfe', '\\xe4', ''] b'\\xff\\xfe' '\\udcff\\udcfe'\n"


def test_streams_that_are_files(subject: Subject, tmp_path: Path) -> None:
    stdin = tmp_path / "in"
    stdin.write_bytes(b"one\r\ntwo\n\xff\n" + b"x" * 100_000)
    for how in ("rb", "r+b"):
        with stdin.open(how) as source:
            code = "print(sys.stdin.buffer.tell(), sys.stdin.buffer.readline(), sys.stdin.buffer.readline())"
            subject.snapshot(code, stdin=source)
            source.seek(0)
            code = "sys.stdin.reconfigure(errors='replace'); print(ascii(sys.stdin.read()[:20]))"
            assert subject.snapshot(code, stdin=source).stdout == "'one\\r\\ntwo\\n\\ufffd\\nxxxxxxxxx'\n"
    for way in ("snapshot", "ordinary"):
        with (tmp_path / way).open("ab") as output:
            output.write(b"before ")
            output.flush()
            streams = {"capture_output": False, "stdout": output, "stderr": subprocess.PIPE}
            code = "print('ä', flush=True); sys.stdout.buffer.write(b'raw')"
            getattr(subject, way)(code, **streams, env=variables(LC_ALL="C"))
        assert (tmp_path / way).read_bytes() == "before ä\nraw".encode()


def test_standard_input_from_a_pipe(subject: Subject) -> None:
    assert (
        subject.output("print(input('? '), sys.stdin.readlines())", input="a\nb\nc") == "? a ['b\\n', 'c']\n"
    )
    assert subject.same("input()").status == 1


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-", "> /dev/full", "2> /dev/full"])
def test_streams_that_do_not_work(subject: Subject, closed: str) -> None:
    code = """
print(1)
os.write(9, repr([s and s.fileno() for s in (sys.stdin, sys.stdout, sys.stderr)]).encode())
"""
    found = []
    for value in ("1", "0"):
        script = f'export COACHWHIP_SNAPSHOT={value}; exec 9>&1; "$0" "$1" {closed}; echo "status $?"'
        done = subprocess.run(
            ["sh", "-c", script, str(subject.path), code],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        found.append((done.stdout, done.stderr))
    assert found[0] == found[1]
    assert "status" in found[0][0]


def test_standard_input_that_is_a_folder(subject: Subject) -> None:
    for value in ("1", "0"):
        command = ["sh", "-c", f'COACHWHIP_SNAPSHOT={value} exec "$0" "print(1)" < /', str(subject.path)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment(), timeout=60
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert "<stdin> is a directory, cannot continue" in done.stderr


def test_encodings_of_output(subject: Subject) -> None:
    for locale in ("C", "C.UTF-8", "en_US.UTF-8"):
        subject.same("print('ä€\\udcff')", env=variables(LC_ALL=locale))
        subject.same("sys.stderr.write('ä\\udcff\\n')", env=variables(LC_ALL=locale))


def _in_terminal(subject: Subject, code: str, typed: bytes, value: str) -> bytes:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(  # noqa: S606
            subject.path, [str(subject.path), code], {**variables(TERM="xterm"), "COACHWHIP_SNAPSHOT": value}
        )
    seen = os.read(terminal, 4096)  # a prompt, if something is to be typed
    os.write(terminal, typed)
    until = time.monotonic() + 60
    while time.monotonic() < until and select.select([terminal], [], [], 60)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.close(terminal)
    return seen + b" %d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        (OBSERVE.replace("sys.stderr.write(repr({", "print(({").replace("}))", "})['stdout'])"), b""),
        (
            "print(sys.stdin.isatty(), sys.stdout.line_buffering, os.get_terminal_size(), os.ttyname(0)[:5])",
            b"",
        ),
        ("print([input('name: ') for _ in range(2)])", b"me\nyou\n"),
        (
            "import readline; readline.parse_and_bind('tab: complete'); print(repr(input('> ')))",
            b"some text\n",
        ),
        ("import curses; s = curses.initscr(); size = s.getmaxyx(); curses.endwin(); print(size)", b""),
        ("print(repr(getpass.getpass()))", b"secret\n"),
    ],
)
def test_in_a_terminal(subject: Subject, code: str, typed: bytes) -> None:
    here, there = (_in_terminal(subject, code, typed, value) for value in ("1", "0"))
    assert here == there
    assert here.endswith(b" 0"), here


def test_what_has_to_differ_from_start_to_start(subject: Subject) -> None:
    code = """
        import _random
        print(json.dumps([
            random.random(), random.Random().random(), generator().random(), secrets.token_hex(),
            str(uuid.uuid4()), str(uuid.uuid1()), ssl.RAND_bytes(8).hex(), os.urandom(8).hex(),
            tempfile.mktemp(), started(), os.getpid(), datetime.datetime.now().isoformat(), time.time_ns(),
            _random.Random().random(), random.SystemRandom().random(), random.getrandbits(64),
        ]))
    """
    first, second = (ast.literal_eval(subject.snapshot(code).stdout) for _ in range(2))
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_seeds_still_decide(subject: Subject) -> None:
    subject.output("random.seed(5); print(random.random(), random.Random(7).random())")


def test_logging_counts_from_the_start(subject: Subject) -> None:
    code = """
        record = logging.LogRecord('', 0, '', 0, '', (), None)
        print(record.relativeCreated, abs(record.created - time.time()))
    """
    since, wrong = map(float, subject.snapshot(code).stdout.split())
    assert 0 <= since < 60_000
    assert wrong < 60


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"COACHWHIP_SNAPSHOT": "0"}, "COACHWHIP_SNAPSHOT=0"),
        ({"COACHWHIP_INTERPRETER": "1"}, "it acts as a Python interpreter"),
        ({"LC_ALL": "latin"}, "the locale's encoding is not UTF-8"),
        ({"PYTHONDEVMODE": "1"}, None),
    ],
)
def test_gates(subject: Subject, changes: dict[str, str], reason: str | None, tmp_path: Path) -> None:
    if changes.get("LC_ALL") == "latin":
        if shutil.which("localedef") is None:
            pytest.skip("no localedef")
        done = subprocess.run(
            ["localedef", "-i", "en_US", "-f", "ISO-8859-1", tmp_path / "latin"],
            check=False,
            capture_output=True,
        )
        if not (tmp_path / "latin").exists():
            pytest.skip(f"no sources of locales: {done.stderr!r}")
        changes = {"LC_ALL": "latin", "LOCPATH": str(tmp_path)}
    arguments = ("-c", "print('ran')") if "COACHWHIP_INTERPRETER" in changes else ("print('ran')",)
    outcome = subject.any_start(*arguments, env=variables(**changes))
    assert outcome.reason == (f"started without a snapshot: {reason}" if reason else FROM_SNAPSHOT)
    assert (outcome.status, outcome.stdout) == (0, "ran\n")


def test_what_is_of_one_process_has_no_initial_value(subject: Subject) -> None:
    """Variables that describe the process stay out of snapshots by their section, which is one of zeros."""
    with subject.path.open("rb") as stream:
        names = {section.name for section in ELFFile(stream).iter_sections()}
    assert "cw_live_bss" in names
    assert "cw_live_data" not in names


def test_a_program_that_starts_interpreters_while_it_is_tried_has_a_snapshot(folder: Path) -> None:
    text = "import subprocess, sys\nprint(subprocess.check_output([sys.executable, '-c', 'print(1)']))\n"
    subject = build_script(folder, "starter", text)
    assert subject.snapshot().stdout == "b'1\\n'\n"
