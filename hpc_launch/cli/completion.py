"""What a shell may offer at TAB. Each function is given what was typed so far; what does not fit typer leaves out."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from functools import wraps
from typing import TYPE_CHECKING

import typer

from hpc_launch.errors import HpcLaunchError

if TYPE_CHECKING:
    from hpc_launch.runs.index import Entry

NEWEST = 20
"""Runs of which more than the name is looked at."""


@contextmanager
def words_put_together() -> Iterator[None]:
    """Meanwhile, words that bash took apart at `=` (`--state`, `=`, `fa`) are whole; it wants what comes behind it."""
    pieces = os.environ.get("COMP_WORDS", "").split("\n")
    if "=" not in pieces or os.environ.get("_HPC_LAUNCH_COMPLETE") != "complete_bash":
        yield
        return
    words, number = _put_together(pieces, int(os.environ["COMP_CWORD"]))
    os.environ.update(COMP_WORDS="\n".join(words), COMP_CWORD=str(number))
    typed = "".join(words[number : number + 1])
    offered = io.StringIO()
    try:
        with redirect_stdout(offered):
            yield
    finally:
        before, equals, _ = typed.rpartition("=")
        for word in offered.getvalue().splitlines():
            print(word.removeprefix(before + equals).removeprefix(f"{before.partition('=')[2]}{equals}"))


def _put_together(pieces: Sequence[str], number: int) -> tuple[list[str], int]:
    """The words, and which of them is the one at the cursor."""
    words: list[str] = []
    places = []
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if words and (piece == "=" or (piece and before == "=")):
            words[-1] += piece
        else:
            words.append(piece)
        places.append(len(words) - 1)
    return words, places[number] if number < len(places) else len(words)


def quiet(offer: Callable[[typer.Context, str], Iterable[str]]) -> Callable[[typer.Context, str], list[str]]:
    """The same; what goes wrong is nobody's business while somebody types."""

    @wraps(offer)
    def offered(ctx: typer.Context, incomplete: str) -> list[str]:
        with suppress(HpcLaunchError, OSError):
            return list(dict.fromkeys(offer(ctx, incomplete)))
        return []

    return offered


def _entries() -> Sequence[Entry]:
    from hpc_launch import context
    from hpc_launch.runs import index

    return index.entries(context.current())


@quiet
def runs(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of runs, then their ids, the newest first; of a directory nothing, so that the shell offers files."""
    known = _entries()
    return [*(entry.name for entry in known), *(entry.id for entry in known)]


@quiet
def names(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of runs."""
    return [entry.name for entry in _entries()]


@quiet
def states(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """In which a run may be."""
    from hpc_launch.runs.outcome import STATES

    return STATES


@quiet
def sites(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of site profiles."""
    from hpc_launch import context
    from hpc_launch.sites import search

    return search.names(context.current())


@quiet
def groups(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Groups of workers of the newest runs; which run was named typer does not tell while an option lacks its value."""
    from hpc_launch.runs.submissions import POOL, read_document

    found = [read_document(entry.directory / POOL / "groups.json") for entry in _entries()[:NEWEST]]
    return [name for known in found if known for name in known.get("groups", ())]


@quiet
def assignments(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Keys of a profile, each with its `=`; behind that what it may be, where that is one of a few words."""
    from hpc_launch.config.keys import choices, leaves_of
    from hpc_launch.models.layout_name import known
    from hpc_launch.models.profile import Profile

    key, equals, _ = incomplete.partition("=")
    found = leaves_of(Profile)
    if not equals:
        return [f"{each}=" for each in found]
    words = known() if key == "layout" else choices(found[key]) if key in found else []
    return [f"{key}={word}" for word in words]


@quiet
def batch_systems(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Those that there is a module for."""
    from hpc_launch.survey.batch_system_here import names

    return names()
