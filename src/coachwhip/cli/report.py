"""What `coachwhip inspect` tells about a product, as values; `inspect` shows them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from coachwhip.errors import ImageError
from coachwhip.image.format import NodeFlag, Section

if TYPE_CHECKING:
    from pathlib import Path

    from coachwhip.elf.hardening import Hardening
    from coachwhip.image import ImageReader, Manifest
    from coachwhip.model import Settings

__all__ = ["PARTS", "Report", "report"]

#: The parts of a product in the order in which they are shown; together they are the whole file.
PARTS = ("interpreter", "bytecode", "native libraries", "sources and data", "snapshot", "index")


@dataclass(frozen=True)
class Report:
    """Facts about one product.

    Attributes:
        file: as the user named it.
        size: of the whole file, bytes.
        image: the image's id, 16 hex digits, as in the name of its cache directory.
        damage: what is wrong with the file; empty when every checksum matches.
        parts: bytes by part, see `PARTS`.
        floor: the newest glibc that anything in it needs, `2.17`.
        floor_set_by: what needs it.
        hardening: what the executable has against the exploitation of memory errors.
    """

    file: str
    size: int
    image: str
    damage: str
    manifest: Manifest
    settings: Settings
    parts: dict[str, int]
    floor: str
    floor_set_by: str
    hardening: Hardening

    @property
    def intact(self) -> bool:
        """Whether every checksum matches."""
        return not self.damage

    def to_json(self) -> dict[str, Any]:
        """Return the report for `--json`; `docs/reference/command-line.md` describes it."""
        manifest = asdict(self.manifest)
        return {
            "file": self.file,
            "size": self.size,
            "intact": self.intact,
            "damage": self.damage or None,
            "image": self.image,
            "app": {key: manifest[key] for key in ("version", "entry")} | {"name": manifest["app"]},
            "target": manifest["target"],
            "python": manifest["python"],
            "runtime": manifest["runtime"],
            "builder": manifest["builder"],
            "glibc": {
                "floor": self.floor,
                "set_by": self.floor_set_by,
                "interpreter": manifest["stub_glibc"],
            },
            "settings": asdict(self.settings),
            "hardening": asdict(self.hardening),
            "parts": self.parts,
            "distributions": manifest["distributions"],
            "natives": manifest["natives"],
            "system": manifest["system"],
        }


def report(path: Path, image: ImageReader) -> Report:
    """Check a product and say what is inside.

    Raises:
        ImageError: its index is so damaged that it can't be read.
    """
    damage = ""
    try:
        image.verify()
    except ImageError as error:
        damage = error.message
    size = path.stat().st_size
    floor, floor_set_by = image.manifest.floor()
    return Report(
        file=str(path),
        size=size,
        image=image.image_id.hex()[:16],
        damage=damage,
        manifest=image.manifest,
        settings=image.settings,
        parts=_parts(image, size=size),
        floor=floor,
        floor_set_by=floor_set_by,
        hardening=image.hardening(),
    )


def _parts(image: ImageReader, *, size: int) -> dict[str, int]:
    """Return bytes by part; the index is all that belongs to none of the others, padding included."""
    stored: Counter[str] = Counter(interpreter=image.offset)
    stored["native libraries"] = image.size_of(Section.PAGES)
    stored["snapshot"] = image.size_of(Section.SNAPSHOT)
    for node in image.nodes():
        if node.flags & NodeFlag.HAS_CODE:
            stored["bytecode"] += node.code[1]
        if node.flags & NodeFlag.HAS_DATA:
            stored["native libraries" if node.flags & NodeFlag.NATIVE else "sources and data"] += node.data[1]
    stored["index"] = size - stored.total()
    return {part: stored[part] for part in PARTS}
