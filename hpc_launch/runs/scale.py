"""What a run's worker jobs are to become: the wish is a file that whoever keeps the run goes by (docs/contracts.md)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hpc_launch.errors import Problem, UsageError
from hpc_launch.keeper import disk
from hpc_launch.keeper.reading import SCHEMA, UNREADABLE
from hpc_launch.runs.directory import CONTROL
from hpc_launch.runs.keeper_copy import copy_keeper, travels
from hpc_launch.runs.lock import alone
from hpc_launch.runs.settle import View
from hpc_launch.runs.submissions import POOL, read_document

if TYPE_CHECKING:
    from hpc_launch.context import Context

WISH: Final = "scale.json"


@dataclass(frozen=True)
class Group:
    """Workers that are alike, as far as their number goes."""

    name: str
    per_node: int
    """Workers of an element, which is a worker job or an element of an array."""
    cores: int
    """Asked for, for each worker."""
    memory_bytes: int
    """Limit of each worker."""
    kept_by_job: bool
    """Whether the scheduler's job brings them to the wanted number; otherwise somebody must, on a login host."""
    most: int | None = None
    """So many of its workers the site ever lets be there at one time, as far as is known."""
    rule: str = ""
    """Why no more."""

    def elements(self, workers: int) -> int:
        """That hold so many workers."""
        return -(-workers // self.per_node)


@dataclass(frozen=True)
class Target:
    """So many workers, or as many as the tasks need within bounds."""

    workers: int | None = None
    grace_seconds: int | None = None
    """For the tasks of an element that is to leave; None: as long as they need."""
    minimum: int | None = None
    maximum: int | None = None
    interval: float | None = None
    """Seconds between two looks at what the tasks need; None: as usual."""
    wait_count: int | None = None
    """So many looks in a row must want fewer; None: as usual."""

    def as_json(self) -> dict[str, Any]:
        if self.workers is not None:
            return {"target": self.workers, "grace_seconds": self.grace_seconds}
        pace = {"interval": self.interval, "wait_count": self.wait_count}
        return {"minimum": self.minimum, "maximum": self.maximum, **{k: v for k, v in pace.items() if v is not None}}


def group_of(view: View, name: str | None) -> Group:
    """The group that is meant; raises UsageError where the run is over, cannot grow, or has no such group."""
    record, known = view.record, what_can_grow(view, "be scaled")
    groups: Mapping[str, Any] = known["groups"]
    if name is None and len(groups) > 1:
        raise UsageError(Problem(f"{record.id} has several groups of workers", hint=f"Add --group: {_listed(groups)}"))
    chosen = name or next(iter(groups))
    if chosen not in groups:
        near = get_close_matches(chosen, groups, 1)
        hint = f"Did you mean {near[0]}?" if near else f"It has: {_listed(groups)}"
        raise UsageError(Problem(f"{record.id} has no group {chosen}", hint=hint))
    by_job = kept_by_job(known)
    numbers = {key: int(groups[chosen][key]) for key in ("per_node", "memory_bytes")}
    cores = int(groups[chosen].get("cores") or groups[chosen]["threads"])  # in runs of earlier versions they were these
    ceiling = groups[chosen].get("ceiling") or {}  # nor in these
    most, rule = ceiling.get("workers"), ceiling.get("rule", "")
    return Group(chosen, **numbers, cores=cores, kept_by_job=by_job, most=most, rule=rule)


def what_can_grow(view: View, what: str) -> Mapping[str, Any]:
    """`pool/groups.json`; raises UsageError where the run is over, or cannot grow: then it cannot `what`."""
    run, layout = view.record.id, view.record.layout
    if known := read_document(view.directory / POOL / "groups.json"):
        if view.standing.over:
            raise UsageError(Problem(f"{run} is over: {view.standing.outcome}", hint="Submit it again, or another."))
        return known
    if not view.record.plan.has_workers:
        why, hint = "it has no workers (`workers: none`)", "Submit it again with some: --set workers.count=4, say."
    elif layout == "job-array":
        why, hint = "it was submitted by an earlier version of hpc-launch", "Submit it again."
    else:
        why = f"in {layout} all workers come with the one job that holds the scheduler"
        hint = "A run with `layout: job-array` can grow and shrink."
    raise UsageError(Problem(f"{run} cannot {what}: {why}", hint=hint))


def kept_by_job(known: Mapping[str, Any]) -> bool:
    """Whether the run's keeper may be a process of its scheduler's job, by `pool/groups.json`."""
    may = known["from_compute"]  # one word for all that jobs may do: in runs of the first version
    allowed = may if isinstance(may, bool) else False not in may.values()
    return allowed and travels(str(known["batch_system"]))


def _listed(groups: Mapping[str, Any]) -> str:
    return ", ".join(groups)


def ask_for(view: View, context: Context, group: Group, target: Target) -> int:
    """Leave the wish for the run's keeper, which is put into the run directory with the first one; gives its number.

    Raises:
        UsageError: it could not be written; the earlier one holds.
    """
    try:
        copy_keeper(view.directory, view.record.batch_system)  # before the wish, on which it is started
        return write_wish(view.directory, context.user, context.hostname, {group.name: target})
    except OSError as fault:
        raise UsageError(f"the wish cannot be written: {fault}") from fault


def write_wish(directory: Path, user: str, host: str, targets: Mapping[str, Target]) -> int:
    """Put the wish where it is seen, in place of an earlier one for these groups; gives its number. May raise OSError.

    Raises:
        OSError: it could not be written; the earlier one holds.
    """
    file = directory / CONTROL / WISH
    with alone(directory):
        known = _known(file)
        serial = int(known.get("serial", 0)) + 1
        file.parent.mkdir(mode=0o700, exist_ok=True)
        document = {
            "schema": SCHEMA,
            "serial": serial,
            "time": round(time.time(), 3),
            "user": user,
            "host": host,
            "groups": {**known.get("groups", {}), **{name: target.as_json() for name, target in targets.items()}},
        }
        disk.replace(file, document)
    return serial


def _known(file: Path) -> Mapping[str, Any]:
    """The wish that holds. Raises OSError where it cannot be read, for then it must not be replaced."""
    try:
        return disk.load(file)
    except FileNotFoundError:
        return {}
    except OSError:
        raise
    except UNREADABLE as fault:
        raise OSError(f"{file} is damaged, or of another version of hpc-launch: {fault}") from fault


def notes(group: Group, target: Target) -> list[str]:
    """What can never be of that which is asked for."""
    asked = target.maximum if target.workers is None else target.workers
    if group.most is None or asked is None or asked <= group.most:
        return []
    return [f"{asked} workers are never there at one time: {group.rule}; at most {group.most} are, the others wait"]


def sentence(view: View, group: Group, target: Target) -> str:
    """What was asked for, what is there, and where to look."""
    pool, progress = view.evidence.pools.get(group.name), view.evidence.progress
    waiting = {"starting": pool.starting, "queued": pool.queued, "draining": pool.draining} if pool else {}
    jobs = "".join(f", {_jobs(number)} {word}" for word, number in waiting.items() if number)
    connected = pool.connected if pool else progress.workers if progress else 0
    there = f"{_workers(connected)} connected{jobs}"
    paused = f"\n{pool.paused}" if pool and pool.paused else ""
    return f"{_asked(group, target)}; {there}{paused}\n{_next_step(view, group)}"


def _next_step(view: View, group: Group) -> str:
    run = view.record.id
    if group.kept_by_job:
        return f"how it goes: hpc-launch status {run}"
    return f"from its own jobs nothing can be submitted here: `hpc-launch keep {run}` does it, as long as it runs"


def _asked(group: Group, target: Target) -> str:
    if target.workers is None:
        return f"from now on {target.minimum} to {target.maximum} workers, as the tasks need"
    asked = f"{_workers(target.workers)} wanted, in {_jobs(group.elements(target.workers))}"
    by = f" (it shrinks by whole jobs of {group.per_node})" if target.workers % group.per_node else ""
    return asked + by


def _workers(number: int) -> str:
    return "1 worker is" if number == 1 else f"{number} workers are"


def _jobs(number: int) -> str:
    return f"{number} worker job{'' if number == 1 else 's'}"
