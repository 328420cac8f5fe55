"""The examples, how they are called, and what they print."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EXAMPLES", "HELLO", "MYAPP", "SCI", "Example"]


@dataclass(frozen=True)
class Example:
    """One of the examples: its command, the product's name first, and its whole output."""

    command: tuple[str, ...]
    output: str

    def __str__(self) -> str:
        return self.command[0]


HELLO = Example(("hello", "Ada"), "Hello, Ada!\n")
MYAPP = Example(("myapp", "run"), "psycopg2 works!\npycurl works!\nmyextension works!\n")
SCI = Example(
    ("sci", "--rows", "6"),
    "         count   mean   std\n"
    "station                    \n"
    "harbour      2   9.67  1.89\n"
    "hill         2   7.27  1.60\n"
    "town         2  10.60  1.52\n",
)
EXAMPLES = (HELLO, MYAPP, SCI)
