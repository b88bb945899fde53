"""What one keeper leaves for the next."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.keeper.reading import numbers, ranges


@given(st.frozensets(st.integers(0, 50)))
def test_numbers_are_kept_as_ranges(some: frozenset[int]) -> None:
    found = ranges(some)
    assert frozenset(numbers(found)) == some
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(found))


def test_a_thousand_elements_take_no_more_room_than_one() -> None:
    assert ranges([*range(1000), 1002]) == [[0, 999], [1002, 1002]]
