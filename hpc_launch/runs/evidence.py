"""What the job side left in `state/`; a file of it may be missing, half-copied, old (NFS) or garbage."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from hpc_launch.models.record import Outcome, RecordedJob
from hpc_launch.runs.demand import Unsatisfiable, read_demand, read_unsatisfiable
from hpc_launch.runs.parts import Part
from hpc_launch.runs.pool_status import Pool, read_pools
from hpc_launch.runs.services import LOOPBACK, PATHS, Page, page

LONGEST = 2**20
"""Bytes of a state file that are looked at; they are all far shorter."""
OUTCOMES = tuple(outcome for outcome in get_args(Outcome) if outcome != "lost")
"""What a job may say of itself; that it is lost, it cannot."""


@dataclass(frozen=True)
class Verdict:
    """What the job wrote of its own end."""

    outcome: str
    """One of OUTCOMES, or the word of a later version for another one."""
    exit_code: int
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """What the scheduler wrote last."""

    time: float = 0.0
    """Seconds since 1970, by the clock of the scheduler's node."""
    workers: int = 0
    threads: int = 0
    tasks: Mapping[str, int] = field(default_factory=dict)
    """State (Dask's word) → number of tasks."""
    memory_bytes: int = 0
    spilled_bytes: int = 0
    last: bool = False
    """Whether the scheduler was about to end: nothing comes after it."""
    clients: int | None = None
    """That have ever connected, but ours and those of workers; None: it does not tell."""
    tasks_given: int | None = None
    """Tasks that workers were ever given; told in the last one alone."""
    workers_died: int | None = None
    """Workers that were gone without a word; each time counts that one was started again and died."""
    unsatisfiable: tuple[Unsatisfiable, ...] = ()
    """Tasks that no worker can run; of a run that can grow `demand.json` tells."""
    address: str | None = None
    dashboard: int | None = None
    """Port on the loopback interface of the attempt's first node."""


@dataclass(frozen=True)
class Evidence:
    """What `state/` holds of the newest attempt. Times: seconds since 1970, by its first node's clock."""

    attempt: int | None = None
    """Counted from 1; None if no attempt has begun."""
    host: str | None = None
    started: float | None = None
    workload: float | None = None
    ending: float | None = None
    ended: float | None = None
    """Everything of the run is gone."""
    told: Verdict | None = None
    unfit: Mapping[str, str] = field(default_factory=dict)
    """Node → why it cannot be used."""
    progress: Progress | None = None
    pages: Mapping[str, Page] = field(default_factory=dict)
    """`dashboard`, `jupyter` → where it is."""
    elements_gone: frozenset[int] = frozenset()
    """Numbers of the worker jobs, or elements of their arrays, that have told their end."""
    pools: Mapping[str, Pool] = field(default_factory=dict)
    """Group of workers → what the run's keeper told of it last; of several, what is planned until it has."""
    unsatisfiable: tuple[Unsatisfiable, ...] = ()
    """Tasks that no worker can run."""
    log: str = ""
    """Where the job's script itself has written something, within the run directory; nothing if there is none."""
    full: bool = False
    """Whether the run directory's file system has no space left just now."""

    def has_ended(self, job: RecordedJob) -> bool:
        """Whether each element of a worker job has told its end."""
        if job.role != "workers" or job.first_element is None:
            return False
        return self.elements_gone.issuperset(range(job.first_element, job.first_element + (job.array or 1)))


def read(directory: Path) -> Evidence:
    """The evidence in the run directory `directory`. Never raises: what cannot be read is not there."""
    state = directory / "state"
    attempt = newest_attempt(directory)
    log, full = _log(directory), _is_full(directory)
    if attempt is None:
        return Evidence(log=log, full=full)
    here = state / str(attempt)
    events = {word: (time, rest) for time, word, rest in _events(_text(here / "events"))}
    host = events.get("started", (0.0, ""))[1].partition(" ")[0]
    progress, demand = _progress(_text(here / "progress.json")), read_demand(here)
    return Evidence(
        attempt=attempt,
        host=host or None,
        started=_when(events, "started"),
        workload=_when(events, "workload"),
        ending=_when(events, "ending"),
        ended=_when(events, "ended"),
        told=_told(_text(here / "outcome")),
        unfit={_sentence(node): _sentence(_text(here / "unfit" / node)) for node in sorted(_names(here / "unfit"))},
        progress=progress,
        pages=_pages(here, host, progress),
        elements_gone=frozenset(int(name) for name in _names(here / "elements-gone") if name.isdecimal()),
        pools=read_pools(directory, demand.connected),
        unsatisfiable=demand.unsatisfiable or (progress.unsatisfiable if progress else ()),
        log=log,
        full=full,
    )


