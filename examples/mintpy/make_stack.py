"""A small stack of interferograms for MintPy, of a displacement that is known.

    make_stack.py inputs/ifgramStack.h5

Twelve images, twelve days apart, each paired with the three that follow it: 30 pairs of 100 × 100 pixels. The ground
sinks in a bowl, faster and faster, by 6 cm at its centre. The phase is the noisier the less coherent a pair is.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np

IMAGES, DAYS, NEIGHBOURS = 12, 12, 3
ROWS = COLUMNS = 100
WAVELENGTH = 0.0554658  # of Sentinel-1, in metres
DATES = [date(2024, 1, 1) + timedelta(days=DAYS * number) for number in range(IMAGES)]
PAIRS = [(first, second) for first in range(IMAGES) for second in range(first + 1, min(first + NEIGHBOURS + 1, IMAGES))]
REFERENCE = (2, 2)  # row and column of the pixel that everything is relative to

METADATA = {
    "FILE_TYPE": "ifgramStack",
    "PROCESSOR": "isce",
    "LENGTH": ROWS,
    "WIDTH": COLUMNS,
    "WAVELENGTH": WAVELENGTH,
    "REF_Y": REFERENCE[0],
    "REF_X": REFERENCE[1],
    "ALOOKS": 1,
    "RLOOKS": 5,
    "UNIT": "radian",
    "ORBIT_DIRECTION": "ASCENDING",
}


def displacement() -> np.ndarray:
    """Towards the satellite, in metres: images × rows × columns, zero in the first image and at the reference."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    bowl = np.exp(-((rows - 55) ** 2 + (columns - 60) ** 2) / (2 * 18.0**2))
    bowl -= bowl[REFERENCE]
    progress = np.linspace(0, 1, IMAGES) ** 1.5
    return -0.06 * progress[:, None, None] * bowl


def phase(moved: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Of each pair, in radians, unwrapped; noise too is relative to the reference."""
    exact = np.array([-4 * np.pi / WAVELENGTH * (moved[second] - moved[first]) for first, second in PAIRS])
    return exact + noise - noise[:, REFERENCE[0], REFERENCE[1], None, None]


def coherence() -> np.ndarray:
    """Of each pair: less from the left to the right, and with each image in between."""
    space = np.linspace(0.95, 0.6, COLUMNS)
    return np.array([np.tile(space ** (second - first), (ROWS, 1)) for first, second in PAIRS])


def write(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    coherent = coherence()
    noise = np.random.default_rng(2024).normal(0, 1 - coherent) / 2
    names = np.array([[f"{DATES[image]:%Y%m%d}" for image in pair] for pair in PAIRS], dtype="S8")
    with h5py.File(file, "w") as stack:
        stack["date"] = names
        stack["dropIfgram"] = np.ones(len(PAIRS), dtype=bool)  # True: it stays
        stack["bperp"] = np.zeros(len(PAIRS), dtype=np.float32)
        stack["unwrapPhase"] = phase(displacement(), noise).astype(np.float32)
        stack["coherence"] = coherent.astype(np.float32)
        stack.attrs.update({key: str(value) for key, value in METADATA.items()})


if __name__ == "__main__":
    write(Path(sys.argv[1]))
    print(f"{sys.argv[1]}: {len(PAIRS)} interferograms of {ROWS} × {COLUMNS} pixels, from {IMAGES} images")
