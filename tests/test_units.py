"""Memory and durations as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.units import (
    GIB,
    MIB,
    ceil_to,
    format_memory,
    format_walltime,
    parse_fraction,
    parse_memory,
    parse_walltime,
)

KIB, TIB = 1024, 1024**4


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("60 GiB", 60 * GIB),
        ("60GiB", 60 * GIB),
        ("60 GB", 60 * 10**9),
        ("1512 GB", 1512 * 10**9),
        ("1.5 TiB", 3 * TIB // 2),
        ("2 TB", 2 * 10**12),
        ("100 MB", 10**8),
        ("7 MiB", 7 * MIB),
        ("8 kB", 8000),
        ("8 KB", 8000),
        ("8 KiB", 8 * KIB),
        ("512 B", 512),
        ("0.3 GB", 300_000_000),
        ("4.35 GB", 4_350_000_000),  # as a float 4349999999.999999
        ("0.1 GiB", 107_374_183),  # 107374182.4: a part of a byte counts as one
    ],
)
def test_memory_is_read_exactly(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("60G", "'60G' is ambiguous (Slurm reads it as 60 GiB, Dask as 60 GB)"),
        ("60g", "write one of these two"),
        ("512 M", "512 MiB"),
        ("60", "60 has no unit: write 60 GB (10^9 bytes each) or 60 GiB (2^30)"),
        (60, "60 has no unit"),
        (500, "500 has no unit: write 500 MB (10^6 bytes each) or 500 MiB (2^20)"),
        (1.5, "1.5 has no unit"),
        ("60 gb", "write 60 GB"),
        ("60 gib", "write 60 GiB"),
        ("60 Gi", "write 60 GiB"),
        ("60 KIB", "write 60 KiB"),
        ("60 parsecs", "units: B, kB, MB"),
        ("0 GB", "no memory at all"),
        (0, "no memory at all"),
        (-5, "no memory at all"),
        ("-5 GB", "expected an amount of memory, got '-5 GB'"),
        ("60  GB", "expected an amount"),
        ("60 GB\n", "expected an amount"),
        (" 60 GB", "expected an amount"),
        ("6_0 GB", "expected an amount"),
        ("\u0666\u0660 GB", "expected an amount"),
        ("1e3 GB", "expected an amount"),
        ("$(free) GB", "expected an amount"),
        ("", "expected an amount"),
        ("9" * 5000 + " GB", "expected an amount"),
        (True, "got true"),
        (None, "got null"),
        ([60], "got a list"),
    ],
)
def test_memory_that_leaves_something_to_guess_is_refused(value: object, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_memory(value)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:30:00", 1800),
        ("12:00:00", 43200),
        ("1:02:03", 3723),
        ("100:00:00", 360_000),
        ("1-12:00:00", 129_600),
        ("21-00:00:00", 21 * 86400),
        ("0-00:00:01", 1),
        ("90m", 5400),
        ("2h30m", 9000),
        ("1d12h", 129_600),
        ("45s", 45),
        ("1d1h1m1s", 90_061),
        ("1d1s", 86_401),
    ],
)
def test_a_walltime_is_read_exactly(text: str, seconds: int) -> None:
    assert parse_walltime(text) == seconds


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            "12:00",
            "'12:00' is ambiguous (hours and minutes, or minutes and seconds): write 12:00:00 or 00:12:00",
        ),
        ("9:30", "write 09:30:00 or 00:09:30"),
        ("1-12", "'1-12' has no seconds: write 1-12:00:00"),
        ("1-6:30", "write 1-06:30:00"),
        ("3600", "3600 has no unit"),
        (43200, "43200 has no unit: write HH:MM:SS"),
        (1.5, "1.5 has no unit"),
        (True, "got true"),
        (None, "got null"),
        ({}, "got a mapping"),
        ("00:00:00", "no time at all"),
        ("0s", "no time at all"),
        ("", "is not a duration"),
        ("00:60:00", "is not a duration"),
        ("00:00:60", "is not a duration"),
        ("1-24:00:00", "is not a duration"),
        ("1-1:00:00", "is not a duration"),
        ("-1:00:00", "is not a duration"),
        ("30m2h", "is not a duration"),
        ("1h1h", "is not a duration"),
        ("1.5h", "is not a duration"),
        ("2 hours", "is not a duration"),
        ("1h30m\n", "is not a duration"),
        ("00:30:00\n#SBATCH --x", "is not a duration"),
        ("\u0661h", "is not a duration"),
        ("9" * 5000 + "s", "is not a duration"),
    ],
)
def test_a_walltime_that_leaves_something_to_guess_is_refused(value: object, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_walltime(value)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("value", "share"),
    [
        ("5%", Fraction(1, 20)),
        ("5 %", Fraction(1, 20)),
        ("2.5%", Fraction(1, 40)),
        (0.05, Fraction(1, 20)),
        (0.1, Fraction(1, 10)),
        (0.00001, Fraction(1, 100_000)),
        ("0.10", Fraction(1, 10)),
        (0, Fraction(0)),
        ("0%", Fraction(0)),
        ("1e-3", Fraction(1, 1000)),
        ("2.5e-1 %", Fraction(1, 400)),
        ("99.99%", Fraction(9999, 10000)),
        ("0.99999999999999999999", 1 - Fraction(1, 10**20)),
    ],
)
def test_a_share_is_what_was_written_and_not_its_nearest_float(value: object, share: Fraction) -> None:
    assert parse_fraction(value) == share


@pytest.mark.parametrize(
    "value",
    [
        1,
        5,
        "100%",
        "1.0",
        -0.1,
        "-5%",
        "5",
        "five",
        "",
        "%",
        "5%\n",
        "..e-1",
        "1e-0",
        "1e-00",
        "15e-1",
        "100e-2",
        "0." + "9" * 99,
        True,
        None,
        [],
        float("nan"),
    ],
)
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is not a share: write a share such as 5%"):
        parse_fraction(value)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (60 * GIB, "60 GiB"),
        (1536 * MIB, "1536 MiB"),
        (192 * 10**9, "192 GB"),
        (13_207_024_435, "12.3 GiB"),
        (GIB + 1, "1.0 GiB"),
        (10**6, "1 MB"),
        (10**6 - 1, "976.6 KiB"),
        (1023, "1023 B"),
        (0, "0 B"),
    ],
)
def test_memory_is_shown_for_people(size: int, text: str) -> None:
    assert format_memory(size) == text


@given(st.integers(1, 10**6), st.sampled_from([MIB, GIB]))
def test_whole_sizes_are_shown_exactly(n: int, unit: int) -> None:
    assert parse_memory(format_memory(n * unit)) == n * unit


@given(st.integers(1, 10**9))
def test_a_walltime_is_read_back_as_it_was_shown(seconds: int) -> None:
    assert parse_walltime(format_walltime(seconds)) == seconds


def test_hours_are_not_turned_into_days() -> None:
    assert (format_walltime(129_600), format_walltime(5)) == ("36:00:00", "00:00:05")


@given(st.fractions(0, 10**12) | st.integers(0, 10**15), st.integers(1, 10**9))
def test_rounding_up_gives_the_next_multiple(n: Fraction | int, unit: int) -> None:
    rounded = ceil_to(n, unit)
    assert isinstance(rounded, int)
    assert rounded % unit == 0
    assert n <= rounded < n + unit


@given(st.text())
def test_no_text_ends_in_anything_but_a_number_or_a_sentence(text: str) -> None:
    for parse in (parse_memory, parse_walltime):
        try:
            assert parse(text) > 0
        except ValueError as error:
            assert ": write " in str(error)
