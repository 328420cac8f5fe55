"""Programs that lean on what a snapshot and a heap of its own change: memory, dictionaries, old objects."""

import sys

import pyperf


class Point:
    """Something small with attributes."""

    kind = "point"

    def __init__(self, x, y):
        """Take two numbers."""
        self.x = x
        self.y = y

    def moved(self, by):
        """Return another one."""
        return Point(self.x + by, self.y + by)


#: Made before the snapshot is: their pages are copied when they are written to.
OLD = {f"name{n}": [n, str(n), {"n": n}] for n in range(20000)}


def old_objects():
    """Read and write objects that existed at the start."""
    total = 0
    for name, entry in OLD.items():
        entry[0] += 1
        total += entry[0] + len(entry[1]) + len(entry[2]) + len(name)
    for entry in OLD.values():
        entry[2]["again"] = total
        del entry[2]["again"]
    return total


def dictionaries():
    """Fill, look up and empty dictionaries of texts."""
    table = {}
    names = [f"key-{n}" for n in range(5000)]
    for name in names:
        table[name] = name.upper()
    found = sum(len(table[name]) for name in names)
    for name in names:
        del table[name]
    return found


def small_objects():
    """Make and drop instances, tuples and lists."""
    points = [Point(n, n + 1) for n in range(5000)]
    moved = [point.moved(2) for point in points]
    return sum(point.x for point in moved if point.kind == "point")


def blocks():
    """Allocate and free memory of sizes that malloc serves."""
    kept = {}
    for n in range(20000):
        size = 600 + n * 7919 % 30000
        kept[n % 64] = bytearray(size)
    return sum(map(len, kept.values()))


def large_blocks():
    """Allocate and free memory in megabytes, and write to it."""
    total = 0
    for n in range(20):
        data = bytearray(1_000_000 + n * 100_000)
        data[::4096] = b"x" * len(data[::4096])
        total += len(data)
    return total


def growth():
    """Let lists, texts and byte strings grow."""
    items = []
    for n in range(20000):
        items.append(n)  # noqa: PERF402  (growing is what is measured)
    text = "".join(str(n) for n in items)
    data = bytearray()
    for _ in range(2000):
        data += b"0123456789abcdef"
    return len(text) + len(data)


def exceptions():
    """Raise and catch."""
    caught = 0
    for n in range(5000):
        try:
            if n % 2:
                raise KeyError(n)  # noqa: TRY301  (it is what is measured)
            int("x")
        except (KeyError, ValueError) as error:
            caught += bool(error.args)
    return caught


if __name__ == "__main__":
    function = globals()[sys.argv.pop(1)]
    pyperf.Runner().bench_func(function.__name__, function)
