"""The commands that turn a profile into files and jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hpc_launch.cli import completion
from hpc_launch.cli.options import JSON, SITE

if TYPE_CHECKING:
    from hpc_launch.context import Context
    from hpc_launch.prepare import Prepared

PROFILE = Annotated[Path, typer.Argument(metavar="PROFILE", help="the profile: what to run", show_default=False)]
SET = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="a.b=v",
        help="set a key of the profile; any number of times",
        show_default=False,
        autocompletion=completion.assignments,
    ),
]


def _prepare(
    profile: Path, site: str | None, assignments: list[str] | None, to_submit: bool = False
) -> tuple[Prepared, Context]:
    from hpc_launch import context, prepare
    from hpc_launch.cli.output import say

    here = context.current()
    prepared = prepare.prepare(profile, here, site, assignments or (), to_submit)
    for note in prepared.planned.notes:
        say(f"note: {note}")
    return prepared, here


def _show(prepared: Prepared, as_json: bool) -> None:
    from hpc_launch.cli.output import print_json

    if as_json:
        print_json(prepared.as_json())
        return
    for name, text in prepared.rendered.files.items():
        print(f"==> {name} <==\n{text}")


def render(
    profile: PROFILE,
    output: Annotated[Path | None, typer.Option("--output", metavar="DIR", help="write the files here")] = None,
    site: SITE = None,
    set_: SET = None,
    json: JSON = False,
) -> None:
    """Show the files that submit would write; nothing is submitted."""
    prepared, here = _prepare(profile, site, set_)
    if output is not None:
        from hpc_launch.cli.output import say
        from hpc_launch.runs.rendered import rewrite

        removed = rewrite(here.directory / output, prepared.rendered.files)
        gone = f"; removed {', '.join(removed)} of an earlier render" if removed else ""
        say(f"wrote {len(prepared.rendered.files)} files to {output}{gone}")
    if json or output is None:
        _show(prepared, json)


def submit(
    profile: PROFILE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the files, submit nothing")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="wait for the end; ends with the workload's exit code")] = False,
    run_dir: Annotated[
        Path | None,
        typer.Option("--run-dir", metavar="DIR", help="the run directory; must not exist, or be empty"),
    ] = None,
    site: SITE = None,
    set_: SET = None,
    json: JSON = False,
) -> None:
    """Submit a profile; prints the run's id."""
    from hpc_launch.runs.interruption import signals_raise

    with signals_raise():
        prepared, here = _prepare(profile, site, set_, to_submit=not dry_run)
        if dry_run:
            return _show(prepared, json)
        from hpc_launch.cli.submitted import announce_and_wait

        announce_and_wait(prepared, here, run_dir, wait, json)


def check(profile: PROFILE, site: SITE = None, set_: SET = None, json: JSON = False) -> None:
    """Say what submit would answer, without submitting; on the machine itself its batch system is asked, too."""
    from hpc_launch.cli.output import print_json, say
    from hpc_launch.rehearse import rehearse

    prepared, here = _prepare(profile, site, set_, to_submit=True)
    if prepared.rendered.message:
        say(prepared.rendered.message.rstrip())
    said = rehearse(prepared, here)
    if json:
        return print_json({"schema": 1, "fits": True, **prepared.told(), "batch_system": said})
    from hpc_launch.config.wording import printable
    from hpc_launch.explain.sentences import described

    print(f"{printable(str(profile))} can be submitted:")
    for sentence in described(prepared.resolved, prepared.plan):
        print(f"  {sentence}")
    for job, words in said.items():
        print(f"  {prepared.plan.batch_system} says of the job {job}: {words}")


def explain(
    profile: PROFILE,
    changed: Annotated[bool, typer.Option("--changed", help="only what differs from the built-in defaults")] = False,
    site: SITE = None,
    set_: SET = None,
    json: JSON = False,
) -> None:
    """Show every resolved value with where it came from, and how the numbers came about."""
    from hpc_launch.cli.output import cut_to_terminal, in_terminal, print_json, table
    from hpc_launch.config.layers import dotted
    from hpc_launch.explain import as_json, leaves, shown
    from hpc_launch.explain.sentences import described

    prepared, _ = _prepare(profile, site, set_)
    if json:
        return print_json(as_json(prepared.resolved, prepared.planned, changed))
    found = [leaf for leaf in leaves(prepared.resolved, prepared.planned.reasons) if leaf.changed or not changed]
    rows = [[dotted(leaf.path), in_terminal(shown(leaf.value), 26), leaf.origin] for leaf in found]
    print(cut_to_terminal(table(["KEY", "VALUE", "FROM"], rows)))
    if not changed:
        print()
        for sentence in described(prepared.resolved, prepared.plan):
            print(sentence)
