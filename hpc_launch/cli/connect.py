"""`hpc-launch connect`: how to get to a run, from a browser and from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hpc_launch.cli.options import JSON
from hpc_launch.cli.runs import RUN
from hpc_launch.errors import NotYet, Problem, UsageError

if TYPE_CHECKING:
    from hpc_launch.client.directions import Directions
    from hpc_launch.client.endpoint import Endpoint

OPENED = "open.html"
"""In `control/`, mode 0600."""


def connect(
    run: RUN = None,
    open_: Annotated[bool, typer.Option("--open", help="open the dashboard in a browser here")] = False,
    tunnel: Annotated[bool, typer.Option("--tunnel", help="hold a tunnel to it, until Ctrl-C")] = False,
    json: JSON = False,
) -> None:
    """Show how to get to a run: its dashboard, the line for ssh, three lines of Python."""
    from hpc_launch import context
    from hpc_launch.cli.output import print_json
    from hpc_launch.client.directions import directions
    from hpc_launch.client.endpoint import endpoint, run_directory
    from hpc_launch.runs.status import bring_up_to_date

    if json and (open_ or tunnel):
        raise UsageError("--json tells the same as plain words do; it does not go with --open or --tunnel")
    view = bring_up_to_date(run_directory(context.current(), run))
    found = endpoint(view)
    if found is None:
        hint = "`hpc-launch status --watch` shows when it is there."
        raise NotYet(Problem(f"{view.record.id} has no scheduler yet: {view.standing.state}", hint=hint))
    known = directions(view, found)
    if tunnel:
        return _hold(known, found, open_)
    if json:
        return print_json(known.as_json())
    print("\n".join(known.lines()))
    if open_:
        _open_here(known, found.directory)


def _refuse_without_pages(known: Directions) -> None:
    if not known.pages:
        raise UsageError(Problem(f"{known.run} serves no pages", hint="\n".join(known.lacks())))


def _open_here(known: Directions, directory: Path) -> None:
    """Have a browser open the dashboard, where this host reaches it without a tunnel."""
    import socket

    from hpc_launch.client.directions import url_of

    _refuse_without_pages(known)
    page = next(iter(known.pages.values()))
    if page.on_loopback and page.host != socket.gethostname():
        hint = f"hpc-launch connect {known.run} --tunnel --open"
        raise UsageError(Problem(f"its pages are on {page.host} itself, and this is {socket.gethostname()}", hint=hint))
    _open(directory, url_of(page))


def _hold(known: Directions, found: Endpoint, open_: bool) -> None:
    """Hold a tunnel to the pages on ports that are free here, until Ctrl-C or its end."""
    from hpc_launch.cli.output import listing, say
    from hpc_launch.client.access import free_port
    from hpc_launch.client.directions import forward_to, url_of
    from hpc_launch.client.endpoint import Unreachable
    from hpc_launch.client.through import way_to
    from hpc_launch.client.tunnel import open_tunnel

    _refuse_without_pages(known)
    forwards = {name: forward_to(page, free_port()) for name, page in known.pages.items()}
    held = open_tunnel(way_to(found), [*forwards.values()])
    try:
        urls = {name: url_of(known.pages[name], forward.local) for name, forward in forwards.items()}
        print(listing([*urls.items()]), flush=True)
        for why in known.lacks():
            say(why)
        say("the tunnel is held until Ctrl-C")
        if open_:
            _open(found.directory, next(iter(urls.values())))
        raise Unreachable(f"the tunnel has ended: {held.wait()}")
    except KeyboardInterrupt:
        say("")
    finally:
        held.close()


def _open(directory: Path, url: str) -> None:
    """Have a browser open it through a file that nobody else can read: command lines are seen by everybody."""
    import webbrowser

    from hpc_launch.cli.output import say
    from hpc_launch.runs.directory import CONTROL, write_control

    page = f'<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={url}">\n'
    write_control(directory, OPENED, page)
    file = directory / CONTROL / OPENED
    if not webbrowser.open(file.as_uri()):
        say(f"there is no browser here; this file leads one there: {file}")
