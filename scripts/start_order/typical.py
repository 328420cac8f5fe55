# /// script
# dependencies = ["click", "rich"]
# ///
"""What programs do right after their start, so that it can be seen which functions of the interpreter they need."""

import asyncio
import collections
import contextlib
import csv
import dataclasses
import datetime
import decimal
import enum
import functools
import hashlib
import importlib.metadata
import importlib.resources
import io
import itertools
import json
import logging
import os
import pathlib
import random
import re
import shutil
import socket
import sqlite3
import ssl
import string
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import traceback
import typing
import urllib.parse
import uuid
import weakref

import click
import rich.console
import rich.table


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: float = 1.5
    names: list[str] = dataclasses.field(default_factory=list)


@contextlib.contextmanager
def held(lock: threading.Lock) -> typing.Iterator[None]:
    with lock:
        yield


def texts() -> None:
    words = "one two  three".split()
    print("-".join(words).title(), f"{3.14159:>10.2f}|{'x':<5}|{12345:,}", "%s %r %d" % ("a", "b", 3))
    print(re.sub(r"(\w+)@(\w+)", r"\2 at \1", "user@host"), re.findall("[a-z]+", "ab cd"), "ä€".encode())
    print(textwrap.fill("word " * 30, 40), string.Template("$a").substitute(a=1), "a,b".partition(","))
    print(
        list(csv.reader(io.StringIO("a,b\n1,2\n"))), json.loads(json.dumps({"a": [1, 2.5, None, True, "x"]}))
    )
    print(urllib.parse.urlsplit("http://a/b?c=d#e"), urllib.parse.quote("a b"), struct.pack("<IQ", 1, 2))


def objects() -> None:
    point = Point(1)
    print(
        point, point == Point(1), sorted([Point(2), point]), dataclasses.asdict(point), Colour.RED, Colour(1)
    )
    counted = collections.Counter("banana").most_common(1)
    print(counted, collections.defaultdict(list), collections.deque([1, 2], 1), functools.partial(print, 1))
    print(
        list(itertools.chain([1], (2,))),
        {**{"a": 1}, "b": 2},
        [n * n for n in range(3)],
        {1, 2} | {3},
        sum([1, 2]),
    )
    print(
        datetime.datetime(2020, 1, 2, 3, 4) + datetime.timedelta(days=1),
        decimal.Decimal("1.1") * 2,
        2**100 % 97,
    )
    print(
        weakref.ref(point)() is point,
        isinstance(point, typing.Hashable),
        any(map(callable, [print])),
        slice(1, 2),
    )
    match {"kind": "x", "size": 3}:
        case {"kind": str(kind), "size": size} if size > 2:
            print(kind, size)


def machine() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "a", "b.txt")
        path.parent.mkdir(parents=True)
        path.write_text("x\ny\n", encoding="utf-8")
        with path.open() as lines:
            print([line.rstrip() for line in lines], path.stat().st_size, path.suffix, os.path.exists(folder))
        print(sorted(entry.name for entry in os.scandir(folder)), list(pathlib.Path(folder).rglob("*.txt")))
        shutil.copy(path, path.with_suffix(".bak"))
        with contextlib.closing(sqlite3.connect(":memory:")) as base:
            base.execute("create table t (a)")
            base.execute("insert into t values (?)", (1,))
            print(base.execute("select * from t").fetchall())
    print(
        os.environ.get("HOME"), os.getcwd(), shutil.which("sh"), os.path.expanduser("~"), time.strftime("%Y")
    )
    print(
        subprocess.run(["true"], check=False, capture_output=True).returncode, random.random(), uuid.uuid4()
    )
    print(hashlib.sha256(b"x").hexdigest(), socket.gethostname(), ssl.create_default_context().check_hostname)
    print([point.name for point in importlib.metadata.entry_points(group="console_scripts")][:1])
    print(importlib.resources.files("rich").joinpath("table.py").is_file())


async def waits() -> None:
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0.001))


def threads() -> None:
    lock = threading.Lock()
    with held(lock):
        thread = threading.Thread(target=time.time)
        thread.start()
        thread.join()
    asyncio.run(waits())


@click.group()
@click.version_option("1")
@click.option("--level", type=click.Choice(["a", "b"]), default="a", show_default=True)
def cli(level: str) -> None:
    """Do many things a little."""
    logging.basicConfig(level=logging.INFO)
    logging.getLogger(level).info("level %s", level)


@cli.command()
@click.argument("names", nargs=-1)
def run(names: tuple[str, ...]) -> None:
    """Do them."""
    texts()
    objects()
    machine()
    threads()
    table = rich.table.Table("a", "b")
    table.add_row("1", "[red]2")
    rich.console.Console().print(table, names)
    try:
        raise ValueError(names)
    except ValueError:
        print(traceback.format_exc())
    click.secho("done", fg="green", file=sys.stderr)


if __name__ == "__main__":
    cli()
