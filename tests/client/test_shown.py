"""What the widget says of a run."""

from __future__ import annotations

import re

from hpc_launch.client.adaptivity import Adaptivity
from hpc_launch.client.shown import Shown
from hpc_launch.runs.pool_status import Pool
from hpc_launch.runs.scale import Target
from hpc_launch.runs.services import Page


def lines(pool: Pool, why: str = "", adaptive: Adaptivity | None = None) -> list[str]:
    """Of a cluster with two workers."""
    shown = Shown()
    shown.scheduler_info = {"workers": {"tls://a:1": {}, "tls://b:1": {}}}
    shown._pools, shown._why, shown._adaptive = {"workers": pool}, why, adaptive
    return re.findall(r"<td[^>]*>(.*?)</td>", shown._scaling_status())


def test_what_is_there_what_is_wanted_what_waits_and_why() -> None:
    pool = Pool(target=6, queued=3, starting=1, paused="you may have 4 jobs & no more")
    assert lines(pool, why="Priority") == [
        "Scaling mode: Manual",
        "Workers: 2 of 6 connected",
        "Worker jobs: 1 starting, 3 queued",
        "Priority",
        "you may have 4 jobs &amp; no more",
    ]


def test_more_than_are_wanted_are_no_part_of_them() -> None:
    pool = Pool(target=0, draining=2)
    assert lines(pool)[1:] == ["Workers: 2 connected, none wanted", "Worker jobs: 2 draining"]


def test_where_all_is_there_no_more_is_said() -> None:
    bounds = Adaptivity(None, Target(minimum=1, maximum=9))
    assert lines(Pool(target=2), adaptive=bounds) == ["Scaling mode: Adaptive, 1 to 9", "Workers: 2 of 2 connected"]


def test_without_a_dashboard_there_is_no_link_but_a_reason() -> None:
    shown = Shown()
    shown._page, shown._why = Page("c1", "127.0.0.1", 4711, "/status", None, "bokeh is missing"), ""
    assert (shown.dashboard_link, shown._hints()) == ("", ["There is no dashboard: bokeh is missing"])
