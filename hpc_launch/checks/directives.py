"""Directives that users and sites write themselves, against those that the scripts say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from hpc_launch.batch.dialect import Dialect
from hpc_launch.checks.directives_as_keys import QUOTES, assignment
from hpc_launch.checks.site.resources import replaces
from hpc_launch.config.document import Document
from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import dotted
from hpc_launch.errors import Problem
from hpc_launch.models.site import Site

BESIDE_GPUS = "leave it out, or workers.gpus: of the two only one would hold"
LEAVE_OUT = "leave it out: a second one, or another value, would break the run or its record"


class Written(NamedTuple):
    """A list of directives, and where it stands."""

    directives: list[str]
    document: Document
    path: KeyPath


def directive_faults(
    dialect: Dialect,
    site: Site,
    document: Document,
    queues: Iterable[str],
    asked: Sequence[Written],
    gpus: bool = False,
    memory: str = "workers.memory",
) -> list[Problem]:
    """Directives that say again what the scripts say, and those of a profile that the site refuses.

    The former would win or be ignored, depending on the site.

    Args:
        dialect: the batch system's.
        document: the site profile as written.
        queues: those of the jobs.
        asked: the profile's own, of the run and of workers.
        gpus: whether the scripts ask for some, in the site's words.
        memory: the key by which the profile asks for it.
    """
    own = [Written(site.directives, document, ("directives",))]
    for name in queues:
        own.append(Written(site.queues[name].directives, document, ("queues", name, "directives")))
    resource = {f"-l {site.memory.resource}": memory} if site.memory.resource else {}
    said, instead = {**_by_option(dialect.said), **resource}, _by_option(dialect.instead)
    taken = (*said, *instead, *dialect.reserved)
    problems = []
    for written in (*own, *asked):
        is_asked = any(written is each for each in asked)
        key = dotted(written.path) if is_asked else "directives"
        for number, directive in enumerate(written.directives):
            origin = written.document.origins.get((*written.path, number))
            for option, part in _options(directive):
                refused = [rule for rule in site.rejects if _says(dialect, rule, option, part, whole=True)]
                if is_asked and refused:
                    cause = f"{key}: {site.name} refuses {refused[0]}{_within(directive, option)}"
                    problems.append(Problem(cause, origin, _rule(site, document, refused[0])))
                elif refused and replaces(directive):
                    continue  # the site's own words in place of ours
                elif ours := [known for known in taken if _says(dialect, known, option, part)]:
                    known = option if option in ours else ours[0]
                    cause = f"{key}: {option} {_whose(said, known)}{_within(directive, option)}"
                    by = said.get(known) or instead.get(known)
                    exact = assignment(dialect, known, option, part, by) if by and is_asked else ""
                    problems.append(Problem(cause, origin, _other_way(by, is_asked, exact)))
                elif gpus and _asks_for_gpus(dialect, option, part, directive):
                    cause = f"{key}: {option} is said for workers.gpus{_within(directive, option)}"
                    problems.append(Problem(cause, origin, BESIDE_GPUS))
    return problems


def _asks_for_gpus(dialect: Dialect, option: str, part: str, directive: str) -> bool:
    """Whether it does, or would take the place of what does: of options that are joined only a plain one is known."""
    known = [name for name in dialect.gpu_options if _says(dialect, name, option, part)]
    resources = {value.partition(":")[0].strip(QUOTES) for value in part.partition("=")[2].split(",")}
    plain = directive == part and part.startswith(f"{option}=") and option in dialect.joined
    return bool(known) and not (plain and "gpu" not in resources)


def _by_option(by_key: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {option: key for key, options in by_key.items() for option in options}


def _within(directive: str, option: str) -> str:
    """The whole directive, where it is more than the option."""
    return f", in {directive!r}" if directive != option else ""


def _whose(said: Mapping[str, str], known: str) -> str:
    """Why an option is not for others. The scripts say one that comes from a key only where that is set."""
    if known in said:
        return "is already said by the rendered script" + (f" where {said[known]} asks for it" if said[known] else "")
    return "is hpc-launch's own to say, or to leave unsaid"


def _other_way(key: str | None, asked: bool, exact: str = "") -> str:
    """How to say what an option would have said; the keys are those of profiles, unless they say otherwise."""
    if key is None or (asked and "site profile" in key) or (key == "constraint" and asked and not exact):
        return LEAVE_OUT
    if exact:
        return f"set `{exact}` for it, and leave it out here"
    return f"set {key} for it, and leave it out here" if asked else f"leave it out: it comes from {key}"


def _rule(site: Site, document: Document, refused: str) -> str:
    """Where a directive is refused, and what to do."""
    origin = document.origins.get(("rejects", site.rejects.index(refused))) or document.origins.get(("rejects",))
    return f"leave it out: refused by the site profile's rejects{f', {origin}' if origin else ''}"


def _options(directive: str) -> Iterator[tuple[str, str]]:
    """Each option in a directive, and its whole text: ``-l`` and ``-l a=1,b=2``."""
    for part in re.findall(r"(?:^|\s)(-\S.*?)(?=\s-|\s*$)", directive):
        yield re.split(r"[=\s]", part, maxsplit=1)[0], part


def _says(dialect: Dialect, known: str, option: str, part: str, whole: bool = False) -> bool:
    """Whether an option is the known one, in one of the ways to write it.

    Long options may be shortened (getopt_long(3)), short ones may have their value behind them, or several:
    ``-l a=1,b=2``. `whole`: words that are left out make another option: `--gpus` is none for `--gpus-per-task`.
    """
    if option.startswith("--"):
        return known.startswith(option) and not (whole and known.startswith(f"{option}-"))
    short = option if dialect.whole_options else option[:2]
    values = part[len(short) :].split(",")
    return known in {option, short, *(f"{short} {value.partition('=')[0].strip(QUOTES)}" for value in values)}
