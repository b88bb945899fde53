"""A file that is no such thing at all, which is to be told alone: one cause, one problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hpc_launch.config.document import A_PROFILE, A_SITE_PROFILE, Document
from hpc_launch.config.keys import keys_of
from hpc_launch.errors import Problem

if TYPE_CHECKING:
    from pydantic import BaseModel


class FileKind(NamedTuple):
    """What files of one kind are known by. A model is of the kind whose signs are keys of it."""

    name: str
    signs: frozenset[str]
    """Keys that no other kind of file has: one of them is enough."""
    begin: str
    """How to come by a first one."""
    instead: str
    """What to do with one that was given for something else."""


KINDS = (
    FileKind(
        A_PROFILE,
        frozenset({"workers", "workload"}),
        "the least one has two lines: `workers: {count: 2}` and `workload: {command: [python, program.py]}`",
        "give it to submit, check or render; a site is a machine: `hpc-launch site list` shows those that are known",
    ),
    FileKind(
        A_SITE_PROFILE,
        frozenset({"batch_system", "extends"}),
        "`hpc-launch site discover` drafts one on the machine itself",
        "give it with --site, beside a profile that says what to run",
    ),
)


def of_another_kind(model: type[BaseModel], document: Document) -> list[Problem]:
    """Why nothing in the document is worth a word as this ``model``; empty where there is something to go on with."""
    if document.data and not any(kind.signs & document.data.keys() for kind in KINDS):
        return []
    known = keys_of(model).keys()
    wanted = next((kind for kind in KINDS if kind.signs <= known), None)
    if not document.data:
        begin = wanted.begin if wanted else ""
        return [Problem(each.message, each.origin, each.hint or begin) for each in document.problems]
    if wanted is None or wanted.signs & document.data.keys():
        return []
    other = next(kind for kind in KINDS if kind.signs & document.data.keys())
    sign = min(other.signs & document.data.keys(), key=list(document.data).index)
    cause = f"this looks like {other.name}, not like {wanted.name}: {sign} is a key of {other.name}"
    return [Problem(cause, document.origins.get((sign,)), other.instead)]
