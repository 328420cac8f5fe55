"""C programs of the stub's sources, and images for them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from coachwhip.image import plan_image, write_product
from coachwhip.image.stub_elf import find_segment
from coachwhip.model import Bundle, EntryPoint, NativeLib, Target
from tests.unit.image.samples import LayerBuilder, fake_stub, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coachwhip.prelink import Prelinked

__all__ = [
    "FILES",
    "Content",
    "Driver",
    "Outcome",
    "compile_program",
    "compiler",
    "library_nodes",
    "write_image",
]

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "stub"
TESTS = ROOT / "tests" / "stub"

#: The stub's sources that deal with the product's files: all but those that need CPython or its libraries.
FILES = (
    *(
        STUB / f"{name}.c"
        for name in ("say", "next", "paths", "candidates", "cache", "prune", "used", "machine")
    ),
    *(
        STUB / f"{name}.c"
        for name in ("content", "unpack", "open_node", "listing", "maps", "memory_library", "carried")
    ),
    *(
        STUB / f"{name}.c"
        for name in (
            "rewrite",
            "launch",
            "image",
            "libraries",
            "native_symbols",
            "xxh64",
            "fixed",
            "variables",
        )
    ),
    *sorted(STUB.glob("natives*.c")),
    *sorted(STUB.glob("wrap*.c")),
)
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer")


@cache
def compiler() -> str | None:
    """A C compiler of the system whose sanitizers work, or None."""
    for name in ("gcc", "clang"):
        path = shutil.which(name)
        if path:
            probe = subprocess.run(
                [path, *SANITIZE, "-x", "c", "-", "-o", os.devnull],
                input=b"int main(void) { return 0; }",
                capture_output=True,
                check=False,
            )
            if probe.returncode == 0:
                return path
    return None


def compile_program(output: Path, sources: Iterable[Path], *options: str, sanitize: bool = True) -> Path:
    """Compile C sources with all warnings as errors."""
    path = compiler()
    assert path is not None
    flags = ["-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{STUB}"]
    command = [path, *flags, *(SANITIZE if sanitize else ()), *map(str, sources), *options, "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return output


@dataclass(frozen=True)
class Content:
    """A file to be put into an image; `data` None leaves only code, as `sources = false` does."""

    data: bytes | None
    executable: bool = False
    native: NativeLib | None = None
    compress: bool = False


def library_nodes(folder: Path) -> dict[str, Content]:
    """Three libraries: `pkg/main.so` needs `pkg.libs/libdep.so` through `$ORIGIN/../pkg.libs`, and may load
    `liblazy.so` from there.
    """
    (folder / "pkg.libs").mkdir(parents=True)
    (folder / "pkg").mkdir()
    dep, main = folder / "pkg.libs" / "libdep.so", folder / "pkg" / "main.so"
    lazy = folder / "liblazy.so"
    shared = ("-shared", "-fPIC", "-O2")
    path = compiler()
    assert path is not None
    subprocess.run(
        [path, *shared, "-Wl,-soname,libdep.so", str(TESTS / "libdep.c"), "-o", str(dep)], check=True
    )
    subprocess.run([path, *shared, str(TESTS / "liblazy.c"), "-o", str(lazy)], check=True)
    runpath = "-Wl,-rpath,$ORIGIN/../pkg.libs"
    subprocess.run([path, *shared, runpath, str(TESTS / "libmain.c"), str(dep), "-o", str(main)], check=True)
    return {
        "lib/pkg/main.so": Content(
            main.read_bytes(), native=NativeLib("", ("libdep.so",), ("$ORIGIN/../pkg.libs",), (2, 17), "x")
        ),
        "lib/pkg.libs/libdep.so": Content(
            dep.read_bytes(), native=NativeLib("libdep.so", (), (), (2, 17), "x"), compress=True
        ),
        "lib/pkg.libs/liblazy.so": Content(lazy.read_bytes(), native=NativeLib("", (), (), (2, 17), "x")),
    }


def write_image(
    path: Path, files: Mapping[str, Content], *, name: str = "sample", prelinked: Prelinked | None = None
) -> Path:
    """Write an image of its own, without a stub, to `path`."""
    layer = LayerBuilder(name, path.with_suffix(".blobs")).add("entry.py", code=b"code")
    for file, content in files.items():
        layer.add(
            file,
            content.data,
            code=b"code" if content.data is None else None,
            compress=content.compress,
            executable=content.executable,
            native=content.native,
        )
    bundle = Bundle(name, "1", EntryPoint(name), Target((3, 13)), (layer.layer(),))
    output = io.BytesIO()
    write_product(fake_stub(), plan_image(bundle, "entry.py", prelinked), manifest(), output)
    product = output.getvalue()
    segment = find_segment(product)
    assert segment is not None
    path.write_bytes(product[segment.offset : segment.offset + segment.size])
    return path


@dataclass(frozen=True)
class Outcome:
    """What the driver wrote, and how it ended."""

    lines: tuple[str, ...]
    errors: str
    status: int

    @property
    def line(self) -> str:
        """Its only line of output."""
        assert self.status == 0, self
        assert len(self.lines) == 1, self
        return self.lines[0]


@dataclass(frozen=True)
class Driver:
    """The test program with an image, a home and other surroundings."""

    program: Path
    image: Path
    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """All environment variables of its processes; an empty value leaves one out."""
        default = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "CW_TEST_IMAGE": str(self.image),
            # Mappings of the image and children of vfork are no leaks.
            "ASAN_OPTIONS": "detect_leaks=0",
        }
        return {name: value for name, value in (default | dict(self.variables)).items() if value}

    def command(self, *verbs: str) -> list[str]:
        """Arguments that start it."""
        return [*self.prefix, str(self.program), *verbs]

    def run(self, *verbs: str, cwd: Path | None = None) -> Outcome:
        """Run it to its end."""
        done = subprocess.run(
            self.command(*verbs),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        assert "ERROR: AddressSanitizer" not in done.stderr, done.stderr
        assert "runtime error" not in done.stderr, done.stderr
        return Outcome(tuple(done.stdout.splitlines()), done.stderr, done.returncode)

    def ask(self, *verbs: str) -> str:
        """Run it and return its only line."""
        outcome = self.run(*verbs)
        assert not outcome.errors, outcome.errors
        return outcome.line

    @classmethod
    def sealed_off(cls, folder: Path, before: str = "") -> Driver:
        """A driver that sees `folder` as /mnt, and shared directories of its own.

        Args:
            folder: holds `driver`, `image` and `home`.
            before: shell commands to run before it, as root.
        """
        script = f"""
            set -e
            mount --bind '{folder}' /mnt
            for shared in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o mode=1777 none $shared; done
            {before}
            exec "$@"
        """
        prefix = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh")
        mnt = Path("/mnt")
        return cls(mnt / "driver", mnt / "image", mnt / "home", prefix=prefix)

    @property
    def app(self) -> Path:
        """The directory of the product in the home's cache."""
        (found,) = (self.home / ".cache" / "coachwhip").iterdir()
        return found
