"""What counts are expected to be, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("expected.yaml")
EXPECTED: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
TOLERANCE = 0.1
LOWER = "lower the expectation, so that the gain is kept"
RAISE = "find what has grown; if that is worth it, raise the expectation"
WHERE = f"It stands in tests/counts/{FILE.name}; see benchmarks/README.md, What the CI counts."


def objection(name: str, counted: float, expected: float) -> str | None:
    """What to say of a count that is more than a tenth away from what is expected; None: nothing."""
    both = f"{name}: {counted:,} counted, {expected:,} expected"
    if counted > expected * (1 + TOLERANCE):
        return f"{both}. That is more than a tenth above: {RAISE}. {WHERE}"
    if counted < expected * (1 - TOLERANCE):
        return f"{both}. That is more than a tenth below: {LOWER}. {WHERE}"
    return None
