"""Native libraries that are mapped from the executable: everything that a loader has to get right."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.products.building import Product, build, environment, make_wheel
from tests.products.extensions import WHEEL_TAG

SOURCES = Path(__file__).parent / "natives"
SITE = "/__app__/lib/python3.13/site-packages"
RUN = "def main():\n    import sys\n    exec(sys.argv[1], {'__name__': '__main__'})\n"
OPEN = f"""
import ctypes, json, os, threading
def load(name, mode=0):
    return ctypes.CDLL(f"{SITE}/" + name, mode=mode)
"""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`nat/main.so` needs `nat.libs/libdep.so`, both with libstdc++; others are in C."""
    if shutil.which("g++") is None:
        pytest.skip("there is no g++")
    folder = tmp_path_factory.mktemp("natives")
    (folder / "nat").mkdir()
    (folder / "nat.libs").mkdir()
    runpath = "-Wl,-rpath,$ORIGIN/../nat.libs"
    dep = folder / "nat.libs" / "libdep.so"
    _compile("g++", "dep.cpp", dep, "-Wl,-soname,libdep.so")
    _compile("g++", "main.cpp", folder / "nat" / "main.so", str(dep), runpath)
    _compile("gcc", "lazy.c", folder / "nat.libs" / "liblazy.so")
    _compile("gcc", "common.c", folder / "nat" / "common.so")
    _compile("gcc", "user.c", folder / "nat" / "user.so")
    return folder


def _compile(compiler: str, source: str, output: Path, *more: str) -> None:
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", SOURCES / source, "-o", output, *more, "-lpthread"], check=True
    )


@pytest.fixture(scope="module")
def product(libraries: Path, folder: Path) -> Product:
    """A program that executes its argument, with these libraries."""
    files: dict[str, str | bytes] = {
        str(path.relative_to(libraries)): path.read_bytes() for path in libraries.rglob("*.so")
    }
    files["nat/__init__.py"] = RUN
    entry = "[console_scripts]\nnat = nat:main\n"
    wheel = make_wheel(folder / "nat-wheel", "nat", "1.0", files, entry_points=entry, tag=WHEEL_TAG)
    return Product(build(wheel, "--glibc", "2.38", output=folder / "nat"))


