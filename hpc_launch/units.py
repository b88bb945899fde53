"""Memory in bytes, durations in seconds: read as people write them, exact, with nothing left to guess."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

from hpc_launch.batch.sizes import BINARY, DECIMAL
from hpc_launch.batch.sizes import MIB as MIB

GIB = BINARY["G"]

_BYTES_OF_UNIT = {
    "B": 1,
    "kB": DECIMAL["K"],
    **{f"{letter}B": DECIMAL[letter] for letter in "KMGT"},
    **{f"{letter}iB": BINARY[letter] for letter in "KMGT"},
}
BATCH_UNITS = {f"{letter}B": BINARY[letter] for letter in "KMGT"}
"""Bytes of what batch systems call so."""
_SECONDS_OF_UNIT = {"d": 86400, "h": 3600, "m": 60, "s": 1}

# bounded, so that no text becomes a number of thousands of digits
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_AMOUNT = re.compile(rf"({_NUMBER}) ?([A-Za-z]*)")
_CLOCK = re.compile(r"(?:([0-9]{1,4})-(?=[0-9]{2}:))?([0-9]{1,6}):([0-5][0-9]):([0-5][0-9])")
_WITH_UNITS = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")

MEMORY = rf"{_NUMBER} ?(?:{'|'.join(_BYTES_OF_UNIT)})"
WALLTIME = rf"(?:{_CLOCK.pattern}|{_WITH_UNITS.pattern})"
_LESS_THAN_ONE = r"0{1,15}(?:\.[0-9]{1,20})?"
_LESS_THAN_HUNDRED = r"0{0,15}[0-9]{1,2}(?:\.[0-9]{1,20})?"
_TINY = r"[0-9](?:\.[0-9]{1,20})?e-0{0,2}[1-9][0-9]{0,2}"  # as YAML's numbers become texts: 1e-05
SHARE = rf"(?:{_LESS_THAN_ONE}|{_LESS_THAN_HUNDRED} ?%|{_TINY}(?: ?%)?)"
"""What each of them looks like, all of it; of the first two the numbers are looked at when it is read."""

LEAST_MEGABYTES = 500
"""A number without a unit from here on is offered as megabytes."""
_MEMORY = "write 60 GB (10^9 bytes each) or 60 GiB (2^30); units: B, kB, MB, GB, TB, KiB, MiB, GiB, TiB"
_WALLTIME = "write HH:MM:SS, D-HH:MM:SS, or units such as 90m, 2h30m, 1d12h"
_FRACTION = "write a share such as 5% or 0.05, at least 0 and less than 100%"


def parse_memory(value: object) -> int:
    """Bytes of an amount such as ``60 GiB``, rounded up to a whole one; `ValueError` carries a sentence."""
    if not isinstance(value, str) or not (found := _AMOUNT.fullmatch(value)):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise ValueError(_without_unit(str(value)))
        raise ValueError(f"expected an amount of memory, got {_said(value)}: {_MEMORY}")
    number, unit = found.groups()
    if unit not in _BYTES_OF_UNIT:
        raise ValueError(_unknown_memory_unit(value, number, unit))
    if not (amount := Fraction(number) * _BYTES_OF_UNIT[unit]):
        raise ValueError(f"{value!r} is no memory at all: {_MEMORY}")
    return ceil(amount)


def _without_unit(number: str) -> str:
    if number.startswith("-") or not number.strip("0."):
        return f"{number} is no memory at all: {_MEMORY}"
    unit = "G" if float(number) < LEAST_MEGABYTES else "M"
    power = {"G": ("10^9", "2^30"), "M": ("10^6", "2^20")}[unit]
    return f"{number} has no unit: write {number} {unit}B ({power[0]} bytes each) or {number} {unit}iB ({power[1]})"


def _unknown_memory_unit(value: str, number: str, unit: str) -> str:
    if not unit:
        return _without_unit(number)
    folded = {name.casefold(): name for name in _BYTES_OF_UNIT if name != "KB"}
    letter = unit.upper()
    if letter in ("K", "M", "G", "T"):
        decimal = "kB" if letter == "K" else f"{letter}B"
        # Slurm: sbatch(1), --mem; Dask: dask.utils.parse_bytes
        meanings = f"Slurm reads it as {number} {letter}iB, Dask as {number} {decimal}"
        return f"{value!r} is ambiguous ({meanings}): write one of these two"
    if meant := folded.get(unit.casefold()) or folded.get(f"{unit}b".casefold()):
        return f"{value!r} has no unit that is allowed: write {number} {meant}"
    return f"{value!r} has no unit that is allowed: {_MEMORY}"


def parse_walltime(value: object) -> int:
    """Seconds of a duration such as ``12:00:00`` or ``2h30m``; `ValueError` carries a sentence."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit: {_WALLTIME}")
    if not isinstance(value, str):
        raise ValueError(f"expected a duration, got {_said(value)}: {_WALLTIME}")
    seconds = _clock_seconds(value)
    if seconds is None and (found := _WITH_UNITS.fullmatch(value)) and value:
        counts = zip(found.groups(default="0"), _SECONDS_OF_UNIT.values(), strict=True)
        seconds = sum(int(count) * unit for count, unit in counts)
    if seconds is None:
        raise ValueError(_no_duration(value))
    if not seconds:
        raise ValueError(f"{value!r} is no time at all: {_WALLTIME}")
    return seconds


