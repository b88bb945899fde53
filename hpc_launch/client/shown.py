"""What a cluster object shows of its run: in a notebook's widget, as links, as scripts."""

from __future__ import annotations

import html
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.config
from distributed.utils import format_dashboard_link

from hpc_launch.client.waiting import in_notebook
from hpc_launch.models.stored_plan import read_plan
from hpc_launch.runs.demand import Unsatisfiable
from hpc_launch.runs.pool_status import Pool, there_of

if TYPE_CHECKING:
    from hpc_launch.runs.services import Page

USUAL_LINK = "{scheme}://{host}:{port}/status"
"""Dask's own `distributed.dashboard.link`."""


class Shown:
    """What of a cluster object is for people."""

    directory: Path
    name: str
    run: str
    scheduler_info: Any
    _adaptive: Any
    _page: Page | None
    _pools: Mapping[str, Pool]
    _unsatisfiable: tuple[Unsatisfiable, ...] = ()
    _why: str

    @property
    def dashboard_link(self) -> str:
        """Of the dashboard: as Jupyter's proxy has it where that is set up; otherwise as its node has it, or a tunnel.

        The token is in it, but in a notebook, which keeps what it shows: `hpc-launch connect` tells it.
        """
        return link_to(self._page)

    def job_script(self, role: str = "workers") -> str:
        """The script of a worker job, or with `role="scheduler"` that of the job that holds the scheduler."""
        plan = read_plan((self.directory / "plan.json").read_text(encoding="utf-8"))
        kinds = {job.role: job for job in reversed(plan.kinds_of_jobs)}
        job = kinds.get("workers" if role == "workers" else "scheduler") or plan.main
        return (self.directory / job.file).read_text(encoding="utf-8")

    def _scaling_status(self) -> str:
        """In the widget: connected, wanted, queued and why."""
        mode = f"Adaptive, {self._adaptive.minimum} to {self._adaptive.maximum}" if self._adaptive else "Manual"
        connected = len(self.scheduler_info["workers"])
        wanted = sum(pool.target for pool in self._pools.values()) if self._pools else connected
        lines = [f"Scaling mode: {mode}", f"Workers: {there_of(connected, wanted)}", *self._waiting()]
        rows = "".join(f'<tr><td style="text-align: left;">{html.escape(line)}</td></tr>' for line in lines)
        return f"<table>{rows}</table>"

    def _waiting(self) -> list[str]:
        """What is on its way, what leaves, why nothing comes, and what it will never do."""
        words = ("starting", "queued", "suspended", "draining", "held_by_data")
        pools = self._pools.values()
        numbers = {word.replace("_", " "): sum(getattr(pool, word) for pool in pools) for word in words}
        jobs = ", ".join(f"{number} {word}" for word, number in numbers.items() if number)
        reasons = {pool.paused for pool in pools if pool.paused} | ({self._why} if self._why else set())
        never_run = [each.sentence() for each in self._unsatisfiable]
        return [*([f"Worker jobs: {jobs}"] if jobs else []), *sorted(reasons), *never_run]

    def _repr_html_(self, cluster_status: str | None = None) -> str:
        rows = "".join(
            f'<tr><td colspan="2" style="text-align: left;">{html.escape(line)}</td></tr>' for line in self._hints()
        )
        rendered: str = super()._repr_html_(cluster_status or rows)  # type: ignore[misc]  # Cluster's
        return rendered

    def _hints(self) -> list[str]:
        """What stands below the numbers."""
        lines = [self._why] if self._why and not self._page else []
        if self._page is not None and not self._page.is_there:
            lines.append(f"There is no dashboard: {self._page.lacks}")
        elif self._page is not None and in_notebook() and not _is_proxied():
            lines.append(f"The dashboard asks for the run's token: hpc-launch connect {self.run}")
        return lines


def link_to(page: Page | None) -> str:
    """Of the dashboard, as above."""
    if page is None or not page.is_there:
        return ""
    if _is_proxied():
        return str(format_dashboard_link(page.address, page.port))
    with suppress(OSError):  # the run has ended, and the token with it
        return f"http://{page.address}:{page.port}{page.path}" + ("" if in_notebook() else page.query())
    return ""


def _is_proxied() -> bool:
    """Whether a link to a dashboard leads through a proxy, which knows the token."""
    return bool(dask.config.get("distributed.dashboard.link") != USUAL_LINK)
