"""`python -m coachwhip`."""

from coachwhip.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
