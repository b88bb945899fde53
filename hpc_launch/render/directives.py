"""Directives that users and sites write themselves, against those that the scripts say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath
from hpc_launch.errors import Problem
from hpc_launch.models.site import Site

QUOTES = "\"' "


class Written(NamedTuple):
    """A list of directives, and where it stands."""

    directives: list[str]
    document: Document
    path: KeyPath


def directive_faults(
    batch: Any, site: Site, document: Document, queues: Iterable[str], asked: Written
) -> list[Problem]:
    """Directives that say again what the scripts say, and those of a profile that the site refuses.

    The former would win or be ignored, depending on the site.

    Args:
        batch: the batch system's template.
        document: the site profile as written.
        queues: those of the jobs.
        asked: the profile's own.
    """
    own = [Written(site.directives, document, ("directives",))]
    for name in queues:
        own.append(Written(site.queues[name].directives, document, ("queues", name, "directives")))
    reserved = [*batch.reserved, *([f"-l {site.memory.resource}"] if site.memory.resource else [])]
    problems = []
    for written in (*own, asked):
        for number, directive in enumerate(written.directives):
            origin = written.document.origins.get((*written.path, number))
            for option, part in _options(directive):
                refused = [rule for rule in site.rejects if _says(batch, rule, option, part, whole=True)]
                if written is asked and refused:
                    cause = f"directives: {site.name} refuses {refused[0]}"
                    problems.append(Problem(cause, origin, _rule(site, document, refused[0])))
                elif any(_says(batch, known, option, part) for known in reserved):
                    cause = f"directives: {option} is already said by the rendered script"
                    hint = "set the key for it (account, queue, walltime, workers …), and leave it out here"
                    problems.append(Problem(cause, origin, hint))
    return problems


def _rule(site: Site, document: Document, refused: str) -> str:
    """Where a directive is refused, and what to do."""
    origin = document.origins.get(("rejects", site.rejects.index(refused))) or document.origins.get(("rejects",))
    return f"leave it out: refused by the site profile's rejects{f', {origin}' if origin else ''}"


def _options(directive: str) -> Iterator[tuple[str, str]]:
    """Each option in a directive, and its whole text: ``-l`` and ``-l a=1,b=2``."""
    for part in re.findall(r"(?:^|\s)(-\S.*?)(?=\s-|\s*$)", directive):
        yield re.split(r"[=\s]", part, maxsplit=1)[0], part


def _says(batch: Any, known: str, option: str, part: str, whole: bool = False) -> bool:
    """Whether an option is the known one, in one of the ways to write it.

    Long options may be shortened (getopt_long(3)), short ones may have their value behind them, or several:
    ``-l a=1,b=2``. `whole`: words that are left out make another option: `--gpus` is none for `--gpus-per-task`.
    """
    if option.startswith("--"):
        return known.startswith(option) and not (whole and known.startswith(f"{option}-"))
    short = option if getattr(batch, "whole_options", False) else option[:2]
    values = part[len(short) :].split(",")
    return known in {option, short, *(f"{short} {value.partition('=')[0].strip(QUOTES)}" for value in values)}
