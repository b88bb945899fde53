"""The commands around site profiles."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hpc_launch.cli import completion
from hpc_launch.cli.options import JSON

site = typer.Typer(no_args_is_help=True, help="Look at site profiles.", rich_markup_mode=None)


@site.command("list")
def list_(json: JSON = False) -> None:
    """List the site profiles on the search path, broken and shadowed ones too."""
    from hpc_launch import context, sites
    from hpc_launch.cli.output import cut_to_terminal, print_json, say, table
    from hpc_launch.config.wording import printable

    here = context.current()
    entries = sites.listed(here)
    rows = [
        {
            "name": entry.name,
            "status": entry.found.site.status if entry.found else "broken",
            "batch_system": entry.found.site.batch_system if entry.found else None,
            "title": entry.found.site.title if entry.found else None,
            "maintainers": [vars(one) for one in entry.found.site.maintainers] if entry.found else [],
            "reviewed": str(entry.found.site.reviewed) if entry.found and entry.found.site.reviewed else None,
            "file": str(entry.file),
            "shadowed_by": str(entry.shadowed_by) if entry.shadowed_by else None,
            "error": str(entry.error) if entry.error else None,
        }
        for entry in entries
    ]
    if json:
        print_json({"schema": 1, "sites": rows})
        return _say_unusable(sites.unusable(here))
    headers = ["NAME", "STATUS", "BATCH SYSTEM", "REVIEWED", "MAINTAINERS", "FILE"]
    print(cut_to_terminal(table(headers, [_row(row) for row in rows])))
    for entry in entries:
        if entry.shadowed_by:
            say(f"shadowed: {printable(str(entry.file))}: {printable(str(entry.shadowed_by))} comes first")
        for problem in entry.error.problems if entry.error else ():
            say(f"broken: {problem}")
    _say_unusable(sites.unusable(here))


def _say_unusable(directories: list[str]) -> None:
    from hpc_launch.cli.output import say

    for each in directories:
        say(f"note: {each}")


def _row(row: dict[str, Any]) -> list[str]:
    from hpc_launch.config.wording import printable

    status = f"{row['status']}, shadowed" if row["shadowed_by"] else row["status"]
    people = ", ".join(one["name"] for one in row["maintainers"])
    cells = [row["name"], status, row["batch_system"] or "", row["reviewed"] or "", people, row["file"]]
    return [printable(cell) for cell in cells]


@site.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="name or path of a site profile", show_default=False, autocompletion=completion.sites
        ),
    ],
    origin: Annotated[bool, typer.Option("--origin", help="each value with the file and line it came from")] = False,
    json: JSON = False,
) -> None:
    """Show one site profile, with what it inherits."""
    from hpc_launch import context, sites
    from hpc_launch.cli.output import print_json, say
    from hpc_launch.config.layers import dotted, flatten
    from hpc_launch.config.origin import Origin
    from hpc_launch.config.wording import printable
    from hpc_launch.explain import shown

    here = context.current()
    found = sites.find(name, here, Origin("site show"), here.directory)
    if json:
        origins = {dotted(path): str(place) for path, place in found.document.origins.items() if path}
        data = {"schema": 1, "file": str(found.file), "site": found.document.data}
        return print_json({**data, "origins": origins} if origin else data)
    say(printable(str(found.file)))
    if origin:
        for path, value in flatten(found.document.data):
            print(f"{dotted(path)}: {shown(value)}  # {found.document.origins[path]}")
        return
    print(found.text, end="")


@site.command()
def check(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="name or path of a site profile; left out: the one that this machine is",
            autocompletion=completion.sites,
        ),
    ] = None,
    json: JSON = False,
) -> None:
    """Check a site profile: is it valid, and does it agree with the live batch system?

    A difference is a line, and exit code 1, where the profile promises what the machine does not give: a queue that
    is gone, a limit above the machine's, more nodes than take jobs just now. Where it says less than there is, or
    nothing, that is a note, and exit code 0; so is each thing that could not be compared. Network and scratch are
    those of this host: notes, unless this host is a compute node (run this command in a job); so is what is doubtful
    in the profile alone, such as a review in the future. An invalid profile is exit code 3.
    """
    import datetime

    from hpc_launch import context
    from hpc_launch.checks.site import doubts
    from hpc_launch.cli.output import fault_as_json, print_json, problem_as_json
    from hpc_launch.survey.check import check as check_site

    checked = check_site(name, context.current())
    doubtful = doubts(checked.found.document, datetime.date.today())
    if json:
        document = {**checked.as_json(), "doubtful": [problem_as_json(each) for each in doubtful]}
        if fault := checked.unanswered:
            print_json({**document, **fault_as_json(fault.exit_code, *fault.problems)})
            raise typer.Exit(fault.exit_code)
        print_json(document)
    else:
        for each in doubtful:
            print(f"note: {each}")
        if checked.unanswered:
            raise checked.unanswered
        for difference in checked.differences:
            print(difference if difference.grave else f"note: {difference}")
        for silent in checked.silent:
            print(f"note: {silent}")
        print(checked.verdict)
    if checked.compared and not checked.agrees:
        raise typer.Exit(1)


@site.command()
def discover(
    batch_system: Annotated[
        str | None,
        typer.Option(
            "--batch-system",
            metavar="NAME",
            help="the one to ask, where several are here",
            autocompletion=completion.batch_systems,
        ),
    ] = None,
    json: JSON = False,
) -> None:
    """Draft a site profile by asking the machine: its batch system, and this host.

    What was not found is marked; owner and sources are left for the admin. Nothing is written but stdout:

        hpc-launch site discover > mymachine.yaml
    """
    from hpc_launch import context
    from hpc_launch.cli.output import print_json, say
    from hpc_launch.survey.discover import discover as discover_machine

    found = discover_machine(batch_system, context.current())
    for note in found.notes:
        say(f"note: {note}")
    if json:
        return print_json(found.as_json())
    print(found.text, end="")
    say("a draft: read it, complete what is marked, then `hpc-launch site check FILE`")
