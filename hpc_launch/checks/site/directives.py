"""Directives that a site refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hpc_launch.checks.site.places import dialect, mapping, text, word, words
from hpc_launch.checks.site.resources import ASKED_FOR, OF_A_JOB, replaces
from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import dotted, nearest
from hpc_launch.errors import Problem

OPTION = re.compile(r"--[A-Za-z][\w-]*|-[A-Za-z][\w-]*( [A-Za-z_]\w*)?")
"""As the templates of directives call theirs: `--mem`, `-q`, and of those that hold several, `-l select`."""


def options(document: Document) -> Iterator[Problem]:
    """What is refused is an option, without a value: anything else is like none of those in a script."""
    for path, option in words(document, ("rejects",)):
        if not OPTION.fullmatch(option):
            meant = OPTION.match(option)
            hint = (
                f"write {meant.group()}" if meant else "write an option as it stands in a script: --mem, -q, -l select"
            )
            cause = f"{dotted(path)}: {option!r} is no option of a directive, alone and without a value"
            yield Problem(cause, document.origins.get(path), hint)


def optional(document: Document) -> Iterator[Problem]:
    """What a batch system takes beyond what all of its kind do is something that scripts may say."""
    if (known := dialect(document)) is None:
        return
    system = word(document, ("batch_system",))
    for path, option in words(document, ("takes",)):
        if option not in known.optional:
            near = nearest(option, known.optional)
            cause = f"{dotted(path)}: {option!r} is nothing that only some {system} take"
            cause += f"; did you mean {near!r}?" if near else ""
            yield Problem(
                cause, document.origins.get(path), f"allowed with {system}: {', '.join(known.optional) or 'none'}"
            )


def request(document: Document) -> Iterator[Problem]:
    """A way of asking for cores and memory that the batch system has."""
    chosen, known = word(document, ("request",)), dialect(document)
    if known and chosen is not None and chosen not in known.requests:
        cause = f"request: {word(document, ('batch_system',))} knows no {chosen!r}"
        allowed = ", ".join(known.requests) or "none, leave it out: there is but one way"
        yield Problem(cause, document.origins.get(("request",)), f"allowed: {allowed}")


def numbers(document: Document) -> Iterator[Problem]:
    """What stands in braces in a directive is a number of the plan, or nobody's."""
    for path, directive in _directives(document):
        unknown = [each for each in re.findall(r"\{[a-z_]*\}", directive) if each not in OF_A_JOB]
        if unknown and path[0] != "resources":
            cause = f"{dotted(path)}: {unknown[0]!r} stands for nothing"
            yield Problem(cause, document.origins.get(path), f"numbers of a job are: {', '.join(OF_A_JOB)}")


def refused(document: Document) -> Iterator[Problem]:
    """A site does not add itself what it refuses."""
    rejects = {option for _, option in words(document, ("rejects",))}
    said = [(path, directive) for path, directive in _directives(document) if not replaces(directive)]
    for path, directive in said if rejects else ():
        for option in sorted(rejects.intersection(_options_in(directive))):
            jobs = "jobs that ask for it have" if path[0] == "resources" else "every job has"
            hint = f"{jobs} this directive: keep one of the two"
            yield Problem(f"{dotted(path)}: {option} is among rejects, too", document.origins.get(path), hint)


def account(document: Document) -> Iterator[Problem]:
    """A site that requires an account does not refuse the option that names it."""
    if word(document, ("account",)) != "required" or (known := dialect(document)) is None:
        return
    if any("{account}" in directive for _, directive in _directives(document)):
        return
    for path, option in words(document, ("rejects",)):
        if option == known.option("account"):
            cause = f"{dotted(path)}: {option} names the account, and account is required"
            yield Problem(cause, document.origins.get(path), "keep one of the two: without it, no job has an account")


def _directives(document: Document) -> Iterator[tuple[KeyPath, str]]:
    yield from words(document, ("directives",))
    for queue in mapping(document, ("queues",)):
        yield from words(document, ("queues", queue, "directives"))
    for name in ASKED_FOR:
        path = ("resources", name)
        if (asked := text(document, path)) is not None:
            yield path, asked


def _options_in(directive: str) -> Iterator[str]:
    """`--mem=4` has `--mem`; `-l mem=4 -q x` has `-l`, `-l mem`, `-q` and `-q x`."""
    for option, value in re.findall(r"(?:^|\s)(-[^\s=]+)(?:[=\s]+(\w+))?", directive):
        yield option
        yield f"{option} {value}"
