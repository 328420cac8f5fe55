"""Snapshots that users make on their own machines, with `--coachwhip-bake`."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.products.building import environment
from tests.products.observed import OBSERVE
from tests.products.subjects import FROM_SNAPSHOT, Subject, build_script
from tests.products.test_snapshots import observations

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.product

FROM_MACHINE = "started from the snapshot made on this machine"
NOT_USED = "the snapshot made on this machine is not used: "
OPTION = "--coachwhip-bake"
SOMEBODY = 12345
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="other users, and mounts, need root")

#: Says how it was started, and nothing else.
ARGUMENTS = "import sys; print(sys.argv[1:])"


class Owner:
    """A user with a home of their own, and a product that they use."""

    def __init__(self, product: Path, home: Path, **variables: str) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.subject = Subject(product, {"HOME": str(home), **variables})
        self.name = product.name

    def bake(self, option: str = OPTION, **options: Any) -> subprocess.CompletedProcess[str]:
        variables = environment(**self.subject.variables)
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "env": variables, **options}
        command = [str(self.subject.path), option]
        return subprocess.run(command, check=False, text=True, timeout=120, **options)

    def made(self, **options: Any) -> Path:
        """Make a snapshot; return its path."""
        done = self.bake(**options)
        assert (done.returncode, done.stderr) == (0, ""), done
        line = re.fullmatch(
            rf"{self.name}: made a snapshot for this machine, [0-9.]+ MB: (.*); {OPTION}=remove removes it\n",
            done.stdout,
        )
        assert line, done.stdout
        return Path(line[1])

    def refused(self, **options: Any) -> str:
        """Try to make one, in vain; return what was said."""
        done = self.bake(**options)
        assert (done.returncode, done.stdout) == (124, ""), done
        assert done.stderr.startswith(f"{self.name}: ")
        assert len(done.stderr.splitlines()) == 1
        return done.stderr.strip().partition(": ")[2]

    def start(self, code: str = "print(hash('text'))", **options: Any) -> tuple[str, str, str]:
        """Start the product; return what it says of its start, its output, and what else it says."""
        outcome = self.subject.any_start(code, **options)
        assert outcome.status == 0, outcome
        return outcome.reason, outcome.stdout, outcome.stderr

    def leftovers(self) -> list[str]:
        return [path.name for path in self.home.rglob("*snapshot*")]


@pytest.fixture
def owner(subject: Subject, tmp_path: Path) -> Owner:
    return Owner(subject.path, tmp_path / "home")


def test_it_is_made_for_its_user_and_used(owner: Owner) -> None:
    own = owner.start()
    assert own[0] == FROM_SNAPSHOT
    path = owner.made()
    assert path.parent.parent == owner.home / ".cache" / "coachwhip"
    assert path.stat().st_mode & 0o777 == 0o600
    assert owner.leftovers() == ["snapshot"]
    first, again = owner.start(), owner.start()
    assert first[0] == FROM_MACHINE
    assert first == again
    assert first[1] != own[1]
    owner.made()
    assert owner.start()[1] not in (first[1], own[1])
    done = owner.bake(f"{OPTION}=remove")
    assert (done.returncode, done.stdout) == (0, f"{owner.name}: removed the snapshot for this machine\n")
    done = owner.bake(f"{OPTION}=remove")
    assert (done.returncode, done.stdout) == (0, f"{owner.name}: there is no snapshot for this machine\n")
    assert owner.start() == own


def test_everything_else_is_as_without_it(owner: Owner) -> None:
    owner.made()
    here = owner.subject.any_start(OBSERVE, "--x", "ä")
    there = owner.subject.ordinary(OBSERVE, "--x", "ä")
    assert here.reason == FROM_MACHINE
    assert observations(here.stderr) == observations(there.stderr)
    code = "print(random.random(), uuid.uuid4(), secrets.token_hex(), ssl.RAND_bytes(8), os.getpid())"
    assert owner.start(code)[1] != owner.start(code)[1]


def test_nothing_of_the_users_surroundings_gets_into_it(owner: Owner, tmp_path: Path) -> None:
    value = "something that nobody is to see"
    path = owner.made(env=environment(**owner.subject.variables, PRIVATE=value), cwd=tmp_path)
    memory = path.read_bytes()
    assert value.encode() not in memory
    assert str(tmp_path).encode() not in memory


def test_other_arguments_are_the_apps(subject: Subject, tmp_path: Path) -> None:
    product = build_script(tmp_path, "shows", ARGUMENTS)
    for arguments in (
        (OPTION, "x"),
        ("x", OPTION),
        (OPTION + "d",),
        (OPTION + "=",),
        (OPTION + "=removed",),
        (OPTION, OPTION),
    ):
        outcome = product.any_start(*arguments)
        assert (outcome.status, outcome.stdout) == (0, f"{list(arguments)}\n"), outcome
    assert subject.path.exists()


def test_a_product_can_do_without_it(tmp_path: Path) -> None:
    settings = "# /// script\n# [tool.coachwhip.snapshot]\n# rebake = false\n# ///\n"
    product = build_script(tmp_path, "without", settings + ARGUMENTS)
    home = tmp_path / "home"
    outcome = Subject(product.path, {"HOME": str(home)}).any_start(OPTION)
    assert (outcome.reason, outcome.stdout) == (FROM_SNAPSHOT, f"['{OPTION}']\n")
    assert not home.exists()


def test_a_product_without_snapshot_says_so(tmp_path: Path) -> None:
    settings = '# /// script\n# [tool.coachwhip]\n# snapshot = "off"\n# ///\n'
    product = build_script(tmp_path, "off", settings + ARGUMENTS)
    owner = Owner(product.path, tmp_path / "home")
    assert owner.refused() == "it was built without a snapshot: there is none to be made anew"
    assert owner.leftovers() == []


def test_only_one_of_this_machine_may_be_wanted(owner: Owner) -> None:
    strict = Owner(owner.subject.path, owner.home, COACHWHIP_SNAPSHOT="machine")
    assert strict.start()[0] == "started without a snapshot: COACHWHIP_SNAPSHOT=machine"
    owner.made()
    assert strict.start()[0] == FROM_MACHINE


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
def test_looking_for_one_that_is_not_there_is_one_system_call(owner: Owner, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    owner.start(prefix=["strace", "-o", str(calls)])
    found = [line for line in calls.read_text().splitlines() if str(owner.home) in line]
    assert len(found) == 1, found
    assert "ENOENT" in found[0]
    assert not list(owner.home.iterdir())


def _readable(path: Path) -> None:
    path.chmod(0o644)


def _writable_folder(path: Path) -> None:
    path.parent.chmod(0o770)


def _shortened(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def _shortest(path: Path) -> None:
    os.truncate(path, 100)


def _longer(path: Path) -> None:
    os.truncate(path, path.stat().st_size + 4096)


def _changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)


def _linked(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to("other")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_readable, "somebody else may read or change it"),
        (_writable_folder, "somebody else could change it"),
        (_linked, "it is no ordinary file"),
        (_shortened, "the snapshot is damaged"),
        (_shortest, "the snapshot is damaged"),
        (_longer, "the snapshot is damaged"),
        (_changed, "the snapshot is damaged"),
    ],
)
def test_what_can_not_be_trusted_is_not_used(
    owner: Owner, change: Callable[[Path], None], reason: str
) -> None:
    own = owner.start()
    change(owner.made())
    assert owner.start() == (own[0], own[1], f"{owner.name}: {NOT_USED}{reason}\n")


def test_that_of_another_product_is_not_used(owner: Owner, tmp_path: Path) -> None:
    path = owner.made()
    other = Owner(build_script(tmp_path, "another", ARGUMENTS).path, owner.home)
    assert other.start()[0] == FROM_SNAPSHOT  # it has another folder
    shutil.copy(path, other.made())
    reason, _, told = other.start()
    assert reason == FROM_SNAPSHOT
    assert told == f"another: {NOT_USED}the snapshot belongs to another program\n"


def test_the_products_own_is_none_of_this_machine(owner: Owner) -> None:
    from coachwhip.image import read_image  # noqa: PLC0415
    from coachwhip.image.format import Section  # noqa: PLC0415

    owner.made().write_bytes(read_image(owner.subject.path).section(Section.SNAPSHOT))
    assert owner.start()[2] == f"{owner.name}: {NOT_USED}the snapshot belongs to another program\n"


def test_where_there_is_no_place_for_it(subject: Subject, tmp_path: Path) -> None:
    nowhere = "there is no folder for a snapshot; set HOME, or COACHWHIP_CACHE_DIR"
    assert Owner(subject.path, tmp_path, HOME="", XDG_CACHE_HOME="relative").refused() == nowhere
    at_proc = Owner(subject.path, tmp_path, COACHWHIP_CACHE_DIR="/proc/nowhere").refused()
    assert at_proc == "/proc/nowhere can't hold a snapshot: No such file or directory"
    a_file = tmp_path / "file"
    a_file.touch()
    refused = Owner(subject.path, tmp_path, COACHWHIP_CACHE_DIR=str(a_file)).refused()
    assert refused == f"{a_file} can't hold a snapshot: Not a directory"


def test_a_folder_that_others_can_change_gets_none(owner: Owner) -> None:
    owner.made().parent.parent.chmod(0o777)
    refused = f"{owner.home}/.cache can't hold a snapshot: somebody else could change files in it"
    assert owner.refused() == refused


def test_a_file_that_gets_too_large_is_not_kept(owner: Owner) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    assert owner.refused(preexec_fn=limited) == "no snapshot can be made: File too large"
    assert owner.leftovers() == []
    path = owner.made()
    before = path.read_bytes()
    owner.refused(preexec_fn=limited)
    assert path.read_bytes() == before


@ROOT
@pytest.mark.parametrize(
    ("mount", "said"),
    [
        ("mount -t tmpfs -o size=1m none {0}", "no snapshot can be made: No space left on device"),
        (
            "mount -t tmpfs -o ro none {0}",
            "{0} can't hold a snapshot: Read-only file system",
        ),
    ],
)
def test_a_disk_that_can_not_take_it(owner: Owner, tmp_path: Path, mount: str, said: str) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    script = f'{mount.format(place)}; "$@"; status=$?; ls -A {place}/*; exit $status'
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            "sh",
            owner.subject.path,
            OPTION,
        ],
        env=environment(COACHWHIP_CACHE_DIR=str(place)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 124, done
    assert done.stderr.splitlines()[0] == f"{owner.name}: {said.format(place)}"
    assert "snapshot" not in done.stdout


@ROOT
def test_files_can_not_be_executed_there_and_need_not_be(owner: Owner, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    script = f'mount -t tmpfs -o noexec,nosuid none {place}; "$0" {OPTION}; exec "$0" "print(1)"'
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, owner.subject.path],
        env=environment(COACHWHIP_CACHE_DIR=str(place), COACHWHIP_WHY="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.endswith("\n1\n"), done
    assert done.stderr == f"{owner.name}: {FROM_MACHINE}\n"


def test_streams_may_be_closed(owner: Owner) -> None:
    command = ["sh", "-c", f'exec "$0" {OPTION} <&- >&- 2>&-', str(owner.subject.path)]
    subprocess.run(command, check=False, env=environment(**owner.subject.variables), timeout=120)
    assert owner.leftovers() == ["snapshot"]
    assert owner.start()[0] == FROM_MACHINE


def test_signals_that_are_ignored_now_are_not_ignored_later(owner: Owner) -> None:
    def ignoring() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])

    owner.made(preexec_fn=ignoring)
    code = "print([signal.getsignal(n).name for n in (signal.SIGHUP, signal.SIGUSR1)])"
    assert owner.start(code)[:2] == (FROM_MACHINE, "['SIG_DFL', 'SIG_DFL']\n")


def test_two_at_once_do_not_disturb_each_other(owner: Owner) -> None:
    command = [str(owner.subject.path), OPTION]
    variables = environment(**owner.subject.variables)
    processes = [
        subprocess.Popen(command, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]
    assert any(status == 0 for _, status in ends), ends
    for (_, told), status in ends:
        assert (status, told) in (
            (0, ""),
            (124, f"{owner.name}: somebody is making the snapshot at this moment\n"),
        )
    assert owner.start()[0] == FROM_MACHINE
    assert owner.leftovers() == ["snapshot"]


def test_one_that_was_ended_leaves_nothing_that_is_used(owner: Owner) -> None:
    for wait in (0.0, 0.02, 0.05, 0.1, 0.2):
        process = subprocess.Popen(
            [str(owner.subject.path), OPTION],
            env=environment(**owner.subject.variables),
            stdout=subprocess.DEVNULL,
        )
        time.sleep(wait)
        process.kill()
        process.wait()
        assert owner.start()[0] in (FROM_SNAPSHOT, FROM_MACHINE)
    owner.made()
    assert owner.start()[0] == FROM_MACHINE
    assert owner.leftovers() == ["snapshot"]


@ROOT
def test_an_ordinary_user_makes_and_uses_one(subject: Subject, tmp_path: Path) -> None:
    place = Path("/var/tmp") / f"coachwhip-test-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        product = place / "subject"
        shutil.copy(subject.path, product)
        owner = Owner(product, place / "home")
        os.chown(owner.home, SOMEBODY, SOMEBODY)
        theirs: dict[str, Any] = {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": ()}
        path = owner.made(**theirs)
        assert path.stat().st_uid == SOMEBODY
        assert owner.start(**theirs)[0] == FROM_MACHINE
        # Root, with that user's home as sudo may leave it, does not trust what lies there.
        assert owner.start()[2] == f"subject: {NOT_USED}somebody else could change it\n"
        assert "somebody else could change files in it" in owner.refused()

        product.chmod(0o4755)
        assert owner.refused(**theirs) == "a setuid program keeps no snapshot of its user"
        assert owner.start(**theirs)[0] == FROM_SNAPSHOT
        plan = place / "home" / "plan.json"
        plan.write_text(f'{{"task": "watch", "modules": ["json"], "report": "{place}/report"}}')
        reason, printed, _ = owner.start(
            "print(1)", env=environment(COACHWHIP_BAKE=str(plan), **owner.subject.variables), **theirs
        )
        assert (reason, printed) == (FROM_SNAPSHOT, "1\n")
        assert not (place / "report").exists()
    finally:
        shutil.rmtree(place)
    assert tmp_path.exists()
