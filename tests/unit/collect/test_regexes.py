"""The regular expressions of a module: which are found, and that what is stored makes the same pattern."""

from __future__ import annotations

import marshal
import re
import struct
from typing import Any

import pytest
import xxhash

from coachwhip.collect.patterns import Pattern, encode_patterns
from coachwhip.collect.regexes import compiled_patterns


def found(source: str) -> list[tuple[str, int, bytes]]:
    return [(kind.decode(), int(flags), text) for kind, flags, text, _ in compiled_patterns(source.encode())]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('import re\nre.compile("a+")', [("s", 0, b"a+")]),
        ('import re\nre.compile(rb"\\xff", re.S)', [("b", int(re.DOTALL), rb"\xff")]),
        (
            'import re as _re\n_re.match("é", s, _re.I | _re.M)',
            [("s", int(re.IGNORECASE | re.MULTILINE), "é".encode())],
        ),
        ('import re\nP = "x" + "y"\nF = re.X\nre.sub(P, "", s, flags=F)', [("s", int(re.VERBOSE), b"xy")]),
        ('import re\nre.split("a", s, 0, re.I)', [("s", int(re.IGNORECASE), b"a")]),
        ('import re\nre.compile("a")\nre.search("a", s)', [("s", 0, b"a")]),
        (
            'import re\nH = "[0-9]"\nP = "(?:{h}|%s)".format(h=H) % H\nre.compile(P)',
            [("s", 0, b"(?:[0-9]|[0-9])")],
        ),
        ('import re\nL = ["a", "b"]\nre.compile("|".join([x + "+" for x in L]))', [("s", 0, b"a+|b+")]),
        ('import re, string\nre.compile(f"[{re.escape(string.digits[:2])}]{{2}}")', [("s", 0, b"[01]{2}")]),
        (
            "import re\nclass C:\n    a = 'x'\n    b = re.compile(a * 1 if 0 else a)\n    c = re.compile(a)",
            [("s", 0, b"x")],
        ),
        ("from re import compile as c, I\nc('a', I)", [("s", int(re.IGNORECASE), b"a")]),
    ],
)
def test_written_out_expressions_are_found(source: str, expected: list[tuple[str, int, bytes]]) -> None:
    assert found(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "import re\nre.compile(pattern)",
        'import re\nP = "a"\nP = "b"\nre.compile(P)',
        'import re\nre.compile("a", flags)',
        'import re\nre.compile("a", **options)',
        'import re\nre.compile(*["a"])',
        'import re\nre.compile("(")',
        'import re\nre.compile("[[a]")',
        'import re\nre.compile("a", re.DEBUG)',
        'import re\nre.escape("a")',
        'other.compile("a")',
        'import re\nre.compile("%09999d" % 1)',
        'import re\nre.compile("%*d" % (9, 1))',
        'import re\nre.compile("{:{}}".format(1, 9))',
        'import re\nre.compile(f"{1:9}")',
        'import re\nre.compile("a" * 9)',
        'import re\nre.compile("a".join(open("x")))',
        'import re\nre.compile("".__class__.__name__)',
        "import re\nclass C:\n    a = 'x'\n    def f(self): re.compile(a)",
        "import re\nclass C:\n    a = 'x'\nre.compile(a)",
    ],
)
def test_what_is_not_certain_wrong_or_warned_about_is_left_alone(source: str) -> None:
    assert found(source) == []


@pytest.mark.parametrize(
    ("pattern", "flags", "text"),
    [
        (r"(?P<year>\d{4})-(?P<month>\d\d)", 0, "on 2024-05"),
        (r"^a.*?b$", re.DOTALL | re.MULTILINE, "a\nb"),
        (r"[à-ü]+", re.IGNORECASE, "ÀÉ"),
        (rb"(\w+)\1", 0, b"abab"),
    ],
)
def test_what_is_stored_makes_the_same_pattern(pattern: Any, flags: int, text: Any) -> None:
    [(_, _, _, stored)] = compiled_patterns(f"import re\nre.compile({pattern!r}, {int(flags)})".encode())
    same_pattern, same_flags, arguments = marshal.loads(stored)  # noqa: S302  made in the line above
    rebuilt = re._compiler._sre.compile(pattern, *arguments)  # type: ignore[attr-defined]
    usual: Any = re.compile(pattern, flags)
    assert (same_pattern, same_flags) == (pattern, int(flags))
    assert (rebuilt.flags, rebuilt.groups, rebuilt.groupindex) == (
        usual.flags,
        usual.groups,
        usual.groupindex,
    )
    assert rebuilt == usual
    assert rebuilt.search(text).span() == usual.search(text).span()


def test_the_same_source_gives_the_same_bytes() -> None:
    source = b'import re\nre.compile("(?P<a>x)|(?P<b>y)", re.I)\nre.compile("z")'
    assert list(compiled_patterns(source)) == list(compiled_patterns(source))


def test_a_table_is_sorted_by_key_and_refers_to_what_it_holds() -> None:
    patterns = [Pattern("s", n, f"text {n}".encode(), bytes([n]) * n) for n in range(20)]
    table = encode_patterns([*patterns, patterns[3]])
    count, nothing = struct.unpack_from("<II", table)
    entries = [struct.unpack_from("<QQII", table, 8 + 24 * n) for n in range(count)]
    assert (count, nothing) == (20, 0)
    assert [entry[0] for entry in entries] == sorted(pattern.key for pattern in patterns)
    stored = {pattern.key: pattern.compiled for pattern in patterns}
    for key, checksum, offset, size in entries:
        content = table[offset : offset + size]
        assert content == stored[key]
        assert checksum == xxhash.xxh64_intdigest(content)
