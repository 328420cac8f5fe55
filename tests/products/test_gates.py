"""Where a snapshot can't be used a product starts the ordinary way, and says why if asked."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coachwhip.image import ImageReader
from tests.products.building import build, environment, make_wheel
from tests.products.confined import KILL, Rule, refusal, refusing
from tests.products.extensions import SUFFIX, WHEEL_TAG, compile_extension
from tests.products.subjects import FROM_SNAPSHOT, Outcome, Subject

if TYPE_CHECKING:
    from coachwhip.effects.cache import Cache
    from coachwhip.runtime import Runtime

pytestmark = pytest.mark.product

SOURCES = Path(__file__).parent / "natives"
#: Uses what depends on the processor: OpenSSL, zlib, and functions of libc that are chosen by it.
CODE = """
data = bytes(range(256)) * 1000
print(hashlib.sha256(data).hexdigest(), zlib.crc32(data), data.find(b'no'), json.dumps([1.5, 'ä']))
print(hashlib.pbkdf2_hmac('sha1', b'password', b'salt', 10).hex(), len(pickle.dumps(data)))
print(math.fsum([math.sin(n) for n in range(100)]))
"""
CREW = """\
import sys

from crewed import crew


def main():
    if sys.argv[1:] == ["maps"]:
        print(open("/proc/self/maps").read())
    elif sys.argv[1:] not in (["--help"], ["--version"]):
        print(crew.work(7), crew.is_loader())
