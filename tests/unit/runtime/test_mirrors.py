"""Which mirror of Debian a machine uses, as its apt settings say."""

from __future__ import annotations

from coachwhip.runtime.debian import mirrors

ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb [arch=amd64] http://mirror.example/debian bookworm main
deb-src https://other.example/debian/ bookworm main
deb http://mirror.example/debian-security bookworm-security main
"""

STANZAS = """\
Types: deb
# http://archive.example/debian/20250520
URIs: https://mirror.example/linux/debian/
Suites: bookworm
"""


def test_both_formats_are_read_and_the_first_mirror_counts() -> None:
    assert mirrors([ONE_LINE]) == ("http://mirror.example/debian", "http://mirror.example/debian-security")
    assert mirrors([STANZAS]) == ("https://mirror.example/linux/debian/", "")


def test_a_machine_without_debian_has_none() -> None:
    assert mirrors(["deb http://packages.example/ubuntu noble main\n", ""]) == ("", "")
