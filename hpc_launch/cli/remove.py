"""`hpc-launch remove`: runs that nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hpc_launch.cli import completion
from hpc_launch.cli.options import JSON
from hpc_launch.errors import Problem, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from hpc_launch.runs.index import Entry
    from hpc_launch.runs.remove import Decision


def remove(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN…",
            help="ids, names, beginnings of ids, or run directories",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="TIME", help="all submitted longer ago, such as 30d")
    ] = None,
    keep: Annotated[int | None, typer.Option("--keep", metavar="N", min=0, help="all but the newest N")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="take them off the list only")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be removed")] = False,
    json: JSON = False,
) -> None:
    """Delete runs that are over, with their directories."""
    from hpc_launch import context
    from hpc_launch.cli.output import say
    from hpc_launch.runs import remove, unneeded

    _refuse_words(runs, older_than, keep, forget)
    here = context.current()
    if forget:
        return _forget(runs or [], dry_run, json)
    decided = unneeded.named(here, runs) if runs else unneeded.old(here, _age(older_than), keep or 0)
    if runs and (refused := [each.stays for each in decided if each.stays]):
        raise UsageError(*refused)
    going = [each.entry for each in decided if not each.stays]
    for entry in () if dry_run else going:
        remove.delete(here, entry, say)
    _tell(going, [each for each in decided if each.stays], dry_run, json)


def _refuse_words(runs: list[str] | None, older_than: str | None, keep: int | None, forget: bool) -> None:
    chosen = older_than is not None or keep is not None
    if bool(runs) == chosen:
        hint = "One of both: hpc-launch remove RUN…    hpc-launch remove --older-than 30d --keep 10"
        raise UsageError(Problem("which runs are to be removed?", hint=hint))
    if forget and chosen:
        raise UsageError(Problem("--forget wants the runs by name", hint="hpc-launch remove --forget RUN…"))


def _age(words: str | None) -> timedelta | None:
    from datetime import timedelta

    from hpc_launch.units import parse_walltime

    if words is None:
        return None
    try:
        return timedelta(seconds=parse_walltime(words))
    except ValueError as fault:
        raise UsageError(Problem(f"--older-than: {fault}", hint="Such as 30d, 12h or 1d12h.")) from None


def _forget(runs: Sequence[str], dry_run: bool, as_json: bool) -> None:
    from hpc_launch import context
    from hpc_launch.cli.output import say
    from hpc_launch.runs import index, remove

    here = context.current()
    entries = list(dict.fromkeys(index.find_entry(here, each) for each in runs))
    for entry in () if dry_run else entries:
        remove.forget(here, entry, say)
    _tell(entries, (), dry_run, as_json)


def _tell(going: Sequence[Entry], staying: Sequence[Decision], dry_run: bool, as_json: bool) -> None:
    from hpc_launch.cli.output import print_json, say

    if as_json:
        gone = [{"run": entry.id, "directory": str(entry.directory)} for entry in going]
        stay = [each.as_json() for each in staying]
        return print_json({"schema": 1, "dry_run": dry_run, "removed": gone, "kept": stay})
    for entry in going:
        print(entry.id)
    for each in staying:
        say(f"stays: {each.stays}")
    if not going:
        say("nothing is removed")
    elif dry_run:
        say("with --dry-run nothing was removed")
