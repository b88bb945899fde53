"""What is probably a mistake in a site profile, and disables nothing."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from hpc_launch.checks.site import slots
from hpc_launch.checks.site.places import count, dialect, mapping, word, words
from hpc_launch.config.document import Document
from hpc_launch.config.wording import dotted, nearest
from hpc_launch.errors import Problem
from hpc_launch.models.fields import date

SCRATCH = ("storage", "local")
OF_A_LOGIN = ("HOME", "USER", "LOGNAME", "SHELL")
"""Variables that ssh sets by itself."""
NEARLY = 0.85
"""How like another an option is that is that one, misspelt: `--patition`, but not `--nodelist` and `--nodes`."""


def doubts(document: Document, today: datetime.date) -> list[Problem]:
    """All of it: `site check` tells it.

    More nodes for one job than a queue has may well be what the batch system says: of nodes, a draft counts those
    that take jobs just now.
    """
    return [
        *_reviewed(document, today),
        *_nodes(document),
        *_unnamed(document),
        *_behind_ssh(document),
        *_no_cores(document),
        *_misspelt(document),
        *_shortened(document),
        *slots.named(document),
        *slots.few(document),
    ]


def _nodes(document: Document) -> Iterator[Problem]:
    for queue in mapping(document, ("queues",)):
        path = ("queues", queue, "max_nodes")
        most, nodes = count(document, path), count(document, ("queues", queue, "nodes"))
        if most is not None and nodes is not None and most > nodes:
            cause = f"{dotted(path)}: {most} is more than the queue has nodes, {nodes}"
            yield Problem(cause, document.origins.get(path), "mend one of the two, or leave max_nodes out")


def _unnamed(document: Document) -> Iterator[Problem]:
    """Several queues with limits where jobs name none; a quality of service or a directive may name one as well."""
    rejected = {option: path for path, option in words(document, ("rejects",))}
    limited = [queue for queue in mapping(document, ("queues",)) if _has_limits_alone(document, queue)]
    if not rejected or len(limited) < 2:
        return
    option = known.option("queue") if (known := dialect(document)) else None
    if option in rejected:
        path = rejected[option]
        cause = f"{dotted(path)}: without {option}, jobs name no queue, and limits of queues are checked all the same"
        hint = "delete it where jobs name a queue; else leave those limits out that the batch system's choice changes"
        yield Problem(cause, document.origins.get(path), hint)


def behind_ssh(launcher: str | None, path: str) -> str:
    """What of a node's scratch is not known there: ssh takes no variable of the job along; empty: all is known."""
    names = [name for name in re.findall(r"\$\{?(\w+)", path) if name not in OF_A_LOGIN]
    if launcher != "ssh" or not names:
        return ""
    within = "" if path == f"${names[0]}" else f"{path}: "
    return f"{within}${names[0]} is not set in what ssh starts, unless environment.setup sets it"


def _behind_ssh(document: Document) -> Iterator[Problem]:
    launcher = word(document, ("launchers", "node")) or word(document, ("launchers", "node", "name"))
    if cause := behind_ssh(launcher, word(document, SCRATCH) or "$TMPDIR"):
        origin = document.origins.get(SCRATCH) or document.origins.get(("launchers", "node"))
        hint = "name a directory that every node has, such as /tmp: else all nodes but the first are unfit"
        yield Problem(f"storage.local: {cause}", origin, hint)


def _no_cores(document: Document) -> Iterator[Problem]:
    """A site that refuses how cores are asked for, and has nothing in its place."""
    known, chosen = dialect(document), word(document, ("request",))
    option = known.option("workers.count") if known and known.requests else None
    for path, rejected in words(document, ("rejects",)):
        if known and rejected == option and chosen in (None, known.requests[0]):
            others = ", ".join(known.requests[1:])
            cause = f"{dotted(path)}: without {option}, jobs ask for no cores and no memory"
            yield Problem(cause, document.origins.get(path), f"choose another way: request, one of {others}")


def _misspelt(document: Document) -> Iterator[Problem]:
    """An option of which nothing is known here, but that is spelt nearly as one that is."""
    options = known.options if (known := dialect(document)) else ()
    for path, rejected in words(document, ("rejects",)):
        if rejected in options or len(rejected) <= len("-x"):
            continue
        if meant := nearest(rejected, options, NEARLY):
            cause = f"{dotted(path)}: {word(document, ('batch_system',))} has no {rejected}, as far as is known here"
            yield Problem(cause, document.origins.get(path), f"did you mean {meant}?")


def _shortened(document: Document) -> Iterator[Problem]:
    """The short name of an option that scripts spell out: it stays in them."""
    said = known.said.values() if (known := dialect(document)) else ()
    for path, rejected in words(document, ("rejects",)):
        first = next((options[0] for options in said if rejected in options), rejected)
        if first.startswith("--") and not rejected.startswith("--"):
            cause = f"{dotted(path)}: scripts say {first}, and would go on to do so"
            yield Problem(cause, document.origins.get(path), f"write {first}")


def _has_limits_alone(document: Document, queue: str) -> bool:
    said = {key for key, value in mapping(document, ("queues", queue)).items() if value not in (None, [])}
    limits = {key for key in said if key == "walltime" or str(key).startswith("max_")}
    return bool(limits) and not said & {"qos", "directives"}


def _reviewed(document: Document, today: datetime.date) -> Iterator[Problem]:
    try:
        day = date(document.data.get("reviewed"))
    except ValueError:  # none, or no date: the schema tells
        return
    if day > today + datetime.timedelta(days=1):  # somewhere it is tomorrow already
        hint = f"write the day of the last comparison with the machine; today is {today}"
        yield Problem(f"reviewed: {day} is in the future", document.origins.get(("reviewed",)), hint)
