"""Whether a time series is the known one, and the same as one that was made without Dask.

compare.py serial/timeseries.h5 local/timeseries.h5
"""

from __future__ import annotations

import sys

import h5py
import numpy as np
from make_stack import displacement


def read(file: str) -> np.ndarray:
    with h5py.File(file) as opened:
        return opened["timeseries"][:]


if __name__ == "__main__":
    serial, other = map(read, sys.argv[1:])
    error = np.abs(other - displacement()).max() * 1000
    print(f"{sys.argv[2]}: sinks by {-other.min() * 100:.1f} cm, {error:.1f} mm from the truth at most")
    if not np.array_equal(serial, other):
        sys.exit(f"it differs from {sys.argv[1]}, by {np.abs(other - serial).max() * 1000:.4f} mm at most")
    print(f"the same numbers as in {sys.argv[1]}")
