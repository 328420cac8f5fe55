"""Greet people, as text or as JSON: a small program that needs nothing but the standard library."""

import argparse
import json


def main() -> int:
    parser = argparse.ArgumentParser(prog="hello", description="Greet people.")
    parser.add_argument("names", nargs="*", default=["world"], metavar="NAME", help="whom to greet")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    options = parser.parse_args()

    greetings = {name: f"Hello, {name}!" for name in options.names}
    if options.json:
        print(json.dumps(greetings, ensure_ascii=False, indent=2))
    else:
        print("\n".join(greetings.values()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
