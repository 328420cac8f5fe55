"""A product's file with its snapshot: damaged, exchanged, built again, configured."""

from __future__ import annotations

import io
import random
import resource
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from coachwhip.errors import ImageError
from coachwhip.image import ImageReader, write_with_snapshot
from coachwhip.image.format import SNAPSHOT_ROOM, Section
from coachwhip.image.snapshot import SnapshotHead, with_head
from tests.products.building import environment
from tests.products.subjects import FROM_SNAPSHOT, SUBJECT, Subject, build_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.product

HEAD = 16384
#: Uses the environment's settings for Python.
CONFIGURED = """\
# /// script
# [tool.coachwhip]
# environment = true
# ///
import json
import sys

if sys.argv[1:] != ["--help"]:
    print(sys.flags.optimize, sys.flags.dev_mode, sys.flags.utf8_mode, json.dumps(1))
"""
#: The same, and never from a snapshot.
WITHOUT = """\
# /// script
# [tool.coachwhip]
# snapshot = "off"
# ///
print("ran")
"""

#: Has a page where the heap is.
TAKEN = """\
#include <sys/mman.h>
__attribute__((constructor)) static void take(void)
{
    mmap((void *)0x1000000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
"""


def snapshot_range(data: bytes) -> tuple[int, int]:
    """Where a product's snapshot is in its file, and its size."""
    reader = ImageReader(data)
    start, size = reader.range(Section.SNAPSHOT)
    return reader.offset + start, size


def changed(folder: Path, data: bytes) -> Subject:
    path = folder / "changed"
    path.write_bytes(data)
    path.chmod(0o755)
    return Subject(path)


def test_a_damaged_head_leads_to_an_ordinary_start(subject: Subject, tmp_path: Path) -> None:
    whole = subject.path.read_bytes()
    start, _ = snapshot_range(whole)
    numbers = random.Random(3)  # noqa: S311
    for at in [*range(0, 160, 8), *(numbers.randrange(HEAD) for _ in range(20))]:
        data = bytearray(whole)
        data[start + at] ^= 1 << numbers.randrange(8)
        outcome = changed(tmp_path, bytes(data)).any_start("print('ran')")
        assert outcome.reason == "started without a snapshot: the snapshot is damaged"
        assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "ran\n", "")


