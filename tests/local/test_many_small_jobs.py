"""The example `many-small-jobs` on this machine: worker jobs are added, expire, and others take their place."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from hpc_launch.prepare import Prepared
from tests.conftest import ROOT
from tests.local.living import INTERVALS, Living
from tests.local.runs import Here, Run
from tests.runs.jobs import Prepare

PROFILE = ROOT / "examples" / "many-small-jobs" / "profile.yaml"
TASKS = 40


@dataclass(frozen=True)
class Impatient(Here):
    """A user whose runs look often at what changes, and whose worker jobs leave five seconds before their walltime."""

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "HPC_LAUNCH_INTERVALS": f"{INTERVALS},drain=5"}


def test_it_fits_on_a_cluster(prepared: Prepare) -> None:
    made: Prepared = prepared(PROFILE.read_text(), "walltime=1h", site="testcluster")
    (group,) = made.plan.groups.values()
    assert (group.count, group.per_node, made.plan.minimum) == (0, 1, 0)


@pytest.mark.long
def test_worker_jobs_expire_and_are_replaced(here: Here) -> None:
    user = Impatient(here.project, here.home)
    command = f"workload.command=[python, small.py, --tasks, {TASKS}, --seconds, 1]"
    fewer = "workers={walltime: 00:00:25, adapt: {maximum: 2}}"
    done = user.command("submit", str(PROFILE), "--set", fewer, "--set", command)
    assert done.returncode == 0, done.stderr
    run = Run(user, done.stdout.strip())
    run.until_running()
    Living(run).reaches(lambda now: now["replaced"] >= 1, "one that was replaced")
    run.ended_as("succeeded", 0)
    log = run.log()
    assert f"the sum of their numbers is {sum(range(TASKS))}\n" in log
    (jobs,) = re.findall(r"done by (\d+) worker jobs", log)
    assert int(jobs) >= 3
