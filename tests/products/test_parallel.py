"""Processes, threads and other programs."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.products.building import environment

if TYPE_CHECKING:
    from tests.products.building import Product

pytestmark = pytest.mark.product

METHODS = ("fork", "spawn", "forkserver")


@pytest.mark.parametrize("method", METHODS)
def test_multiprocessing_in_a_script(parallel: Product, method: str) -> None:
    assert parallel.output(method) == (
        "[0, 1, 4, 9, 16]\n(7, True)\n0\n[('a', 1), ('b', 2)]\nb'hello'\n[9, 16]\n3\n"
    )


@pytest.mark.parametrize("method", METHODS)
def test_multiprocessing_in_a_console_script(probe: Product, method: str) -> None:
    code = f"""
        import concurrent.futures, multiprocessing.resource_tracker
        from probe import work
        context = multiprocessing.get_context({method!r})
        with context.Pool(2) as pool:
            print(pool.map(work.square, range(4)), pool.apply(work.Thing(4).double).value)
            try:
                pool.apply(work.wrong, (0,))
            except ZeroDivisionError as error:
                print("the line that tracebacks show" in str(error.__cause__))
        queue = context.SimpleQueue()
        process = context.Process(target=work.put, args=(queue, 5))
        process.start()
        number, pid = queue.get()
        process.join()
        print(number, pid == process.pid, process.exitcode)
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
            print(executor.submit(work.square, 9).result())
        print(multiprocessing.resource_tracker.ensure_running() is None)
    """
    assert probe.output(code) == "[0, 1, 4, 9] 8\nTrue\n5 True 0\n81\nTrue\n"


def test_the_default_method(parallel: Product, probe: Product, plain: Product) -> None:
    code = "import multiprocessing as m; print(m.get_start_method(), m.get_all_start_methods())"
    assert probe.output(code) == plain.output("-c", code)
    assert parallel.output("fork") == parallel.output("spawn")


def test_children_of_children(probe: Product) -> None:
    code = """
        import multiprocessing, os, subprocess, sys
        child = (
            "import multiprocessing as m; from probe.work import square;"
            "print(m.get_context('spawn').Pool(1).map(square, [6]))"
        )
        done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True)
        print(done.stdout, end="")
    """
    assert probe.output(code) == "[36]\n"


def test_fork(probe: Product) -> None:
    code = """
        import os, sys, threading
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            import probe.work, decimal
            os.write(write, f"{probe.work.square(3)} {threading.active_count()}".encode())
            sys.exit(6)
        os.close(write)
        print(os.read(read, 100).decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert probe.output(code) == "9 1 6\n"


def test_threads_import_at_once(probe: Product) -> None:
    code = """
        import importlib, threading
        names = "asyncio decimal email.message http.client xml.dom.minidom unittest sqlite3 ssl".split()
        wrong = []
        barrier = threading.Barrier(8)
        def work(number):
            barrier.wait()
            for name in names[number:] + names[:number]:
                try:
                    importlib.import_module(name)
                except Exception as error:
                    wrong.append(error)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(wrong)
    """
    assert probe.output(code) == "[]\n"


def test_subinterpreters_import_from_the_product(probe: Product) -> None:
    code = """
        import _interpreters
        other = _interpreters.create()
        code = "import json, probe.work as work; print(work.square(4), json.dumps([]), flush=True)"
        print(_interpreters.exec(other, code))
        _interpreters.destroy(other)
    """
    assert probe.output(code) == "16 []\nNone\n"


@pytest.mark.parametrize(
    "start", ["subprocess.run(['env', '-0'])", "os.system('env -0')", "os.execvp('env', ['env', '-0'])"]
)
def test_other_programs_get_our_environment_byte_by_byte(probe: Product, start: str) -> None:
    variables = {
        **environment(),
        "EMPTY": "",
        "PYTHONPATH": "/somewhere",
        "LD_LIBRARY_PATH": "/nowhere",
        "COACHWHIP": "x",
        "LC_ALL": "C",
    }
    given = {**{os.fsencode(k): os.fsencode(v) for k, v in variables.items()}, b"BYTES\xff": b"\xfe\n"}
    command = ["/bin/sh", "-c", "env -0"] if "system" in start else ["env", "-0"]
    expected = subprocess.run(command, env=given, capture_output=True, check=True).stdout
    code = f"import os, subprocess, sys, ctypes, ssl\n{start}\n"
    assert subprocess.run([probe.path, code], env=given, capture_output=True, check=True).stdout == expected


def test_an_empty_environment(probe: Product) -> None:
    code = "import os, subprocess; print(dict(os.environ)); subprocess.run(['/usr/bin/env'])"
    assert probe.output(code, env={}) == "{}\n"


def test_open_descriptors(probe: Product) -> None:
    code = "import os; print(sorted(int(name) for name in os.listdir('/proc/self/fd'))[:3])"
    assert probe.output(code) == "[0, 1, 2]\n"
    child = "import subprocess, ctypes; subprocess.run(['ls', '/proc/self/fd'], close_fds=False)"
    assert probe.output(child).split() == ["0", "1", "2", "3"]
