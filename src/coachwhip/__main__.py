"""`coachwhip`, the command, and `python -m coachwhip`."""

from __future__ import annotations

import signal

__all__ = ["main"]


def main() -> int:
    """Run the command line of this process and return its exit code."""
    # The command takes a moment to be imported: Ctrl-C then ends the process, and shows no traceback of it.
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from coachwhip.cli import main as command  # noqa: PLC0415  (see above)

    signal.signal(signal.SIGINT, usual)
    return command.main()


if __name__ == "__main__":
    raise SystemExit(main())
