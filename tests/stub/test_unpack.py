"""Files that are opened become real, whatever happens to the cache meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.stub.programs import Content, Driver, Outcome, write_image

MTIME = 315532800


@pytest.mark.parametrize("verb", ["cat", "fcat", "reopen", "fork"])
def test_a_file_is_unpacked_when_it_is_opened(driver: Driver, verb: str) -> None:
    assert driver.ask(f"{verb}=/__app__/lib/data/a.txt") == ("cat" if verb == "cat" else verb) + " 6 alpha."
    unpacked = driver.app / "root" / "lib" / "data" / "a.txt"
    assert unpacked.read_bytes() == b"alpha\n"
    assert unpacked.stat().st_mode & 0o777 == 0o444
    assert unpacked.stat().st_mtime == MTIME
    assert [path.name for path in unpacked.parent.iterdir()] == ["a.txt"]
    assert not list((driver.app / ".tmp").iterdir())


def test_compressed_and_empty_files(driver: Driver) -> None:
    outcome = driver.run("cat=/__app__/lib/mod.py", "cat=/__app__/lib/empty", "cat=/__app__/lib/noise")
    assert outcome.lines[0].startswith("cat 600 x = 1.x = 1.")
    assert outcome.lines[1] == "cat 0 "
    assert outcome.lines[2].startswith("cat 300000 ")


def test_the_directory_is_named_after_app_and_image(driver: Driver) -> None:
    driver.ask("cat=/__app__/lib/mod.py")
    name, _, image_id = driver.app.name.rpartition("-")
    assert name == "sample"
    assert len(bytes.fromhex(image_id)) == 8
    assert driver.app.stat().st_mode & 0o777 == 0o700
    assert driver.app.parent.stat().st_mode & 0o777 == 0o700


def test_a_strange_name_of_the_app_makes_a_plain_directory(driver: Driver, tmp_path: Path) -> None:
    image = write_image(tmp_path / "strange", {"a": Content(b"x")}, name="../é b/..c")
    driver = Driver(driver.program, image, driver.home)
    assert driver.ask("cat=/__app__/a") == "cat 1 x"
    assert driver.app.name.startswith("_.____b_..c-")


def test_a_listing_is_complete_and_shows_nothing_else(driver: Driver) -> None:
    outcome = driver.run(
        "ls=/__app__", "ls=/__app__/lib/", "scandir=/__app__/lib/data", "ls=/__app__/bin", "ls=/__app__/no"
    )
    assert outcome.lines == (
        "ls bin entry.py lib",
        "ls data empty mod.py noise pkg pkg.libs",
        "scandir a.txt sub/ two words.txt",
        "ls python python3 python3.13 shell tool",
        "ls ENOENT",
    )


def test_python_lists_and_reads_without_unpacking(driver: Driver) -> None:
    outcome = driver.run(
        *("list=/__app__", "list=/__app__/lib/", "list=/__app__/lib/data/sub/..", "list=/__app__/bin"),
        *("list=/__app__/no", "list=/__app__/lib/empty", "copy=/__app__/lib/data/a.txt"),
        *("copy=/__app__/lib/mod.py", "copy=/__app__/lib/bare.py", "copy=/__app__/lib/empty"),
        "copy=/__app__/bin/tool",
    )
    assert outcome.lines == (
        "list ./ ../ bin/ entry.py lib/",
        "list ./ ../ data/ empty mod.py noise pkg/ pkg.libs/",
        "list ./ ../ a.txt sub/ two words.txt",
        "list ./ ../ python python3 python3.13 shell tool",
        "list ENOENT",
        "list ENOTDIR",
        f"copy 444 6 {MTIME} 6",
        f"copy 444 600 {MTIME} 100",
        "copy ENOENT",
        f"copy 444 0 {MTIME} 0",
        f"copy 555 35 {MTIME} 35",
    )
    assert not list(driver.home.iterdir())


def test_python_lists_and_reads_what_is_not_of_the_product(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    os.utime(tmp_path / "file", (MTIME, MTIME))
    assert driver.ask(f"copy={tmp_path}/file").endswith(f" 4 {MTIME} 4")
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    assert sorted(driver.ask(f"list={folder}").split()) == ["../", "./", "below/", "list"]


def test_many_directories_are_listed_at_once(driver: Driver) -> None:
    entries = ("./", "../", "a.txt", "sub/", "two words.txt")
    assert driver.ask("many_lists=/__app__/lib/data") == f"many_lists {100 * len(entries)}"


def test_python_opens_large_files_where_they_are_unpacked(driver: Driver) -> None:
    assert driver.ask("copy=/__app__/lib/noise") == f"copy 444 300000 {MTIME} 100"
    assert (driver.app / "root" / "lib" / "noise").stat().st_size == 300_000


def test_directories_below_an_opened_one_are_complete(driver: Driver) -> None:
    assert driver.ask("ls_at=/__app__/lib:data/sub") == "ls_at b.txt"


def test_paths_into_the_cache_mean_the_same(driver: Driver) -> None:
    root = driver.run("ls=/__app__/lib", "where=/__app__/lib/empty").lines[1].removeprefix("where ")
    root = root.removesuffix("/lib/empty")
    outcome = driver.run(
        "cat=/__app__/lib/empty",
        f"ls={root}/lib/data/sub",
        f"cat={root}/lib/mod.py",
        f"stat={root}/lib/data/a.txt",
    )
    assert outcome.lines[1] == "ls b.txt"
    assert outcome.lines[2].startswith("cat 600 ")
    assert outcome.lines[3].startswith(f"stat f 444 6 {MTIME} ")


def test_a_working_directory_has_everything_below_it(driver: Driver) -> None:
    outcome = driver.run("chdir=/__app__/lib", "cat=data/sub/b.txt", "ls=data", "chdir=/__app__/lib/mod.py")
    assert outcome.lines == ("chdir ok", "cat 5 beta.", "ls a.txt sub two words.txt", "chdir ENOTDIR")


def test_whole_trees_for_those_who_ask(driver: Driver) -> None:
    real = driver.ask("tree=/__app__/lib").removeprefix("tree ")
    assert sorted(p.relative_to(real).as_posix() for p in (driver.app / "root" / "lib").rglob("*.txt")) == [
        *("data/a.txt", "data/sub/b.txt", "data/two words.txt"),
    ]
    assert driver.ask("tree=/__app__/no") == "tree ENOENT"
    assert driver.ask("tree=/tmp") == "tree EINVAL"


def test_threads_open_at_the_same_time(driver: Driver) -> None:
    assert driver.ask("threads=/__app__/lib/noise") == "threads ok"


def test_descriptors_are_left_to_the_program(driver: Driver) -> None:
    before, after = driver.run("lowest", "cat=/__app__/lib/mod.py", "lowest").lines[::2]
    assert before == after


def test_closing_all_descriptors_breaks_nothing(driver: Driver) -> None:
    outcome = driver.run(
        "cat=/__app__/lib/mod.py", "close_all", "cat=/__app__/lib/data/a.txt", "ls=/__app__/lib/data"
    )
    assert outcome.lines[2:] == ("cat 6 alpha.", "ls a.txt sub two words.txt")


def test_the_cache_goes_away_while_it_is_used(driver: Driver) -> None:
    process = subprocess.Popen(
        driver.command("ls=/__app__/lib/data", "wait", "ls=/__app__/lib/data", "cat=/__app__/lib/data/a.txt"),
        env=driver.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ls a.txt sub two words.txt\n"
    assert process.stdout.readline() == "wait\n"
    subprocess.run(["rm", "-rf", str(driver.home / ".cache")], check=True)
    output, _ = process.communicate("\n", timeout=30)
    assert output.splitlines() == ["ls a.txt sub two words.txt", "cat 6 alpha."]


@pytest.mark.parametrize("damage", ["short", "long", "directory", "link"])
def test_what_is_wrong_in_the_cache_is_replaced(driver: Driver, damage: str) -> None:
    driver.ask("cat=/__app__/lib/data/a.txt")
    file = driver.app / "root" / "lib" / "data" / "a.txt"
    file.unlink()
    if damage == "short":
        file.write_bytes(b"al")
    elif damage == "long":
        file.write_bytes(b"alphabet")
    elif damage == "link":
        file.symlink_to("/etc/passwd")
    else:
        file.mkdir()
    answer = driver.ask("cat=/__app__/lib/data/a.txt")
    assert answer == "cat 6 alpha."
    if damage != "directory":  # which is not ours to remove: the file was read from memory or elsewhere
        assert file.read_bytes() == b"alpha\n"
        assert not file.is_symlink()


def test_a_damaged_image_is_noticed(driver: Driver, tmp_path: Path) -> None:
    data = bytearray(driver.image.read_bytes())
    place = data.index(b"alpha\n")
    data[place] ^= 1
    (tmp_path / "damaged").write_bytes(data)
    damaged = Driver(driver.program, tmp_path / "damaged", driver.home)
    assert damaged.ask("cat=/__app__/lib/data/a.txt") == "cat EIO"
    assert damaged.ask("cat=/__app__/lib/mod.py").startswith("cat 600 ")
    assert not (damaged.app / "root" / "lib" / "data" / "a.txt").exists()


def start(driver: Driver, *verbs: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        driver.command(*verbs),
        env=driver.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_hundred_processes_start_with_an_empty_cache(fast: Driver) -> None:
    verbs = (
        "dlopen=/__app__/lib/pkg/main.so",
        "cat=/__app__/lib/noise",
        "ls=/__app__/lib",
        "cat=/__app__/lib/mod.py",
    )
    processes = [start(fast, *verbs) for _ in range(100)]
    outcomes = set()
    for process in processes:
        output, errors = process.communicate(timeout=120)
        outcomes.add(Outcome(tuple(output.splitlines()), errors, process.returncode))
    assert len(outcomes) == 1
    (outcome,) = outcomes
    assert outcome.status == 0
    assert outcome.lines[0] == "dlopen 42 same"
    assert not list((fast.app / ".tmp").iterdir())
    assert len(list(fast.app.parent.iterdir())) == 1


def wait_for_temporary(home: Path, process: subprocess.Popen[str]) -> None:
    """Until something has been written of a file that is being unpacked."""
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        for path in home.glob(".cache/coachwhip/*/.tmp/*"):
            if path.stat().st_size > 0:
                return
        time.sleep(0.0005)
    pytest.fail("nothing was unpacked")


@pytest.fixture
def large(fast_program: Path, tmp_path: Path) -> Driver:
    """A driver whose image has one large file."""
    content = os.urandom(1 << 20) * 64
    image = write_image(tmp_path / "large", {"small": Content(b"small"), "the-large": Content(content)})
    (tmp_path / "home").mkdir()
    return Driver(fast_program, image, tmp_path / "home")


def test_a_process_is_killed_in_the_middle_of_unpacking(large: Driver) -> None:
    process = start(large, "where=/__app__/the-large")
    wait_for_temporary(large.home, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert len(list((large.app / ".tmp").iterdir())) == 1
    assert not (large.app / "root" / "the-large").exists()
    unpacked = Path(large.ask("where=/__app__/the-large").removeprefix("where "))
    assert large.image.read_bytes().endswith(unpacked.read_bytes())
    assert unpacked.stat().st_size == 64 << 20
    assert not list((large.app / ".tmp").iterdir())


def test_others_do_not_wait_for_a_stopped_process_when_it_is_not_needed(large: Driver) -> None:
    large.ask("cat=/__app__/small")
    process = start(large, "where=/__app__/the-large")
    wait_for_temporary(large.home, process)
    process.send_signal(signal.SIGSTOP)
    begin = time.monotonic()
    assert large.ask("cat=/__app__/small") == "cat 5 small"
    assert time.monotonic() - begin < 5
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=60)
    assert output.startswith("where /")


def test_a_limit_for_file_sizes_is_the_limit(fast: Driver) -> None:
    verbs = ("limit=1000", "cat=/__app__/lib/noise", "where=/__app__/lib/mod.py")
    refused, found = fast.run(*verbs).lines
    assert refused == "cat EFBIG"
    assert found == f"where {fast.app}/root/lib/mod.py"
