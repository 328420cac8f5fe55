from __future__ import annotations

from dataclasses import replace

from coachwhip.elf.hardening import Hardening
from coachwhip.model import NativeLib
from coachwhip.runtime.gates import (
    judge_carried,
    judge_exports,
    judge_floor,
    judge_hardening,
    judge_paths,
    judge_replacements,
)


def test_the_floor_is_kept_by_old_symbols_only() -> None:
    assert not judge_floor(["GLIBC_2.2.5", "GLIBC_2.17"], (2, 17)).failures
    assert judge_floor(["GLIBC_2.3", "GLIBC_2.18", "GLIBC_2.34"], (2, 17)).failures == (
        "GLIBC_2.18",
        "GLIBC_2.34",
    )
    # What is no version of glibc can't be promised either.
    assert judge_floor(["GCC_3.0", "GLIBC_PRIVATE"], (2, 17)).failures == ("GCC_3.0", "GLIBC_PRIVATE")


def test_exports_must_be_the_wanted_ones() -> None:
    wanted = frozenset({"Py_Main", "PyList_New"})

    assert not judge_exports(wanted, wanted).failures
    assert judge_exports(frozenset({"Py_Main", "SSL_new"}), wanted).failures == (
        "missing: PyList_New",
        "foreign: SSL_new",
    )


def test_functions_of_glibc_must_not_be_replaced() -> None:
    libc = frozenset({"memcmp", "log2", "printf"})

    assert not judge_replacements(frozenset({"PyList_New", "mpd_qadd"}), libc).failures
    assert judge_replacements(frozenset({"main", "log2", "memcmp"}), libc).failures == ("log2", "memcmp")


def test_only_position_independent_runtimes_have_to_be_hardened() -> None:
    whole = Hardening(*[True] * 7)
    some = replace(whole, bind_now=False, stack_protector=False)

    assert not judge_hardening(whole, pie=True).failures
    assert judge_hardening(some, pie=True).failures == ("bind_now", "stack_protector")
    assert not judge_hardening(some, pie=False).failures


def test_build_paths_are_found_in_any_file() -> None:
    files = [("a.py", b"prefix = '/build/x'"), ("b.a", b"\0\0/home/me/zig\0"), ("c", b"fine")]

    assert judge_paths(files, ["/build", "/home/me"]).failures == ("a.py", "b.a")
    assert not judge_paths(files, ["/elsewhere"]).failures


def test_carried_libraries_have_their_names_and_keep_to_their_glibc() -> None:
    base = NativeLib("libb.so.1", ("libc.so.6",), (), (2, 14), "memcpy")
    user = NativeLib("liba.so.1", ("libm.so.6", "libb.so.1"), (), (2, 18), "f")
    floors = {"libb.so.1": "2.17", "liba.so.1": "2.18"}

    assert not judge_carried({"libb.so.1": base, "liba.so.1": user}, floors).failures
    # What a library needs comes before it.
    assert judge_carried({"liba.so.1": user, "libb.so.1": base}, floors).failures == (
        "liba.so.1 needs libb.so.1",
    )
    assert judge_carried({"libb.so.1": user}, {"libb.so.1": "2.17"}).failures == (
        "libb.so.1 calls itself liba.so.1",
        "libb.so.1 needs f of glibc 2.18",
        "libb.so.1 needs libb.so.1",
    )
