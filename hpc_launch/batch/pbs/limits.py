"""Limits of jobs and of users in PBS: pbs_queue_attributes(7B), pbs_server_attributes(7B)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hpc_launch.batch.asking import mapping
from hpc_launch.batch.machine import count
from hpc_launch.batch.sizes import BINARY, MIB

Fields = Mapping[str, Any]
Limits = Mapping[str, int]
"""By their names in a site profile."""

_UNITS = {"": 1} | {letter.lower(): size for letter, size in BINARY.items()}
_AMOUNTS = (("cores", "ncpus"), ("memory", "mem"))


def size(value: object) -> int | None:
    """Bytes, rounded down to MiB: `4046164kb`, `2gb`; pbs_resources(7B), size; a word has eight bytes."""
    found = re.fullmatch(r"(\d{1,18})([kmgtp]?)([bw]?)", str(value).strip().lower())
    bytes_ = int(found[1]) * _UNITS[found[2]] * (8 if found[3] == "w" else 1) if found else 0
    return bytes_ // MIB * MIB or None


def amount(resource: str, value: object) -> int | None:
    """A number of a resource, of memory in bytes."""
    return size(value) if resource == "mem" else count(str(value))


def of_jobs(kind: str, queue: Fields, server: Fields) -> Fields:
    """`resources_max`, `_min` or `_default` of a queue; the server's hold for what the queue does not say."""
    return {**mapping(server.get(f"resources_{kind}")), **mapping(queue.get(f"resources_{kind}"))}


def per_user(value: object, resource: str = "") -> int | None:
    """Of `[u:PBS_GENERIC=200],[o:PBS_ALL=1000]` what holds for every user."""
    found = re.search(r"\bu:PBS_GENERIC\s*=\s*(\w{1,20})", str(value))
    return amount(resource, found[1]) if found else None


def of_queue(queue: Fields, server: Fields) -> Limits:
    """Of one job, and of one user's jobs in a queue."""
    most, least = (of_jobs(kind, queue, server) for kind in ("max", "min"))
    jobs = {f"max_{name}": amount(word, most.get(word)) for name, word in _AMOUNTS}
    small = {f"least.{name}": amount(word, least.get(word)) for name, word in (*_AMOUNTS, ("nodes", "nodect"))}
    user = {("max_jobs" if name == "jobs" else f"max_user_{name}"): value for name, value in of_user(queue).items()}
    return _known({**jobs, **small, **user, "max_submitted": per_user(queue.get("max_queued"))})


def of_user(fields: Fields) -> Limits:
    """What one user may have running at once: jobs, cores, memory; older servers say `max_user_run`."""
    nested = mapping(fields.get("max_run_res"))
    given = {name: nested.get(word, fields.get(f"max_run_res.{word}")) for name, word in _AMOUNTS}
    running = {name: per_user(given[name], word) for name, word in _AMOUNTS}
    return _known({"jobs": per_user(fields.get("max_run")) or count(str(fields.get("max_user_run"))), **running})


def of_route(own: Limits, ends: Iterable[Limits]) -> Limits:
    """Of a queue that passes jobs on: they have to keep its own limits and those of one of the others."""
    others = list(ends)
    found = {key: _both(key, own.get(key), [end.get(key) for end in others]) for end in (own, *others) for key in end}
    return _known(found)


def _both(key: str, own: int | None, others: list[int | None]) -> int | None:
    choose: tuple[Callable[..., int], Callable[..., int]] = (max, min) if key.startswith("least.") else (min, max)
    strict, mild = choose
    known = [limit for limit in others if limit is not None]
    together = mild(known) if known and len(known) == len(others) else None
    return strict((limit for limit in (own, together) if limit is not None), default=None)


def _known(limits: Mapping[str, int | None]) -> Limits:
    return {key: limit for key, limit in limits.items() if limit}
