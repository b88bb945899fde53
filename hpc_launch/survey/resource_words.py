"""The words in which a site's jobs ask for a resource, and what a script of theirs makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hpc_launch.checks.site.resources import ASKED_FOR, with_numbers
from hpc_launch.errors import Problem
from hpc_launch.survey.small_jobs import SmallJobs

PLACE = "the.words.of.the.resource"
"""Stands in a script where they would."""


def mistakes_in(jobs: SmallJobs, layout: str, queue: str | None) -> Iterator[Problem]:
    """Of the words of each resource, in a job that can be had."""
    for name in ASKED_FOR:
        words = jobs.found.site.resources.get(name)
        if words is not None:
            key, origin = f"resources.{name}", jobs.origin("resources", name)
            for said, hint in _mistakes(jobs, layout, queue, words):
                yield Problem(f"{key}: {said}", origin, hint)


def _mistakes(jobs: SmallJobs, layout: str, queue: str | None, words: str) -> Iterator[tuple[str, str]]:
    """What is wrong, and what to do about it."""
    said = with_numbers(words, 1)
    script = jobs.script(layout, queue, PLACE)
    line = next((line for line in script.splitlines() if PLACE in line), None)
    if line is None:
        return  # a batch system that asks for nothing
    shown = line.replace(PLACE, said)
    if line.partition(" ")[2] != PLACE:
        if words.startswith("-") or " " in words:
            cause = f"{words!r} would stand within a directive, where no option begins: {shown!r}"
            yield cause, "write what belongs there, without blanks and options" + _without_option(words)
    elif not words.startswith("-"):
        yield f"{words!r} is no directive, for it does not begin with an option: {shown!r}", "write -OPTION or --OPTION"
    elif refused := jobs.refusal(layout, queue, directives=[said]):
        for each in refused.problems:
            if found := re.match(r"directives(?:\[0\])?: ", each.message):
                yield each.message[found.end() :], "write the option that asks for this resource, and no other"


def _without_option(words: str) -> str:
    """`: ngpus={n}` of `-l ngpus={n}`."""
    rest = re.fullmatch(r"-\w ?([\w.]+=\S+)", words)
    return f": {rest.group(1)}" if rest else ""
