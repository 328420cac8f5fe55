"""Stands in for pyperf inside the programs that are measured: everything happens in this process.

pyperf starts interpreters of its own, which would not be what is measured. Times are the process's processor
time, which neighbours on a busy machine change least.
"""

import argparse
import asyncio
import json
import sys
import time

perf_counter = time.process_time

#: Seconds that one value should take: few enough for some to be undisturbed on a busy machine.
_ENOUGH = 0.01


def python_implementation():
    """Return the name of the implementation."""
    return sys.implementation.name


class Runner:
    """Takes values; the instance that a program makes looks at `plan`."""

    #: loops (0: find out) and values (0: have callgrind count one), set before the program runs.
    plan = (0, 1)

    def __init__(self, add_cmdline_args=None, **_):
        """Make a parser for the program's options."""
        self.metadata = {}
        self.argparser = argparse.ArgumentParser()
        self.args = None

    def parse_args(self, args=None):
        """Parse the program's options."""
        self.args = self.argparser.parse_args(args)
        return self.args

    def bench_func(self, name, func, *args, inner_loops=None, **_):
        """Measure calls."""

        def run(loops):
            begin = perf_counter()
            for _ in range(loops):
                func(*args)
            return perf_counter() - begin

        self.bench_time_func(name, run)

    def bench_async_func(self, name, func, *args, **_):
        """Measure runs of an asynchronous function, each in a loop of its own."""

        def run(loops):
            begin = perf_counter()
            for _ in range(loops):
                asyncio.run(func(*args))
            return perf_counter() - begin

        self.bench_time_func(name, run)

    def bench_time_func(self, name, func, *args, inner_loops=None, **_):
        """Print loops and values, in seconds per value."""
        if self.args is None:
            self.parse_args()
        loops, count = Runner.plan
        if not count:
            _count(func, args)
            return
        if not loops:
            loops = 1
            while func(loops, *args) < _ENOUGH:
                loops *= 2
        values = [func(loops, *args) for _ in range(count)]
        print(json.dumps({"name": name, "loops": loops, "values": values}), flush=True)


#: `rax = rdi; rdx = 0`, the instructions by which valgrind knows that it is meant, `rax = rdx; ret`.
_REQUEST = bytes.fromhex("4889f8 31d2 48c1c703 48c1c70d 48c1c73d 48c1c733 4887db 4889d0 c3")
_START_INSTRUMENTATION, _STOP_INSTRUMENTATION = 0x43540004, 0x43540005


def _count(func, args):
    """Have callgrind count the instructions of the second value, which is the first one of a usual kind."""
    import ctypes
    import mmap

    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(_REQUEST)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    request = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.POINTER(ctypes.c_long * 6))(address)
    start, stop = ((ctypes.c_long * 6)(code) for code in (_START_INSTRUMENTATION, _STOP_INSTRUMENTATION))
    func(1, *args)
    request(start)
    func(1, *args)
    request(stop)
