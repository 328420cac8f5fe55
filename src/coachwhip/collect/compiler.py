"""Compile modules with the runtime's interpreter: one worker process per processor, nothing per module."""

from __future__ import annotations

import json
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.collect.patterns import Pattern
from coachwhip.effects.process import exchange
from coachwhip.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Compiled", "Interpreter", "Problem", "compile_modules", "syntax_problems"]

_WORKER = Path(__file__).with_name("worker.py")
_LENGTH = struct.Struct("<I")
#: Bytes of source that are worth a process of their own.
_SHARE = 256 * 1024


@dataclass(frozen=True)
class Interpreter:
    """What the interpreter tells of itself: magic number of its bytecode, names of modules."""

    magic: bytes
    builtins: tuple[str, ...]
    stdlib: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """Why a text could not be compiled; `line` is 0 and `text` empty when that is not known."""

    line: int
    text: str
    message: str


@dataclass(frozen=True)
class Compiled:
    """Marshalled code, the names that it may import and its regular expressions, or a problem."""

    code: bytes = b""
    imports: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    problem: Problem | None = None


def compile_modules(
    interpreter: Path, modules: Sequence[tuple[str, bytes]], *, optimize: int, jobs: int
) -> tuple[Interpreter, list[Compiled]]:
    """Compile modules; the same ones give the same bytes, whenever and in whatever order.

    Args:
        interpreter: the Python to compile with.
        modules: file name for tracebacks, and source, of each.
        optimize: 0, 1 or 2.
        jobs: processes to use at most.

    Returns:
        What the interpreter tells of itself, and the results in the order of `modules`.

    Raises:
        BuildError: the interpreter does not work.
        MachineError: it can't be started.
    """
    shares = _shares(modules, jobs)
    requests = [bytes([optimize]) + b"".join(_request(*modules[i]) for i in share) for share in shares]
    with ThreadPoolExecutor(max_workers=len(shares)) as pool:
        answers = list(pool.map(lambda request: _ask(interpreter, request), requests))
    results: list[Compiled] = [Compiled()] * len(modules)
    for share, answer in zip(shares, answers, strict=True):
        reader = _Reader(answer)
        description = json.loads(reader.frame())
        for index in share:
            results[index] = _result(reader)
    about = Interpreter(
        bytes.fromhex(description["magic"]), tuple(description["builtins"]), tuple(description["stdlib"])
    )
    return about, results


def syntax_problems(interpreter: Path, modules: Mapping[str, bytes]) -> dict[str, Problem]:
    """Return which modules the interpreter can't compile, and why, by their names.

    Raises:
        BuildError: the interpreter does not work.
        MachineError: it can't be started.
    """
    _, results = compile_modules(interpreter, list(modules.items()), optimize=0, jobs=1)
    pairs = zip(modules, results, strict=True)
    return {name: result.problem for name, result in pairs if result.problem is not None}


def _shares(modules: Sequence[tuple[str, bytes]], jobs: int) -> list[list[int]]:
    """Cut the modules into shares of about the same number of bytes; at least one share."""
    total = sum(len(source) for _, source in modules)
    count = max(1, min(jobs, total // _SHARE))
    shares: list[list[int]] = [[] for _ in range(count)]
    weights = [0] * count
    for index in sorted(range(len(modules)), key=lambda i: len(modules[i][1]), reverse=True):
        lightest = weights.index(min(weights))
        shares[lightest].append(index)
        weights[lightest] += len(modules[index][1])
    return shares


def _request(name: str, source: bytes) -> bytes:
    encoded = name.encode("utf-8", "surrogateescape")
    return _LENGTH.pack(len(encoded)) + encoded + _LENGTH.pack(len(source)) + source


def _ask(interpreter: Path, request: bytes) -> bytes:
    # An environment of the user's could change what is compiled; -I alone still leaves locale and malloc.
    status, answer, errors = exchange([interpreter, "-I", "-S", "-B", "-X", "utf8", _WORKER], request, env={})
    if status != 0:
        raise BuildError(
            f"the runtime's interpreter {interpreter} ended with status {status} while compiling",
            hint="install the runtime again with `coachwhip runtime install`",
            detail=errors.strip(),
        )
    return answer


class _Reader:
    """Takes frames from an answer of the worker."""

    def __init__(self, answer: bytes) -> None:
        self._answer = memoryview(answer)
        self._position = 0

    @property
    def more(self) -> bool:
        return self._position < len(self._answer)

    def take(self, size: int) -> bytes:
        taken = bytes(self._answer[self._position : self._position + size])
        if len(taken) != size:
            raise BuildError("the runtime's interpreter stopped in the middle of an answer")
        self._position += size
        return taken

    def frame(self) -> bytes:
        return self.take(_LENGTH.unpack(self.take(_LENGTH.size))[0])


def _result(reader: _Reader) -> Compiled:
    status, payload, names, patterns = reader.take(1), reader.frame(), reader.frame(), reader.frame()
    if status == b"\0":
        imports = tuple(names.decode().split("\n")) if names else ()
        return Compiled(payload, imports, tuple(_patterns(_Reader(patterns))))
    problem = json.loads(payload)
    return Compiled(problem=Problem(problem["line"], problem["text"], problem["message"]))


def _patterns(reader: _Reader) -> Iterator[Pattern]:
    while reader.more:
        kind, flags, text, compiled = (reader.frame() for _ in range(4))
        yield Pattern(kind.decode(), int(flags), text, compiled)
