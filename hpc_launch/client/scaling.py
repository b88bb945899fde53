"""How many workers a cluster object asks for: the wish is a file in the run, as that of `hpc-launch scale`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from distributed.core import Status

from hpc_launch.client import amounts
from hpc_launch.client.adaptivity import Adaptivity
from hpc_launch.client.keeping import keep_beside
from hpc_launch.client.submission import say
from hpc_launch.client.wake import tell_scheduler_of_wish
from hpc_launch.errors import UsageError
from hpc_launch.runs import scale as scaling
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.look import look
from hpc_launch.runs.settle import View, settle

if TYPE_CHECKING:
    from hpc_launch.client.companion import Companion
    from hpc_launch.context import Context
    from hpc_launch.prepare import Prepared


class Scaling:
    """What of a cluster object asks for workers, and tells which are there."""

    context: Context
    directory: Path
    run: str
    loop: Any
    name: str
    status: Any
    scheduler_address: str
    scheduler_comm: Any
    scheduler_info: Any
    _prepared: Prepared | None
    _adaptive: Any
    _keeper: Companion | None

    def scale(
        self,
        n: int | None = None,
        *,
        jobs: int | None = None,
        cores: int | None = None,
        memory: str | int | None = None,
        group: str | None = None,
    ) -> None:
        """Ask for so many workers, or as many as so many jobs, cores or so much memory hold.

        Raises:
            UsageError: the object is closed, the run over or of a layout that cannot grow.
        """
        self._ask_for(group, lambda chosen: amounts.fixed(chosen, n, jobs, cores, memory))
        self._adaptive = None

    def adapt(self, *, group: str | None = None, **words: Any) -> Adaptivity:
        """Ask for as many workers as the tasks need, from now on; errors as above.

        Args:
            group: of these workers.
            words: `minimum` and `maximum` (workers), or `minimum_jobs`, `maximum_cores`, `maximum_memory` …;
                `interval` and `wait_count` as in Dask.
        """
        target = self._ask_for(group, lambda chosen: amounts.adaptive(chosen, **words))
        self._adaptive = adaptive = Adaptivity(self, target)
        return adaptive

    def _ask_for(self, group: str | None, wanted: Callable[[scaling.Group], scaling.Target]) -> scaling.Target:
        if self.status in (Status.closing, Status.closed):
            raise UsageError(f"this object is closed: HPCCluster.from_run({self.name!r}) takes the run up again")
        if self._prepared is not None:
            raise UsageError("nothing is submitted yet: await the object first")
        view = self._look()
        chosen = scaling.group_of(view, group)
        scaling.ask_for(view, self.context, chosen, target := wanted(chosen))
        for note in scaling.notes(chosen, target):
            say(f"note: {note}")
        if not chosen.kept_by_job and (self._keeper is None or self._keeper.has_ended):
            self._keeper = keep_beside(self.directory)
        if self.status == Status.running:
            self.loop.add_callback(self._poke)
        return target

    def _look(self) -> View:
        """At its files alone: the batch system may take long to answer."""
        return settle(look(self.directory, read_record(self.directory)))

    async def _poke(self) -> None:
        with suppress(OSError):  # then it is seen a little later
            await tell_scheduler_of_wish(self.scheduler_comm)

    @property
    def scheduler(self) -> Any:
        """What is known of the scheduler: `scheduler.workers`, to be read."""
        workers = MappingProxyType(self.scheduler_info["workers"])
        return SimpleNamespace(address=self.scheduler_address, workers=workers)