@pytest.fixture(params=["mapped", "unpacked"])
def variables(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that maps libraries, and of one that can't."""
    if request.param == "mapped":
        return environment(COACHWHIP_CACHE_DIR=str(tmp_path))
    occupy = tmp_path / "occupy.so"
    _compile("gcc", "occupy.c", occupy)
    cache = tmp_path / "cache"
    cache.mkdir()
    return environment(COACHWHIP_CACHE_DIR=str(cache), LD_PRELOAD=str(occupy))


def value(product: Product, variables: dict[str, str], code: str) -> list[object]:
    """What the code appends to `out`; libraries' own lines come before and after it."""
    whole = f"{OPEN}\nout = []\n{code}\nprint(json.dumps(out), flush=True)"
    lines = product.output(whole, env=variables).splitlines()
    found: list[object] = json.loads(next(line for line in lines if line.startswith("[")))
    return found


def test_nothing_is_unpacked(product: Product, tmp_path: Path) -> None:
    code = f"{OPEN}\nload('nat/main.so')"
    product.output(code, env=environment(COACHWHIP_CACHE_DIR=str(tmp_path)))
    assert not list(tmp_path.iterdir())


def test_constructors_and_destructors_have_their_order(product: Product, tmp_path: Path) -> None:
    code = f"{OPEN}\nload('nat/main.so')"
    lines = product.output(code, env=environment(COACHWHIP_CACHE_DIR=str(tmp_path))).splitlines()
    assert lines == ["dep starts", "main starts", "main ends", "dep ends"]


def test_exceptions_pass_the_frames_of_several_libraries(product: Product, variables: dict[str, str]) -> None:
    code = """
    text = ctypes.create_string_buffer(100)
    out += [load("nat/main.so").catch_across(text), text.value.decode()]
    """
    assert value(product, variables, _dedent(code)) == [1, "across"]


def test_a_cancelled_thread_is_unwound(product: Product, variables: dict[str, str]) -> None:
    assert value(product, variables, "out.append(load('nat/main.so').cancel())") == [1]


def test_every_thread_has_its_own_variables(product: Product, variables: dict[str, str]) -> None:
    code = """
    main, dep = load("nat/main.so"), load("nat.libs/libdep.so")
    dep.dep_text.restype = ctypes.c_char_p
    def use():
        found = [main.next_quick(), main.next_quick()]
        found += [dep.dep_text(None).decode(), dep.dep_text(b"x" * 50).decode(), dep.dep_text(None).decode()]
        if found not in out:
            out.append(found)
    use()
    threads = [threading.Thread(target=use) for _ in range(30)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    out.append([main.next_quick(), dep.dep_text(None).decode()])
    """
    assert value(product, variables, _dedent(code)) == [[77, 78, "fresh", "x" * 50, "x" * 50], [79, "x" * 50]]


def test_functions_that_are_chosen_when_loading(product: Product, variables: dict[str, str]) -> None:
    code = "main = load('nat/main.so'); out += [main.call_chosen(), main.chosen()]"
    assert value(product, variables, code) == [111, 111]


def test_once_is_once(product: Product, variables: dict[str, str]) -> None:
    code = "dep = load('nat.libs/libdep.so'); out += [dep.dep_once(), dep.dep_once()]"
    assert value(product, variables, code) == [1, 1]


def test_a_library_opens_its_neighbour_by_name(product: Product, variables: dict[str, str]) -> None:
    code = (
        "main = load('nat/main.so'); out += [main.call_by_name(b'liblazy.so'), main.call_by_name(b'no.so')]"
    )
    assert value(product, variables, code) == [9, -1]


def test_what_is_global_is_found_by_others(product: Product, variables: dict[str, str]) -> None:
    code = """
    try: load("nat/user.so")
    except OSError as error: out.append("undefined symbol: common" in str(error))
    load("nat/common.so", mode=ctypes.RTLD_GLOBAL)
    out += [load("nat/user.so").use_common(), ctypes.CDLL(None).common()]
    """
    assert value(product, variables, _dedent(code)) == [True, 10, 5]


def test_lookups_by_a_library_itself(product: Product, variables: dict[str, str]) -> None:
    code = """
    main, dep = load("nat/main.so"), load("nat.libs/libdep.so")
    main.by_default.restype = main.by_next.restype = ctypes.c_void_p
    wanted = ctypes.cast(dep.dep_once, ctypes.c_void_p).value
    out += [main.by_default() == wanted, main.by_next() == wanted]
    """
    assert value(product, variables, _dedent(code)) == [True, True]


def test_a_library_is_loaded_once(product: Product, variables: dict[str, str]) -> None:
    code = """
    try: load("nat/user.so", mode=os.RTLD_NOW | os.RTLD_NOLOAD)
    except OSError: out.append("not yet")
    first = load("nat/common.so")
    out.append(first._handle == load("nat/common.so", mode=os.RTLD_NOW | os.RTLD_NOLOAD)._handle)
    """
    assert value(product, variables, _dedent(code)) == ["not yet", True]


def test_errors_are_in_the_loaders_words(product: Product, variables: dict[str, str]) -> None:
    code = """
    try: load("nat/common.so").missing
    except AttributeError as error: out.append(str(error).rpartition("/")[2])
    """
    assert value(product, variables, _dedent(code)) == ["common.so: undefined symbol: missing"]


def test_an_address_tells_where_it_is_from(product: Product, tmp_path: Path) -> None:
    code = """
    class Info(ctypes.Structure):
        _fields_ = [("file", ctypes.c_char_p), ("base", ctypes.c_void_p),
                    ("name", ctypes.c_char_p), ("address", ctypes.c_void_p)]
    info, function = Info(), load("nat/common.so").common
    address = ctypes.cast(function, ctypes.c_void_p)
    out.append(ctypes.CDLL(None).dladdr(address, ctypes.byref(info)))
    out += [info.file.decode(), info.name.decode(), info.address == address.value]
    out.append(0x8_0000_0000 <= info.base <= address.value < 0x10_0000_0000)
    """
    found = value(product, environment(COACHWHIP_CACHE_DIR=str(tmp_path)), _dedent(code))
    assert found == [1, f"{SITE}/nat/common.so", "common", True, True]


def test_libraries_are_listed_by_libcs_own_function(product: Product, tmp_path: Path) -> None:
    """As thread pools and profilers ask for it."""
    code = """
    class Entry(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("name", ctypes.c_char_p)]
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Entry), ctypes.c_size_t, ctypes.c_void_p)
    load("nat/main.so")
    names = []
    visit = kind(lambda entry, size, data: names.append(entry.contents.name.decode()) or 0)
    ctypes.CDLL("libc.so.6").dl_iterate_phdr(visit, None)
    out += [name for name in names if "/nat" in name and name.endswith(".so")]
    """
    found = value(product, environment(COACHWHIP_CACHE_DIR=str(tmp_path)), _dedent(code))
    assert found == [f"{SITE}/nat.libs/libdep.so", f"{SITE}/nat/main.so"]


def test_the_mappings_of_a_process_name_its_libraries(product: Product, tmp_path: Path) -> None:
    """As threadpoolctl and others look for what is loaded."""
    code = """
    before = open("/proc/self/maps").read()
    load("nat/main.so")
    for name in ("/proc/self/maps", f"/proc/{os.getpid()}/maps", "/proc/self/smaps"):
        text = open(name, "rb").read().decode()
        rows = [line.split(None, 5) for line in text.splitlines() if "-" in line.split()[0]]
        paths = [row[5].strip() for row in rows if len(row) > 5]
        out.append([path in before for path in paths].count(False) > 3)
        out.append(sorted({path for path in paths if path.endswith((".so", "libstdc++.so.6"))}))
        out.append({row[1] for row in rows if row[5:] == [out[1][0]]} >= {"r--p", "r-xp"})
    with open("/proc/self/status") as other:
        out.append(os.fstat(other.fileno()).st_dev == os.stat("/proc").st_dev)
    """
    names = [
        "/__app__/lib/coachwhip/libstdc++.so.6",
        f"{SITE}/nat.libs/libdep.so",
        f"{SITE}/nat/main.so",
    ]
    found = value(product, environment(COACHWHIP_CACHE_DIR=str(tmp_path)), _dedent(code))
    assert found == [True, names, True] * 3 + [True]


def test_a_forked_child_goes_on_loading(product: Product, variables: dict[str, str]) -> None:
    code = """
    load("nat/main.so")
    child = os.fork()
    if child == 0:
        os._exit(load("nat/common.so").common())
    out.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert value(product, variables, _dedent(code)) == [5]


def test_threads_load_at_the_same_time(product: Product, variables: dict[str, str]) -> None:
    code = """
    def use(): out.append(load("nat/main.so").call_chosen())
    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    """
    assert value(product, variables, _dedent(code)) == [111] * 16


def test_no_memory_is_writable_and_executable(product: Product, tmp_path: Path) -> None:
    code = "load('nat/main.so')\nout += [line for line in open('/proc/self/maps') if 'wx' in line]"
    assert value(product, environment(COACHWHIP_CACHE_DIR=str(tmp_path)), code) == []


def test_a_library_can_be_read_as_a_file(product: Product, libraries: Path, tmp_path: Path) -> None:
    code = f"""
    import hashlib
    for name in ("nat/main.so", "nat.libs/libdep.so"):
        with open("{SITE}/" + name, "rb") as file:
            out.append(hashlib.sha256(file.read()).hexdigest())
    """
    found = value(product, environment(COACHWHIP_CACHE_DIR=str(tmp_path)), _dedent(code))
    names = ("nat/main.so", "nat.libs/libdep.so")
    assert found == [hashlib.sha256((libraries / name).read_bytes()).hexdigest() for name in names]


def _dedent(code: str) -> str:
    lines = code.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines)
