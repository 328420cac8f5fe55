"""How long-running parts tell their caller what they are doing; `coachwhip.cli.ui` shows it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Hears what happens; never decides anything."""

    def step(self, title: str, *, estimate: float | None = None) -> AbstractContextManager[None]:
        """Cover one step of the work with a `with` block; steps may be nested.

        Args:
            title: what is being done, `Building OpenSSL 3.5.7`; one line of up to 60 characters.
            estimate: how long it will take, in seconds; None when that can't be said honestly.
        """
        ...

    def note(self, message: str) -> None:
        """Tell the user something that they should see even when nothing is wrong."""
        ...

    def detail(self, message: str) -> None:
        """Tell something that is only of interest to who asked for details."""
        ...


class Silent:
    """A `Progress` that tells nobody."""

    def step(self, title: str, *, estimate: float | None = None) -> AbstractContextManager[None]:
        """Show nothing."""
        del title, estimate
        return contextlib.nullcontext()

    def note(self, message: str) -> None:
        """Show nothing."""

    def detail(self, message: str) -> None:
        """Show nothing."""
