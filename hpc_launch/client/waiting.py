"""Until a run's scheduler is there: where it stands is shown, in a terminal, a log or a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from hpc_launch.client.endpoint import Endpoint, endpoint
from hpc_launch.errors import HpcLaunchError
from hpc_launch.runs import describe
from hpc_launch.runs.settle import View
from hpc_launch.runs.status import bring_up_to_date
from hpc_launch.runs.wait import follow


def wait_for_scheduler(directory: Path, show: Callable[[View], object]) -> Endpoint:
    """Wait until the run's scheduler has told its address; `show` is called with each look before that.

    Raises:
        UsageError: the run is over.
        BatchSystemError: the batch system did not answer many times in a row.
    """
    for found in looks(directory):
        if isinstance(found, Endpoint):
            return found
        show(found)
    raise AssertionError("a run that is over has raised")


def looks(directory: Path) -> Iterator[View | Endpoint]:
    """Look after look at a run, at last its scheduler's endpoint; errors as above."""
    for view in follow(directory):
        yield (found := endpoint(view)) or view
        if found:
            return


def why_queued(directory: Path) -> str:
    """What the batch system, which is asked, says of worker jobs that wait; nothing if it says nothing."""
    try:
        view = bring_up_to_date(directory)
    except HpcLaunchError:
        return ""
    waiting = {job.name for job in view.record.worker_jobs}
    return next((report.why for name, report in view.reports.items() if name in waiting and report.why), "")


@contextmanager
def shown_here() -> Iterator[Callable[[View], None]]:
    """What shows where a run stands, as is usual where this process runs; what moved is gone afterwards."""
    if in_notebook():
        with _in_notebook() as show:
            yield show
    elif sys.stderr.isatty():
        with _in_terminal() as show:
            yield show
    else:
        yield _in_lines()


def _line(view: View, now: datetime | None = None) -> str:
    return f"{view.record.id}: {describe.line(view, now)}"


def in_notebook() -> bool:
    """Whether a kernel shows, and keeps, what comes out."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and hasattr(shell, "kernel")


@contextmanager
def _in_notebook() -> Iterator[Callable[[View], None]]:
    from IPython.display import Pretty, display

    handle: Any = None

    def show(view: View) -> None:
        nonlocal handle
        text = Pretty(_line(view, datetime.now(timezone.utc)))
        if handle is None:
            handle = display(text, display_id=True)
        else:
            handle.update(text)

    yield show
    if handle is not None:
        handle.update(Pretty(""))


@contextmanager
def _in_terminal() -> Iterator[Callable[[View], None]]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), transient=True, auto_refresh=False) as live:

        def show(view: View) -> None:
            text = Text(_line(view, datetime.now(timezone.utc)), no_wrap=True, overflow="ellipsis")
            live.update(text, refresh=True)

        yield show


def _in_lines() -> Callable[[View], None]:
    """A line when it says something that the last one did not."""
    last = ""

    def show(view: View) -> None:
        nonlocal last
        if (line := _line(view)) != last:
            last = line
            print(line, file=sys.stderr, flush=True)

    return show
