"""How many workers are meant: by dask-jobqueue's words for that, jobs, cores and memory."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

from hpc_launch.errors import Problem, UsageError
from hpc_launch.runs.scale import Group, Target
from hpc_launch.units import parse_memory

Amount: TypeAlias = "int | None"
Memory: TypeAlias = "str | int | None"
"""`600 GB`, or bytes."""


def fixed(group: Group, n: Amount, jobs: Amount, cores: Amount, memory: Memory) -> Target:
    """So many workers that all that is asked for is there; raises UsageError where nothing is, or no number."""
    asked = _workers(group, math.ceil, n, jobs, cores, memory)
    if not asked:
        raise UsageError(Problem("how many workers are wanted?", hint="scale(n), or jobs=, cores=, memory="))
    return Target(workers=max(asked))


def adaptive(group: Group, interval: Any = None, wait_count: Amount = None, **bounds: Any) -> Target:
    """Within bounds that begin with `minimum` and `maximum`; raises UsageError where they are none."""
    least = _workers(group, math.ceil, **_of("minimum", bounds))
    most = _workers(group, math.floor, **_of("maximum", bounds))
    if bounds:
        hint = "`workers.adapt.target_duration` is a key of profiles." if "target_duration" in bounds else ""
        raise UsageError(Problem(f"adapt() does not know {', '.join(sorted(bounds))}", hint=hint))
    if not most:
        hint = "maximum=, or maximum_jobs=, maximum_cores=, maximum_memory="
        raise UsageError(Problem("how many workers may there be at most?", hint=hint))
    minimum, maximum = max(least, default=0), min(most)
    if minimum > maximum:
        raise UsageError(f"the minimum, {minimum} workers, is more than the maximum, {maximum}")
    return Target(minimum=minimum, maximum=maximum, interval=_seconds(interval), wait_count=wait_count)


def _of(bound: str, bounds: dict[str, Any]) -> dict[str, Any]:
    """What is said of this bound, taken out."""
    words = {"n": bound, **{word: f"{bound}_{word}" for word in ("jobs", "cores", "memory")}}
    return {word: bounds.pop(key, None) for word, key in words.items()}


def _workers(
    group: Group, whole: Callable[[float], int], n: Amount, jobs: Amount, cores: Amount, memory: Memory
) -> list[int]:
    """What each of the words that are given comes to."""
    asked = [] if n is None else [_number(n)]
    asked += [] if jobs is None else [_number(jobs) * group.per_node]
    asked += [] if cores is None else [whole(_number(cores) / group.cores)]
    asked += [] if memory is None else [whole(_bytes(memory) / group.memory_bytes)]
    return asked


def _number(value: Any) -> int:
    with suppress(TypeError):
        if (number := operator.index(value)) >= 0:
            return number
    raise UsageError(f"{value!r} is no number of workers, jobs or cores")


def _bytes(memory: str | int) -> int:
    try:
        return memory if isinstance(memory, int) else parse_memory(memory)
    except ValueError as fault:
        raise UsageError(f"memory: {fault}") from None


def _seconds(interval: Any) -> float | None:
    from dask.utils import parse_timedelta

    try:
        return None if interval is None else float(parse_timedelta(interval))
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"interval={interval!r} is no time: 5, '5s', '500ms'") from None
