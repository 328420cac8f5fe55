"""What zig links with, read from its trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from coachwhip.runtime.sysroot import collect_link_inputs


@pytest.mark.parametrize("cache", ["/home/ada/zig", "/home/it's mine/a  zig-cache"])
def test_paths_are_found_in_the_trace(cache: str) -> None:
    """zig quotes nothing."""
    trace = (
        f"ld.lld -shared -o {cache}/o/1/libm.so.6 -soname libm.so.6\n"
        f"ld.lld --dynamic-linker /lib64/ld-linux-x86-64.so.2 {cache}/o/2/crt1.o main.o "
        f"{cache}/o/1/libm.so.6 {cache}/o/3/libc_nonshared.a -o main\n"
    )
    found = collect_link_inputs(trace, [Path(cache)])
    del found["ld-linux-x86-64.so.2"]
    assert found == {
        "crt1.o": Path(cache, "o/2/crt1.o"),
        "libm.so.6": Path(cache, "o/1/libm.so.6"),
        "libc_nonshared.a": Path(cache, "o/3/libc_nonshared.a"),
    }


def test_a_trace_without_an_executable() -> None:
    with pytest.raises(ValueError, match="no executable is linked"):
        collect_link_inputs("ld.lld -shared -o libm.so.6\n")
