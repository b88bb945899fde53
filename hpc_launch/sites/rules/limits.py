"""Limits that do not go together, and what is only doubtful."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from hpc_launch.config.document import Document
from hpc_launch.config.wording import dotted
from hpc_launch.errors import Problem
from hpc_launch.models.fields import date
from hpc_launch.sites.rules.places import count, mapping


def submitted(document: Document) -> Iterator[Problem]:
    """Jobs that run are among those that are submitted."""
    for queue in mapping(document, ("queues",)):
        path = ("queues", queue, "max_submitted")
        most, running = count(document, path), count(document, ("queues", queue, "max_jobs"))
        if most is not None and running is not None and most < running:
            cause = f"{dotted(path)}: {most} is less than max_jobs, {running}, which could never run at once"
            hint = "queued and running jobs count together: write how many there may be of both, or leave one out"
            yield Problem(cause, document.origins.get(path), hint)


def doubts(document: Document, today: datetime.date) -> list[Problem]:
    """What is probably a mistake and disables nothing: `site check` tells it.

    More nodes for one job than a queue has may well be what the batch system says: of nodes, a draft counts those
    that take jobs just now.
    """
    return [*_reviewed(document, today), *_nodes(document)]


def _nodes(document: Document) -> Iterator[Problem]:
    for queue in mapping(document, ("queues",)):
        path = ("queues", queue, "max_nodes")
        most, nodes = count(document, path), count(document, ("queues", queue, "nodes"))
        if most is not None and nodes is not None and most > nodes:
            cause = f"{dotted(path)}: {most} is more than the queue has nodes, {nodes}"
            yield Problem(cause, document.origins.get(path), "mend one of the two, or leave max_nodes out")


def _reviewed(document: Document, today: datetime.date) -> Iterator[Problem]:
    try:
        day = date(document.data.get("reviewed"))
    except ValueError:  # none, or no date: the schema tells
        return
    if day > today + datetime.timedelta(days=1):  # somewhere it is tomorrow already
        hint = f"write the day of the last comparison with the machine; today is {today}"
        yield Problem(f"reviewed: {day} is in the future", document.origins.get(("reviewed",)), hint)
