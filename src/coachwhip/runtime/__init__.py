"""CPython from source, for any glibc since 2.17, without a system compiler.

`find_runtime` looks for an installed runtime, `install_runtime` makes one; both return a `Runtime`.
`toolchain` has the compiler and the linker that the stub is made with.
"""

from coachwhip.runtime.install import install_runtime
from coachwhip.runtime.installed import find_runtime, installed_runtimes, remove_runtime
from coachwhip.runtime.model import Builtin, Runtime, Source
from coachwhip.runtime.toolchain import Toolchain, link_executable, prepare_toolchain, zig_cc

__all__ = [
    "Builtin",
    "Runtime",
    "Source",
    "Toolchain",
    "find_runtime",
    "install_runtime",
    "installed_runtimes",
    "link_executable",
    "prepare_toolchain",
    "remove_runtime",
    "zig_cc",
]
