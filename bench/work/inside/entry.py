"""Runs one of the programs that are measured: PROGRAM LOOPS VALUES [ARGUMENT ...]."""

import sys

import pyperf

IMPORTS = ()


def main():
    """Run it; LOOPS is 0 to find out how many make a measurable time."""
    if sys.argv[1].startswith("--"):
        return
    _, module, loops, count, *arguments = sys.argv
    pyperf.Runner.plan = (int(loops), int(count))
    sys.argv[1:] = arguments
    exec(sys.modules[module].MAIN_PART, vars(sys.modules[module]))  # noqa: S102  (it is of that module)


if __name__ == "__main__":
    main()
