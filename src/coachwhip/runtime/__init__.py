"""CPython from source, for any glibc since 2.17, without a system compiler.

`find_runtime` looks for an installed runtime, `install_runtime` makes one; both return a `Runtime`.
`toolchain` has the compiler and the linker that the stub is made with.
"""

from coachwhip.runtime.model import Builtin, Runtime, Source
from coachwhip.runtime.toolchain import Toolchain, link_executable, prepare_toolchain, zig_cc

__all__ = [
    "Builtin",
    "Runtime",
    "Source",
    "Toolchain",
    "link_executable",
    "prepare_toolchain",
    "zig_cc",
]