"""
GIB = 1 << 30
FIXED, FIXED_NOREPLACE = 0x10, 0x100000


@pytest.fixture(scope="module")
def crew(runtime: Runtime, cache: Cache, folder: Path) -> Subject:
    """A console script with a native library in its snapshot."""
    native = compile_extension(runtime, cache, [SOURCES / "crew.c"], folder / "crew" / f"crew{SUFFIX}")
    files: dict[str, str | bytes] = {"crewed/__init__.py": CREW, f"crewed/{native.name}": native.read_bytes()}
    entry = "[console_scripts]\ncrewed = crewed:main\n"
    wheel = make_wheel(folder / "crewed", "crewed", "1.0", files, entry_points=entry, tag=WHEEL_TAG)
    return Subject(build(wheel, "--glibc", "2.28", output=folder / "crewed" / "app"))


@pytest.fixture(scope="module")
def preloaded(runtime: Runtime, cache: Cache, folder: Path) -> str:
    """A library that changes what a program finds."""
    return str(compile_extension(runtime, cache, [SOURCES / "surroundings.c"], folder / "surroundings.so"))


@pytest.fixture(scope="module")
def expected(subject: Subject) -> str:
    """What the code prints."""
    return subject.output(CODE)


def processors() -> int:
    return len(os.sched_getaffinity(0))


def started(outcome: Outcome, stdout: str) -> str:
    """How it started; it must have done what it does anywhere."""
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, stdout, ""), outcome
    return outcome.reason


def with_tool(subject: Subject, tool: tuple[str, ...], *arguments: str) -> Outcome:
    """Run it below another program; what that says for itself is not looked at."""
    if shutil.which(tool[0]) is None:
        pytest.skip(f"there is no {tool[0]}")
    outcome = subject.any_start(*arguments, prefix=tool, timeout=300)
    return Outcome(outcome.status, outcome.stdout, "", outcome.reason)


ADDRESSES = {
    "heap": 64 * GIB,
    "within the heap": 64 * GIB + (64 << 10),
    "arenas": 96 * GIB,
    "libraries": 32 * GIB,
}


@pytest.mark.parametrize("kernel", [{}, {"OLD_KERNEL": "1"}], ids=["this kernel", "old kernel"])
@pytest.mark.parametrize("place", ADDRESSES)
def test_addresses_that_are_taken(  # noqa: PLR0913, PLR0917  (two products, and what they find)
    subject: Subject, crew: Subject, preloaded: str, expected: str, place: str, kernel: dict[str, str]
) -> None:
    variables = environment(LD_PRELOAD=preloaded, TAKE=str(ADDRESSES[place]), **kernel)
    taken = "started without a snapshot: its addresses are taken"
    without_natives = FROM_SNAPSHOT if place == "libraries" else taken
    assert started(subject.any_start(CODE, env=variables), expected) == without_natives
    assert started(crew.any_start(env=variables), f"{7 * processors()} True\n") == taken


def test_a_kernel_that_does_not_know_how_to_keep_what_is_mapped(
    subject: Subject, crew: Subject, preloaded: str, expected: str
) -> None:
    variables = environment(LD_PRELOAD=preloaded, OLD_KERNEL="1")
    assert started(subject.any_start(CODE, env=variables), expected) == FROM_SNAPSHOT
    assert started(crew.any_start(env=variables), f"{7 * processors()} True\n") == FROM_SNAPSHOT


ALLOWED = {
    "pages are not moved": ([Rule("mremap")], refusal(errno.EPERM)),
    "moving is not known": ([Rule("mremap")], refusal(errno.ENOSYS)),
    "no memory for moving": ([Rule("mremap")], refusal(errno.ENOMEM)),
    "personality is not allowed": ([Rule("personality")], KILL),
    "prctl is not allowed": ([Rule("prctl")], KILL),
    "no advice": ([Rule("madvise"), Rule("mremap")], refusal(errno.EPERM)),
    "processors are not told": ([Rule("sched_getaffinity")], refusal(errno.EPERM)),
    "limits are not told": ([Rule("prlimit64")], refusal(errno.EPERM)),
    "no way to itself": ([Rule("readlink")], refusal(errno.EACCES)),
}
REFUSED = {
    "fixed addresses": ([Rule("mmap", between=(32, 128))], refusal(errno.EPERM)),
    "addresses of the heap": ([Rule("mmap", between=(64, 96))], refusal(errno.EACCES)),
    "addresses of arenas": ([Rule("mmap", between=(96, 128))], refusal(errno.EPERM)),
    "flags": ([Rule("mmap", flags=FIXED_NOREPLACE)], refusal(errno.EINVAL)),
    "memory in the middle of it": (
        [Rule("mremap"), Rule("madvise"), Rule("mmap", flags=FIXED, between=(64, 128))],
        refusal(errno.ENOMEM),
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_system_calls_that_a_start_can_do_without(
    subject: Subject, crew: Subject, expected: str, name: str
) -> None:
    confine = refusing(*ALLOWED[name])
    assert started(subject.any_start(CODE, preexec_fn=confine), expected) == FROM_SNAPSHOT
    assert started(crew.any_start(preexec_fn=confine), f"{7 * processors()} True\n") == FROM_SNAPSHOT


@pytest.mark.parametrize("name", REFUSED)
def test_system_calls_without_which_there_is_no_snapshot(
    subject: Subject, crew: Subject, expected: str, name: str
) -> None:
    confine = refusing(*REFUSED[name])
    for reason in (
        started(subject.any_start(CODE, preexec_fn=confine), expected),
        started(crew.any_start(preexec_fn=confine), f"{7 * processors()} True\n"),
    ):
        assert reason.startswith("started without a snapshot: "), reason


def test_a_program_that_started_again_is_as_it_would_be(subject: Subject) -> None:
    """It does not see that, nor do programs that it starts."""
    code = """
        print(sys.argv, sys.orig_argv, sorted(os.environ), os.getpid() == threading.get_native_id())
        print(subprocess.check_output(['env']).count(b'AGAIN'), sorted(os.listdir('/proc/self/fd')))
    """
    confine = refusing(*REFUSED["memory in the middle of it"])
    again = subject.any_start(code, "an argument", "", preexec_fn=confine)
    assert again.reason == "started without a snapshot: the kernel refuses memory"
    assert subject.snapshot(code, "an argument", "").stdout == started_stdout(again)


def started_stdout(outcome: Outcome) -> str:
    assert (outcome.status, outcome.stderr) == (0, "")
    return outcome.stdout


def test_a_filter_that_kills_for_moving_pages(subject: Subject) -> None:
    """Nobody can ask beforehand; the variable helps."""
    confine = refusing([Rule("mremap")], KILL)
    assert subject.any_start("print(1)", preexec_fn=confine).status == -signal.SIGSYS
    assert started(subject.ordinary("print(1)", preexec_fn=confine), "1\n")


@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_as_much_memory_as_an_ordinary_start_needs_is_enough(subject: Subject, limit: str) -> None:
    def outcome(mega: int, way: str) -> Outcome:
        def confine() -> None:
            resource.setrlimit(getattr(resource, limit), (mega << 20, mega << 20))
            resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

        found: Outcome = getattr(subject, way)("print(json.dumps([1]))", preexec_fn=confine)
        return found

    good = {"RLIMIT_AS": 100, "RLIMIT_DATA": 60}[limit]
    bad = {"RLIMIT_AS": 45, "RLIMIT_DATA": 5}[limit]
    while good - bad > 1:
        middle = (good + bad) // 2
        if outcome(middle, "ordinary").status == 0:
            good = middle
        else:
            bad = middle
    # What is reserved for the time before `main`, and what is asked for in pieces of a megabyte or two.
    for mega in (*range(good + 3, good + 16), 64, 66, 70, 75, 80, 90, 100, 200):
        if mega >= good + 3:
            assert started(outcome(mega, "any_start"), "[1]\n")


@pytest.mark.parametrize("size", [256 << 10, 1 << 20, 1 << 30, resource.RLIM_INFINITY])
def test_stacks_of_all_sizes(subject: Subject, crew: Subject, expected: str, size: int) -> None:
    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (size, resource.RLIM_INFINITY))

    assert started(subject.any_start(CODE, preexec_fn=confine), expected) == FROM_SNAPSHOT
    assert started(crew.any_start(preexec_fn=confine), f"{7 * processors()} True\n") == FROM_SNAPSHOT


@pytest.mark.parametrize(
    "prefix",
    [
        ("setarch", "-R"),
        ("setarch", "-L"),
        ("setarch", "-X"),
        ("setarch", "-3"),
        ("strace", "-f", "-o", "/dev/null"),
        ("perf", "stat", "-o", "/dev/null"),
        ("/lib64/ld-linux-x86-64.so.2",),
        ("unshare", "--user", "--map-root-user"),
        ("unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork"),
        ("nice",),
        ("env", "-i", "COACHWHIP_WHY=1"),
    ],
    ids=" ".join,
)
def test_below_other_programs(
    subject: Subject, crew: Subject, expected: str, prefix: tuple[str, ...]
) -> None:
    probe = [*prefix, "/bin/true"]
    if shutil.which(prefix[0]) is None or subprocess.run(probe, check=False, capture_output=True).returncode:
        pytest.skip(f"{' '.join(prefix)} does not work here")
    assert started(with_tool(subject, prefix, CODE), expected) == FROM_SNAPSHOT
    assert started(with_tool(crew, prefix), f"{7 * processors()} True\n") == FROM_SNAPSHOT


def test_valgrind(subject: Subject, crew: Subject, expected: str) -> None:
    none, memcheck = ("valgrind", "--quiet", "--tool=none"), ("valgrind", "--quiet", "--error-exitcode=9")
    assert started(with_tool(subject, none, CODE), expected) == FROM_SNAPSHOT
    assert started(with_tool(crew, none), f"{7 * processors()} True\n")
    replaced = "started without a snapshot: a tool has replaced its malloc"
    assert started(with_tool(subject, memcheck, "print(1)"), "1\n") == replaced


def test_gdb(crew: Subject) -> None:
    """A breakpoint in a native library of the snapshot, and the way to it."""
    if shutil.which("gdb") is None:
        pytest.skip("there is no gdb")
    (native,) = ImageReader(crew.path.read_bytes()).manifest.natives
    library = crew.path.parents[1] / "crew" / f"crew{SUFFIX}"
    commands = (
        "set confirm off",
        "break PyOS_AfterFork_Child",
        "run",
        f"add-symbol-file {library} -o {native.address:#x}",
        "break crew_work",
        "continue",
        "backtrace",
        "continue",
    )
    options = [word for command in commands for word in ("-ex", command)]
    done = subprocess.run(
        ["gdb", "-nx", "-batch", *options, crew.path],
        check=False,
        capture_output=True,
        text=True,
        env=environment(COACHWHIP_WHY="1"),
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    seen = done.stdout
    assert FROM_SNAPSHOT in done.stdout + done.stderr
    assert "crew_work (" in seen, done.stdout + done.stderr
    assert "main (" in seen
    assert "exited normally" in seen


@pytest.mark.parametrize("cpu", ["qemu64", "Nehalem", "Haswell-v1", "EPYC-Rome", "max"])
def test_other_processors(subject: Subject, crew: Subject, expected: str, cpu: str) -> None:
    """What a processor lacks is not used: libraries choose their code when they are loaded."""
    emulator = ("qemu-x86_64", "-cpu", cpu)
    assert started(with_tool(subject, emulator, CODE), expected) == FROM_SNAPSHOT
    reason = started(with_tool(crew, emulator), f"{7 * processors()} True\n")
    if cpu in ("qemu64", "Nehalem"):
        lacks = "started without a snapshot: its native libraries have chosen code for another processor"
        assert reason == lacks
    else:
        assert reason


@pytest.mark.parametrize("count", [1, 2, 3, 64])
def test_pools_of_threads_are_as_large_as_this_machine(crew: Subject, preloaded: str, count: int) -> None:
    variables = environment(LD_PRELOAD=preloaded, PROCESSORS=str(count))
    assert crew.snapshot(env=variables).stdout == f"{7 * count} True\n"


def test_a_process_that_may_use_one_processor(crew: Subject) -> None:
    one = {min(os.sched_getaffinity(0))}
    assert crew.output(preexec_fn=lambda: os.sched_setaffinity(0, one)) == "7 True\n"


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "OMP_DYNAMIC", "GOMP_CPU_AFFINITY"])
def test_variables_of_openmp(crew: Subject, variable: str) -> None:
    reason = "started without a snapshot: a variable in the environment matters to one of its modules"
    assert started(crew.any_start(env=environment(**{variable: "1"})), f"{7 * processors()} True\n") == reason


def test_all_addresses_are_within_the_smallest_of_address_spaces(crew: Subject) -> None:
    """39 bits, of which programs have half."""
    lines = crew.snapshot("maps").stdout.splitlines()
    ends = [int(line.split()[0].partition("-")[2], 16) for line in lines if line]
    chosen_by_us = [end for end in ends if end < 1 << 46]
    assert 96 * GIB < max(chosen_by_us) < 1 << 38