def _pages(state: Path, host: str, progress: Progress | None) -> dict[str, Page]:
    found = {name: page(state, name, _text(state / f"{name}.json")) for name in PATHS}
    if progress and progress.dashboard and not found["dashboard"]:  # as earlier versions tell it
        found["dashboard"] = Page(host, LOOPBACK, progress.dashboard, PATHS["dashboard"], None)
    return {name: there for name, there in found.items() if there}


def newest_attempt(directory: Path) -> int | None:
    """The number of the newest attempt; the file and the directories may each be behind the other."""
    state = directory / "state"
    seen = [int(name) for name in _names(state) if re.fullmatch(r"[1-9][0-9]{0,5}", name)]
    written = _text(state / "attempt").strip()
    if re.fullmatch(r"[1-9][0-9]{0,5}", written):
        seen.append(int(written))
    return max(seen, default=None)


def _log(directory: Path) -> str:
    name = f"logs/{Part.job.files}"
    try:
        return name if (directory / name).stat().st_size else ""
    except OSError:
        return ""


def _is_full(directory: Path) -> bool:
    try:
        left = os.statvfs(directory)
    except OSError:
        return False
    return left.f_bavail == 0 or (left.f_files > 0 and left.f_favail == 0)


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(LONGEST).decode(errors="replace")
    except (OSError, ValueError):
        return ""


def _names(directory: Path) -> list[str]:
    try:
        return [entry.name for entry in directory.iterdir()]
    except OSError:
        return []


def _events(text: str) -> Iterator[tuple[float, str, str]]:
    """Time, word and rest of each line `EPOCH WORD REST…`; one without its newline is not all there."""
    for line in text.split("\n")[:-1]:
        if match := re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?) ([a-z]+)(?: (.*))?", line):
            yield float(match[1]), match[2], _sentence(match[3] or "")


def _when(events: Mapping[str, tuple[float, str]], word: str) -> float | None:
    return events[word][0] if word in events else None


def _told(text: str) -> Verdict | None:
    match = re.fullmatch(r"([a-z]+(?:-[a-z]+)*) ([0-9]{1,3})(?: (.*))?\n?", text, re.DOTALL)
    if not match or match[1] == "lost":
        return None
    outcome, code = match[1], int(match[2])
    plausible = code == 0 if outcome == "succeeded" else outcome not in OUTCOMES or 1 <= code <= 255
    return Verdict(outcome, code, _sentence(match[3] or "")) if plausible else None


def _sentence(text: str) -> str:
    """One line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else " " for c in text.strip())[:2000]


def _progress(text: str) -> Progress | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("schema") != 1:
        return None
    tasks = content.get("tasks")
    numbers = {name: _number(content.get(name)) for name in ("workers", "threads", "memory_bytes", "spilled_bytes")}
    return Progress(
        time=_time(content.get("time")),
        last=content.get("last") is True,
        clients=_counted(content.get("clients")),
        tasks_given=_counted(content.get("tasks_given")),
        workers_died=_counted(content.get("workers_died")),
        tasks={_sentence(str(k)): _number(v) for k, v in tasks.items()} if isinstance(tasks, dict) else {},
        unsatisfiable=read_unsatisfiable(content),
        address=_word(content.get("address")),
        dashboard=_number(content.get("dashboard")) or None,
        **numbers,
    )


def _number(value: Any) -> int:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**63
    return int(value) if good else 0


def _counted(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _time(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 2**40 else 0.0


def _word(value: Any) -> str | None:
    return _sentence(value) or None if isinstance(value, str) else None