def _clock_seconds(text: str) -> int | None:
    if not (found := _CLOCK.fullmatch(text)):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    if found[1] and hours >= 24:
        return None
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _no_duration(text: str) -> str:
    if re.fullmatch(r"[0-9]{1,15}", text):
        return f"{text} has no unit: {_WALLTIME}"
    if found := re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text):
        first, second = found.groups()
        spellings = f"{first.zfill(2)}:{second}:00 or 00:{first.zfill(2)}:{second}"
        return f"{text!r} is ambiguous (hours and minutes, or minutes and seconds): write {spellings}"
    if found := re.fullmatch(r"([0-9]{1,4})-([0-9]{1,2})(?::([0-5][0-9]))?", text):
        days, hours, minutes = found.groups(default="00")
        return f"{text!r} has no seconds: write {days}-{hours.zfill(2)}:{minutes}:00"
    return f"{_said(text)} is not a duration: {_WALLTIME}"


def parse_fraction(value: object) -> Fraction:
    """A share, 0 <= x < 1, of ``5%`` or ``0.05``, exactly as written; `ValueError` carries a sentence."""
    text = str(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else ""
    if not re.fullmatch(SHARE, text):
        raise ValueError(f"{_said(value)} is not a share: {_FRACTION}")
    return Fraction(text.rstrip(" %")) / (100 if "%" in text else 1)


def _said(value: object) -> str:
    """A value that is not understood, short enough for a sentence."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:60]}…"


def exact_memory(n: int) -> str:
    """``60 GiB``, ``500 MB``, ``1234567 B``: reads back as the same number of bytes."""
    for name, unit in (("GiB", GIB), ("GB", DECIMAL["G"]), ("MiB", MIB), ("MB", DECIMAL["M"])):
        if n and n % unit == 0:
            return f"{n // unit} {name}"
    return f"{n} B"


def format_memory(n: int) -> str:
    """``60 GiB``; exact where whole MB, MiB or more make it up, otherwise with one decimal (``12.3 GiB``)."""
    exact = exact_memory(n)
    if not exact.endswith(" B"):
        return exact
    for name, unit in (("GiB", GIB), ("MiB", MIB), ("KiB", BINARY["K"])):
        if n >= unit:
            tenths = (n * 10 + unit // 2) // unit
            return f"{tenths // 10}.{tenths % 10} {name}"
    return f"{n} B"


def format_walltime(n: int) -> str:
    """``HH:MM:SS``; hours may be more than 24, which every batch system takes."""
    return f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}"


def format_duration(n: int) -> str:
    """``1 h``, ``90 min``, ``20 s``: for sentences, in the largest unit of which it is a multiple."""
    unit, size = next((unit, size) for unit, size in (("h", 3600), ("min", 60), ("s", 1)) if n % size == 0)
    return f"{n // size} {unit}"


def format_walltime_minutes(n: int) -> str:
    """``HH:MM``, rounded up: LSF counts minutes, and takes three numbers for a mistake."""
    minutes = ceil_to(n, 60) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


def memory_in(n: int, unit: str, parts: int = 1) -> int:
    """How many of a batch system's units (KB, MB, GB, TB: powers of 1024) each part of so many bytes needs."""
    return -(-n // (parts * BATCH_UNITS[unit]))


def ceil_to(n: int | Fraction, unit: int) -> int:
    """The smallest multiple of ``unit`` that is not less than ``n``."""
    return -(-n // unit) * unit
