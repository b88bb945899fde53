"""A run's progress while somebody waits: moving on a terminal, elsewhere a line when something changed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

from hpc_launch.cli.output import listing, say
from hpc_launch.runs import describe
from hpc_launch.runs.interruption import ToldToEnd, signals_raise
from hpc_launch.runs.settle import View
from hpc_launch.runs.wait import follow

TASKS_EVERY = 60.0
"""Seconds between plain lines in which only numbers differ: a log of ten hours should be readable."""


def watch(directory: Path, as_lines: Callable[[View], object] | None = None, full: bool = False) -> View:
    """Follow a run to its end and show on stderr how it goes; how it ended the caller tells.

    Args:
        directory: the run directory.
        as_lines: called with each view that is news, instead of showing it.
        full: on a terminal, show all that `status` shows, not one line.

    Raises:
        StoppedWaiting: on Ctrl-C, TERM and HUP.
    """
    news, plain, view = News(), Lines(), None
    try:
        with _screen(full) if as_lines is None and sys.stderr.isatty() else nullcontext() as screen, signals_raise():
            for view in follow(directory):
                if screen is not None:
                    screen.show(view)
                elif news.in_(view):
                    (as_lines or plain.show)(view)
    except (KeyboardInterrupt, ToldToEnd) as told:
        raise StoppedWaiting(told, view) from told
    assert view is not None  # follow gives one, or raises
    return view


class StoppedWaiting(SystemExit):
    """Whoever waited was told to end, by Ctrl-C or a signal; the run goes on."""

    def __init__(self, told: KeyboardInterrupt | ToldToEnd, view: View | None) -> None:
        super().__init__(told.exit_code if isinstance(told, ToldToEnd) else 130)
        self.view = view
        """Where the run stood last."""


@contextmanager
def left_alone(*run_ids: str) -> Iterator[None]:
    """Meanwhile, somebody who stops waiting for these runs is told that they go on, and how to come back."""
    try:
        yield
    except (StoppedWaiting, KeyboardInterrupt, ToldToEnd) as told:  # the latter between two runs
        back = f"hpc-launch wait {' '.join(run_ids)}"
        if len(run_ids) > 1:
            say(f"the runs go on. Come back to them: {back}    End one: hpc-launch cancel RUN")
        else:
            say(f"the run goes on. Come back to it: {back}    End it: hpc-launch cancel {run_ids[0]}")
        if isinstance(told, StoppedWaiting):
            raise
        raise StoppedWaiting(told, None) from None


class Lines:
    """A line for each view, and one more for tasks of a kind that can never run, once."""

    def __init__(self) -> None:
        self.told: set[str] = set()

    def show(self, view: View) -> None:
        """Say it, unless the run is over: how it ended the caller tells."""
        if view.standing.over:
            return
        say(f"{datetime.now():%H:%M:%S} {describe.line(view)}")
        for each in view.evidence.unsatisfiable:
            if each.asked not in self.told:
                say(f"{datetime.now():%H:%M:%S} {describe.never_run(each)}")
                self.told.add(each.asked)


class News:
    """Whether a view says something that the one before did not."""

    def __init__(self) -> None:
        self.last: tuple[object, ...] = ()
        self.numbers: object = None
        self.when = 0.0

    def in_(self, view: View) -> bool:
        """Whether it does; called with every view, in order."""
        progress = view.evidence.progress
        now = time.monotonic()
        unsatisfiable = {each.asked for each in view.evidence.unsatisfiable}
        last = (view.standing, view.final, progress.workers if progress else 0, unsatisfiable)
        numbers = dict(progress.tasks) if progress else None
        if last == self.last and (numbers == self.numbers or now - self.when < TASKS_EVERY):
            return False
        self.last, self.numbers, self.when = last, numbers, now
        return True


class Screen(AbstractContextManager["Screen"]):
    """One or two lines on a terminal, or the whole status, that are replaced again and again."""

    def __init__(self, full: bool) -> None:
        from rich.console import Console
        from rich.live import Live

        self.full = full
        self.live = Live(console=Console(stderr=True), transient=True, auto_refresh=False)

    def __enter__(self) -> Screen:
        self.live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.__exit__(kind, error, trace)

    def show(self, view: View) -> None:
        """Replace what is shown."""
        from rich.text import Text

        lines = [describe.line(view, datetime.now(timezone.utc)), *map(describe.never_run, view.evidence.unsatisfiable)]
        short = "\n".join(f"  {line}" for line in lines)
        text = f"{view.record.id}\n" + (listing(describe.facts(view)) if self.full else short)
        self.live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)


def _screen(full: bool) -> Screen:
    return Screen(full)
