"""Bytes of the units in which memory is counted: the one place that knows them."""

from __future__ import annotations

_LETTERS = "KMGTP"
BINARY: dict[str, int] = {letter: 1024**power for power, letter in enumerate(_LETTERS, 1)}
"""What batch systems mean by K, M, G …"""
DECIMAL: dict[str, int] = {letter: 1000**power for power, letter in enumerate(_LETTERS, 1)}
MIB = BINARY["M"]
