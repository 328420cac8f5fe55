"""Products that start from a snapshot, and the same without it, side by side."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.products.building import Product, build, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ADDRESS = re.compile("0x[0-9a-f]+")

__all__ = ["FROM_SNAPSHOT", "SUBJECT", "Outcome", "Subject", "build_script"]

#: What COACHWHIP_WHY=1 has a product say.
FROM_SNAPSHOT = "started from its snapshot"

#: Runs the code that it is given, with much of the standard library in its snapshot.
SUBJECT = """\
import argparse, array, atexit, base64, bisect, calendar, codecs, collections, concurrent.futures
import contextlib, contextvars, copy, csv, dataclasses, datetime, decimal, email.message, enum, faulthandler
import fractions, functools, gc, getpass, hashlib, heapq, hmac, html, http.client, inspect, io, itertools
import json, logging, math, operator, os, pathlib, pickle, platform, pprint, queue, random, re, secrets
import select, shutil, signal, socket, sqlite3, ssl, statistics, string, struct, subprocess, sys, tempfile
import textwrap, threading, time, traceback, tracemalloc, types, typing, unicodedata, urllib.parse, uuid
import warnings, weakref, xml.etree.ElementTree, zipfile, zlib

generator = random.Random
started = time.monotonic


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("end of", self.name, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] not in (["--help"], ["--version"]):
        exec(compile(sys.argv[1], "<code>", "exec"))
"""


@dataclass(frozen=True)
class Outcome:
    """How a product's run ended, without what it says about its start."""

    status: int
    stdout: str
    stderr: str
    reason: str


@dataclass(frozen=True)
class Subject:
    """A product with a snapshot."""

    path: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def _run(
        self, arguments: tuple[str | Path, ...], changes: Mapping[str, str], options: dict[str, Any]
    ) -> Outcome:
        variables = options.pop("env", None) or environment()
        # What started it may be a shell that needs the variables itself.
        prefix = options.pop("prefix", ())
        settings: dict[str, Any] = {"capture_output": True, "stdin": subprocess.DEVNULL, "timeout": 120}
        if "input" in options:
            del settings["stdin"]
        command = [*prefix, self.path, *(textwrap.dedent(str(argument)) for argument in arguments)]
        done = subprocess.run(
            command,
            check=False,
            env={**variables, **self.variables, "COACHWHIP_WHY": "1", **changes},
            text=True,
            errors="surrogateescape",
            **{**settings, **options},
        )
        stderr = done.stderr or ""
        lines = stderr.splitlines(keepends=True)
        said = [line for line in lines if line.startswith(f"{self.path.name}: started ")]
        rest = "".join(line for line in lines if line not in said)
        reason = said[0].split(": ", 1)[1].strip() if said else ""
        return Outcome(done.returncode, done.stdout or "", rest, reason)

    def snapshot(self, *arguments: str | Path, **options: Any) -> Outcome:
        """Run it; it must start from its snapshot."""
        outcome = self._run(arguments, {}, options)
        assert outcome.reason == FROM_SNAPSHOT, outcome
        return outcome

    def any_start(self, *arguments: str | Path, **options: Any) -> Outcome:
        """Run it however it starts."""
        return self._run(arguments, {}, options)

    def ordinary(self, *arguments: str | Path, **options: Any) -> Outcome:
        """Run it without its snapshot."""
        outcome = self._run(arguments, {"COACHWHIP_SNAPSHOT": "0"}, options)
        assert outcome.reason == "started without a snapshot: COACHWHIP_SNAPSHOT=0", outcome
        return outcome

    def same(self, *arguments: str | Path, **options: Any) -> Outcome:
        """Run it both ways; everything that can be seen of it must be the same."""
        here = self.snapshot(*arguments, **dict(options))
        there = self.ordinary(*arguments, **dict(options))
        found, expected = ((o.status, o.stdout, _ADDRESS.sub("0x", o.stderr)) for o in (here, there))
        assert found == expected
        return here

    def output(self, *arguments: str | Path, **options: Any) -> str:
        """What it prints, both ways; it must succeed and not complain."""
        outcome = self.same(*arguments, **options)
        assert (outcome.status, outcome.stderr) == (0, ""), outcome
        return outcome.stdout


def build_script(folder: Path, name: str, text: str, *options: str) -> Subject:
    """Build a script, with a snapshot."""
    script = folder / f"{name}.py"
    script.write_text(textwrap.dedent(text))
    assert os.access(folder, os.W_OK)
    return Subject(build(script, *options, output=folder / name))


def product(subject: Subject) -> Product:
    """The same as other tests see it."""
    return Product(subject.path)
