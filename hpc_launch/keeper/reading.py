"""The documents of the run directory as plain values. Keys of later versions are passed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hpc_launch.keeper.values import Adaptive, Demand, Fixed, Group, Retirement, Run, SharedLimit, Submission, Wish

SCHEMA = 1
USUAL = Adaptive(0, 0)
"""How often to look at the demand where nobody has said so."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""A file that is not there, not all there yet, or not what was agreed: what was known before still holds."""
Document = Mapping[str, Any]


def run_from(document: Document) -> Run:
    """`pool/groups.json`; as all of these it raises one of UNREADABLE."""
    return Run(
        name=str(document["run"]),
        batch_system=str(document["batch_system"]),
        groups={name: _group(name, each) for name, each in document["groups"].items()},
        commands={purpose: tuple(map(str, words)) for purpose, words in (document.get("commands") or {}).items()},
        submit_stdin=document.get("submit_stdin"),
        walltime=_seconds(document.get("walltime_seconds")),
        untried=_untried(document.get("from_compute")),
        limits=tuple(
            SharedLimit(frozenset(map(str, each["groups"])), int(each["elements"]))
            for each in document.get("limits") or ()
        ),
    )


def _untried(from_compute: Document | bool | None) -> frozenset[str]:
    known = from_compute if isinstance(from_compute, Mapping) else {}
    return frozenset(purpose for purpose, may in known.items() if may is None)


def _group(name: str, document: Document) -> Group:
    return Group(
        name=name,
        file=str(document["file"]),
        count=int(document["count"]),
        per_node=max(1, int(document["per_node"])),
        adapt=_adaptive(document["adapt"], USUAL) if document.get("adapt") else None,
        array_limit=_number(document.get("array_limit")),
        most_elements=_number(document.get("most_elements")),
        walltime=_seconds(document.get("walltime_seconds")),
    )


def submission_from(document: Document, seen: float) -> Submission:
    """`pool/NUMBER.json`, which was first seen then: others do not tell when the batch system was asked."""
    return Submission(
        number=int(document["number"]),
        group=str(document["group"]),
        first=int(document["first"]),
        size=int(document["size"]),
        workers=int(document["workers"]),
        job_name=str(document["job_name"]),
        array=_number(document.get("array")),
        job_id=_text(document.get("job_id")),
        refused=_text(document.get("refused")),
        asked=float(document.get("asked") or document.get("submitted") or seen),
        called_off=frozenset(numbers(document.get("called_off") or ())),
    )


def submission_document(submission: Submission, others: Document) -> dict[str, Any]:
    """The same, written, with other keys that it has."""
    return {
        "schema": SCHEMA,
        **others,
        "number": submission.number,
        "group": submission.group,
        "first": submission.first,
        "size": submission.size,
        "workers": submission.workers,
        "array": submission.array,
        "job_name": submission.job_name,
        "job_id": submission.job_id,
        "refused": submission.refused,
        **({"asked": submission.asked} if submission.asked else {}),
        **({"called_off": ranges(submission.called_off)} if submission.called_off else {}),
    }


def wish_from(document: Document, run: Run) -> Wish:
    """`control/scale.json`."""
    usual = {name: group.adapt for name, group in run.groups.items()}
    targets = {name: _target(each, usual.get(name)) for name, each in document["groups"].items()}
    return Wish(int(document["serial"]), float(document.get("time") or 0.0), targets)


def _target(document: Document, usual: Adaptive | None) -> Fixed | Adaptive:
    if "target" in document:
        return Fixed(max(0, int(document["target"])), _seconds(document.get("grace_seconds")))
    return _adaptive(document, usual or USUAL)


def _adaptive(document: Document, usual: Adaptive) -> Adaptive:
    return Adaptive(
        max(0, int(document["minimum"])),
        max(0, int(document["maximum"])),
        _seconds(document.get("interval")) or usual.interval,
        _number(document.get("wait_count")) or usual.wait_count,
    )


def demand_from(document: Document) -> Demand:
    """`state/N/demand.json`."""
    groups: Document = document["groups"]
    return Demand(
        connected=frozenset(int(number) for each in groups.values() for number in each["elements_connected"]),
        workers={name: int(each["connected"]) for name, each in groups.items()},
        wanted={name: int(each["demand"]) for name, each in groups.items()},
        elsewhere={
            name: {key: int(n) for key, n in (each.get("elsewhere") or {}).items()} for name, each in groups.items()
        },
        spare=tuple(map(int, document.get("spare") or ())),
        held=frozenset(map(int, document.get("held_by_data") or ())),
        draining={int(number): str(phase) for number, phase in (document.get("draining") or {}).items()},
        rejoins={int(number): int(times) for number, times in (document.get("rejoins") or {}).items()},
        finished={name: int(each.get("tasks_finished") or 0) for name, each in groups.items()},
        unknown=int(document.get("unknown_workers") or 0),
        longest=float(document.get("longest_task_seconds") or 0.0),
    )


def retirements_from(document: Document) -> dict[int, Retirement]:
    """`pool/retire.json`."""
    return {
        int(number): Retirement(
            each.get("why") != "walltime", _seconds(each.get("grace_seconds")), _seconds(each.get("close_at"))
        )
        for number, each in document["elements"].items()
    }


def retire_document(retiring: Mapping[int, Retirement]) -> dict[str, Any]:
    """The same, written."""
    elements = {
        str(number): {
            "grace_seconds": each.grace,
            "close_at": each.close_at,
            "why": "surplus" if each.surplus else "walltime",
        }
        for number, each in sorted(retiring.items())
    }
    return {"schema": SCHEMA, "elements": elements}


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as `[[first, last], …]`: of thousands of elements most are next to each other."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def numbers(ranges: Iterable[Sequence[int]]) -> list[int]:
    return [number for first, last in ranges for number in range(first, last + 1)]


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
