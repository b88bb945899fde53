"""Named resources: those that somebody asks for, in words that hold a number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hpc_launch.checks.site.places import mapping, text
from hpc_launch.config.document import Document
from hpc_launch.config.wording import dotted, nearest
from hpc_launch.errors import Problem

ASKED_FOR = ("gpus",)
"""`workers.gpus` is; nothing in a profile asks for others."""
NUMBERS = ("{n}", "{total}")
"""Of each node, and of the whole job."""


def with_numbers(words: str, on_a_node: int, nodes: int = 1) -> str:
    """A site's words for so many on each of so many nodes."""
    each, total = NUMBERS
    return words.replace(each, str(on_a_node)).replace(total, str(on_a_node * nodes))


OF_A_JOB = ("{nodes}", "{cores}", "{memory}", "{gpus}", "{account}")
"""In a site's own directives: of the job, of each of its nodes (memory in MiB), and who pays."""


def of_a_job(words: str, nodes: int, cores: int, memory: int, gpus: int, account: str | None) -> str | None:
    """A site's own directive for one job; None: it names an account, and there is none."""
    if OF_A_JOB[-1] in words and account is None:
        return None
    for name, value in zip(OF_A_JOB, (nodes, cores, memory, gpus, account), strict=True):
        words = words.replace(name, str(value))
    return words


def replaces(words: str) -> bool:
    """Whether a directive says a number of the plan, and so may stand in place of one of ours that is rejected."""
    return any(name in words for name in OF_A_JOB)


def names(document: Document) -> Iterator[Problem]:
    """One that nothing asks for would be of no use."""
    for name, words in mapping(document, ("resources",)).items():
        if isinstance(name, str) and name not in ASKED_FOR and words is not None:
            path = ("resources", name)
            near = nearest(name, ASKED_FOR)
            cause = f"{dotted(path)}: nothing asks for {name!r}" + (f"; did you mean {near!r}?" if near else "")
            yield Problem(cause, document.origins.get(path), f"profiles ask for: {', '.join(ASKED_FOR)}")


def numbers(document: Document) -> Iterator[Problem]:
    """Without a number, all jobs would ask for the same; and what else stands in braces is nobody's."""
    for name in ASKED_FOR:
        path = ("resources", name)
        words = text(document, path)
        if words is None:
            continue
        unknown = [each for each in re.findall(r"\{[^{}]*\}", words) if each not in NUMBERS]
        if unknown:
            cause = f"{dotted(path)}: {unknown[0]!r} stands for nothing"
        elif not any(each in words for each in NUMBERS):
            cause = f"{dotted(path)}: {words!r} holds neither {{n}} nor {{total}}"
        else:
            continue
        hint = "write {n} where the number for each node belongs, {total} where that for the whole job does"
        yield Problem(cause, document.origins.get(path), hint)
