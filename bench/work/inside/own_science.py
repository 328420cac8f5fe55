"""Programs that use numpy and pandas, in one thread."""

import io
import sys

import numpy as np
import pandas as pd
import pyperf

_ROWS = 20000


def _frame():
    numbers = np.arange(_ROWS)
    return pd.DataFrame(
        {
            "key": [f"k{n % 97}" for n in range(_ROWS)],
            "n": numbers % 1013,
            "x": np.sin(numbers),
            "when": pd.date_range("2020-01-01", periods=_ROWS, freq="min"),
        }
    )


def small_arrays(_):
    """Many calls on arrays so small that calling is what costs."""
    a = np.arange(8.0)
    for _ in range(1000):
        a = (a + 1.0) * 0.5
    return a.sum()


def large_arrays(_):
    """Arithmetic on arrays of megabytes."""
    a = np.arange(500_000, dtype=np.float64)
    b = np.sqrt(a) + np.sin(a) * 2
    return np.cumsum(b)[-1]


def sorting(_):
    """Sort, search, unique."""
    a = (np.arange(200_000) * 7919) % 104729
    return np.unique(np.sort(a)).searchsorted(5000)


def random_numbers(_):
    """Random numbers and their histogram."""
    return np.histogram(np.random.default_rng(1).standard_normal(200_000), 50)[0].sum()


def linear_algebra(_):
    """Products and solutions of small systems."""
    a = np.random.default_rng(1).random((40, 40))
    for _ in range(100):
        np.linalg.solve(a, a @ a)


def groups(frame):
    """Group and aggregate."""
    return frame.groupby("key").agg({"n": "sum", "x": ["mean", "max"]})


def joins(frame):
    """Merge with a table of keys, and pivot."""
    keys = pd.DataFrame({"key": [f"k{n}" for n in range(97)], "m": range(97)})
    return frame.merge(keys, on="key").pivot_table(index="key", values="m", aggfunc="sum")


def texts(frame):
    """Methods of texts."""
    return frame["key"].str.upper().str.len().sum() + frame["key"].str.contains("7").sum()


def times(frame):
    """Resample and round times."""
    return frame.set_index("when")["x"].resample("h").mean().sum()


def csv(frame):
    """Write and read CSV."""
    return pd.read_csv(io.StringIO(frame.head(2000).to_csv())).shape


if __name__ == "__main__":
    function = globals()[sys.argv.pop(1)]
    pyperf.Runner().bench_func(function.__name__, function, _frame())