def test_damage_in_the_pages_is_found_by_who_looks(subject: Subject) -> None:
    """At a start nobody looks: it would read all of the memory, most of which is not needed."""
    whole = subject.path.read_bytes()
    start, size = snapshot_range(whole)
    ImageReader(whole).verify()
    for at in (HEAD, HEAD + 40_000, size // 2, size - 1):
        data = bytearray(whole)
        data[start + at] ^= 1
        with pytest.raises(ImageError):
            ImageReader(bytes(data)).verify()


def test_a_file_that_ends_within_its_snapshot_says_so(subject: Subject, tmp_path: Path) -> None:
    whole = subject.path.read_bytes()
    start, size = snapshot_range(whole)
    for end in (start, start + 100, start + HEAD, start + size // 2, start + size - 1):
        outcome = changed(tmp_path, whole[:end]).any_start("print('ran')")
        assert outcome.status > 0
        assert outcome.stdout == ""
        assert "truncated" in outcome.stderr


def test_a_snapshot_of_another_program_is_not_used(subject: Subject, tmp_path: Path) -> None:
    other = build_script(tmp_path, "other", "import json\nprint('other', json.dumps(1))")
    data = other.path.read_bytes()
    start, size = snapshot_range(data)
    with pytest.raises(ImageError):
        write_with_snapshot(subject.path.read_bytes(), data[start : start + size], io.BytesIO())


@pytest.mark.parametrize("field", ["stub_id", "image_id", "tables_checksum"])
def test_what_a_snapshot_says_it_belongs_to_is_compared(subject: Subject, tmp_path: Path, field: str) -> None:
    data = bytearray(subject.path.read_bytes())
    start, size = snapshot_range(bytes(data))
    head = SnapshotHead.of(bytes(data[start : start + size]))
    value = getattr(head, field)
    other: Any = value ^ 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
    data[start : start + SNAPSHOT_ROOM] = with_head(bytes(data[start:]), head._replace(**{field: other}))
    outcome = changed(tmp_path, bytes(data)).any_start("print('ran')")
    assert outcome.reason == "started without a snapshot: the snapshot belongs to another program"
    assert (outcome.status, outcome.stdout) == (0, "ran\n")


def test_two_builds_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "another folder").mkdir()
    one = build_script(tmp_path / "one", "same", SUBJECT)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("SOME_VARIABLE", "x" * 5000)
    two = build_script(tmp_path / "another folder", "same", SUBJECT)
    first, second = one.path.read_bytes(), two.path.read_bytes()
    start, size = snapshot_range(first)
    assert snapshot_range(second) == (start, size)
    different = [
        n for n in range(0, size, 8) if first[start + n : start + n + 8] != second[start + n : start + n + 8]
    ]
    assert not different, f"{len(different)} words of the snapshot, the first at {different[:5]}"
    assert first == second


def test_what_the_builder_ignores_is_not_ignored(tmp_path: Path) -> None:
    """Background jobs of shells ignore SIGINT and SIGQUIT, what nohup starts SIGHUP."""
    numbers = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1)
    (tmp_path / "ignoring").mkdir()
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        ignoring = build_script(tmp_path / "ignoring", "same", SUBJECT)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    code = f"print([int(signal.getsignal(each) == signal.SIG_IGN) for each in {[*map(int, numbers)]}])"
    assert ignoring.output(code) == "[0, 0, 0, 0]\n"
    assert ignoring.path.read_bytes() == build_script(tmp_path, "same", SUBJECT).path.read_bytes()


def test_settings_for_python_in_the_environment(tmp_path: Path) -> None:
    configured = build_script(tmp_path, "configured", CONFIGURED)
    assert configured.snapshot().stdout == configured.ordinary().stdout
    for name, value, printed in (
        ("PYTHONOPTIMIZE", "1", "1 False"),
        ("PYTHONDEVMODE", "1", "0 True"),
        ("PYTHONUTF8", "1", "0 False 1"),
    ):
        outcome = configured.any_start(env=environment(**{name: value}))
        assert outcome.reason == "started without a snapshot: the environment has settings for Python"
        assert outcome.stdout.startswith(printed), name


def test_a_product_that_wants_none(tmp_path: Path) -> None:
    without = build_script(tmp_path, "without", WITHOUT)
    outcome = without.any_start()
    assert (outcome.reason, outcome.stdout) == ("started without a snapshot: it has none", "ran\n")


def test_nothing_is_said_unless_asked(subject: Subject) -> None:
    for value in ("", "0"):
        variables = environment(COACHWHIP_WHY=value)
        done = subprocess.run([subject.path, "print(1)"], env=variables, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"1\n", b"")
    assert subject.any_start("print(1)").reason == FROM_SNAPSHOT


def test_the_reason_is_the_true_one(subject: Subject, tmp_path: Path) -> None:
    """Addresses that are taken, and memory that is limited, are told apart."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc")
    source = tmp_path / "taken.c"
    source.write_text(TAKEN)
    library = tmp_path / "taken.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    outcome = subject.any_start("print('ran')", env=environment(LD_PRELOAD=str(library)))
    assert outcome.reason == "started without a snapshot: its addresses are taken"
    assert (outcome.status, outcome.stdout) == (0, "ran\n")

    limit = subject.path.stat().st_size + (
        12 << 20
    )  # the file is mapped; there is no room for what comes then

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    outcome = subject.any_start("print('ran')", preexec_fn=limited)
    assert outcome.reason == "started without a snapshot: there is not enough memory, or a limit on it"
