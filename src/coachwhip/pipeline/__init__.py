"""The way of a build, from what the user pointed at to one file; each step is another part's work."""

from coachwhip.pipeline.build import build_product
from coachwhip.pipeline.model import Product, Request

__all__ = ["Product", "Request", "build_product"]
