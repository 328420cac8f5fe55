"""Summarise measurements with numpy and pandas: a program with large native libraries."""

# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2", "pandas>=2.2"]
# ///

import argparse

import numpy as np
import pandas as pd


def measurements(rows: int, seed: int) -> pd.DataFrame:
    """Return made-up temperatures (degrees Celsius) of three stations, the same for the same seed."""
    random = np.random.default_rng(seed)
    stations = np.array(["harbour", "hill", "town"])
    index = np.arange(rows) % len(stations)
    mean = np.array([11.0, 7.5, 12.5])[index]
    return pd.DataFrame({"station": stations[index], "celsius": random.normal(mean, 3.0)})


def main() -> int:
    parser = argparse.ArgumentParser(prog="sci", description="Summarise made-up measurements by station.")
    parser.add_argument("--rows", type=int, default=3000, help="how many measurements (default: 3000)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the random numbers (default: 7)")
    options = parser.parse_args()

    table = measurements(options.rows, options.seed)
    print(table.groupby("station")["celsius"].agg(["count", "mean", "std"]).round(2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
