"""What a runtime's directory has besides its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["complete_layout"]


def complete_layout(root: Path) -> None:
    """Make what wheels can't carry: the interpreter's way to its library, and its executable bit.

    The interpreter looks for `lib/python3.13` above its own directory.
    """
    (interpreter,) = (root / "bin").iterdir()
    interpreter.chmod(0o755)
    (root / "stdlib" / "lib-dynload").mkdir(exist_ok=True)
    link = root / "lib" / interpreter.name
    link.unlink(missing_ok=True)
    link.symlink_to("../stdlib")
