"""The image: what is appended to a stub to make a product. `FORMAT.md` describes the bytes."""

from coachwhip.image.manifest import Manifest
from coachwhip.image.natives import (
    CARRIED,
    carried_libraries,
    is_carried,
    library_folders,
    needed_libraries,
    outside_libraries,
)
from coachwhip.image.plan import ImagePlan, plan_image
from coachwhip.image.reader import ImageNode, ImageReader, read_image
from coachwhip.image.snapshot import Extras, page_addresses, snapshot_plan, write_with_snapshot
from coachwhip.image.writer import write_product

__all__ = [
    "CARRIED",
    "Extras",
    "ImageNode",
    "ImagePlan",
    "ImageReader",
    "Manifest",
    "carried_libraries",
    "is_carried",
    "library_folders",
    "needed_libraries",
    "outside_libraries",
    "page_addresses",
    "plan_image",
    "read_image",
    "snapshot_plan",
    "write_product",
    "write_with_snapshot",
]
