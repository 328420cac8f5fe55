"""Turn a Python application into one file that runs on any Linux machine."""

__version__ = "0.1.0"
