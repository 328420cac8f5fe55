"""The way of a build, from what the user pointed at to one file; each step is another part's work."""

from coachwhip.pipeline.build import build_product
from coachwhip.pipeline.model import Product, Request
from coachwhip.pipeline.rebake import Rebake, Rebaked, rebake_product

__all__ = ["Product", "Rebake", "Rebaked", "Request", "build_product", "rebake_product"]
