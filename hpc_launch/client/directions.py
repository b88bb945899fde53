"""What a person needs to get to a run: where its pages are, the line for ssh, three lines of Python."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpc_launch.client.access import Forward, Way, refuse_loopback, way_from_outside
from hpc_launch.client.endpoint import Endpoint
from hpc_launch.client.through import access_of
from hpc_launch.errors import HpcLaunchError
from hpc_launch.runs import describe
from hpc_launch.runs.services import LOOPBACK, Page
from hpc_launch.runs.settle import View


@dataclass(frozen=True)
class Directions:
    """To one run."""

    run: str
    told: Mapping[str, Page]
    """By the job; one that is not there says why."""
    jupyter_starts: bool
    """It has told nothing yet."""
    way: Way
    """From somebody's own machine."""
    obstacle: HpcLaunchError | None
    """Why there is none to the pages."""

    @property
    def pages(self) -> Mapping[str, Page]:
        """Those that are there."""
        return {name: page for name, page in self.told.items() if page.is_there}

    def lacks(self) -> list[str]:
        """Why others are not."""
        starts = ["jupyter: it is starting; ask again in a moment"] if self.jupyter_starts else []
        return [f"{name}: {page.lacks}" for name, page in self.told.items() if page.lacks] + starts

    def forwards(self) -> list[Forward]:
        """A port of one's own machine for each page: of the same number."""
        return [forward_to(page, page.port or 0) for page in self.pages.values()]

    def tunnel(self) -> list[str] | None:
        """The command that leads to the pages; None: there are none, or no way."""
        return self.way.words(self.forwards()) if self.pages and not self.obstacle else None

    def python(self) -> list[str]:
        return [
            "from hpc_launch import HPCCluster",
            f"cluster = HPCCluster.from_run({self.run!r})",
            "client = cluster.get_client()",
        ]

    def lines(self) -> list[str]:
        """For people."""
        found = [f"{name} on {page.host}: {url_of(page)}" for name, page in self.pages.items()] + self.lacks()
        if (words := self.tunnel()) is not None:
            then = [f"  then {url_of(page, page.port)}" for page in self.pages.values()]
            found += ["from your own machine:", f"  {shlex.join(words)}", *then]
        elif self.obstacle:
            found.append(str(self.obstacle))
        return [*found, "from Python:", *(f"  {line}" for line in self.python())]

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "schema": 1,
            "run": self.run,
            "dashboard": self._page("dashboard"),
            "jupyter": self._page("jupyter"),
            "tunnel": self.tunnel(),
            "python": self.python(),
        }

    def _page(self, name: str) -> dict[str, Any] | None:
        page = self.told.get(name)
        if page is None:
            return None
        url = url_of(page) if page.is_there else None
        return {"host": page.host, "port": page.port, "url": url, "lacks": page.lacks or None}


def directions(view: View, found: Endpoint) -> Directions:
    """To a run whose scheduler is there."""
    record, told = view.record, describe.pages(view)
    starts = "jupyter" not in told and (found.directory / "jobside" / "jupyter.py").exists()
    way = way_from_outside(access_of(found), found.node, record.host, record.user)
    return Directions(record.id, told, starts, way, _obstacle(way, told))


def _obstacle(way: Way, told: Mapping[str, Page]) -> HpcLaunchError | None:
    try:
        for name in (name for name, page in told.items() if page.is_there and page.on_loopback):
            refuse_loopback(way, f"the {name}")
    except HpcLaunchError as fault:
        return fault
    return None


def forward_to(page: Page, local: int) -> Forward:
    """A port of this host for a page."""
    return Forward(local, page.address, page.port or 0)


def url_of(page: Page, local: int | None = None) -> str:
    """With its token: at a port of this host, or on its own."""
    where = f"{LOOPBACK}:{local}" if local else f"{page.address}:{page.port}"
    return f"http://{where}{page.path}{page.query()}"
