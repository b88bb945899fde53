"""An exported section in dask-jobqueue's own hands: its cluster computes on the test cluster, and leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.hosts import Cluster
from tests.cluster.there import There, slurm
from tests.local.runs import until

WORK = """
import json, os, sys
from dask_jobqueue import {cluster_class}
from distributed import Client

def where(number):
    return os.uname().nodename, os.getcwd()

if __name__ == "__main__":
    with {cluster_class}(config_name="{section}", scheduler_options={{"dashboard_address": ":0"}}) as cluster:
        with Client(cluster) as client:
            cluster.scale(jobs=2)
            client.wait_for_workers(8, timeout=120)
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            print(json.dumps({{
                "sum": sum(client.gather(client.map(lambda x: x * x, range(100)))),
                "hosts": sorted({{worker["host"] for worker in workers}}),
                "threads": sorted({{worker["nthreads"] for worker in workers}}),
                "memory": sorted({{worker["memory_limit"] for worker in workers}}),
                "local": sorted({{worker["local_directory"].rsplit("/", 2)[0] for worker in workers}}),
                "script": cluster.job_script(),
            }}))
"""
MIB = 2**20


@pytest.fixture
def there(cluster: Cluster) -> There:
    return There.at(cluster)


def exported(there: There, site: str) -> Path:
    """A directory of Dask's configuration with the site's section and nothing else."""
    done = there.command("export", "jobqueue", "--site", site)
    assert done.returncode == 0, done.stderr
    assert list(yaml.safe_load(done.stdout)["jobqueue"]) == [site]
    there.write(f"{site}.yaml", done.stdout)
    there.write("work.py", WORK.format(cluster_class=done.stdout.split()[2], section=site))
    return there.project / f"{site}.yaml"


def computed(there: There, configuration: Path) -> dict[str, Any]:
    """What the two jobs of dask-jobqueue's cluster say."""
    done = there.cluster.run(
        [there.python, "work.py"],
        cwd=there.project,
        timeout=180,
        env={"DASK_CONFIG": str(configuration)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_slurm_cluster_of_dask_jobqueue_computes_with_it(there: There) -> None:
    told = computed(there, exported(there, "testcluster"))
    assert told["sum"] == sum(x * x for x in range(100))
    assert told["threads"] == [2] and told["local"] == ["/scratch"]
    assert [round(size / (15200 * MIB / 4), 2) for size in told["memory"]] == [1.0]
    assert all(host.startswith("10.77.2.") for host in told["hosts"])
    assert len(told["hosts"]) == 2
    assert "#SBATCH --mem=16000M" in told["script"]
    until(lambda: not slurm(there.cluster, "squeue", "--noheader").strip(), "the jobs to be gone")


def test_an_sge_cluster_of_dask_jobqueue_computes_with_it(there: There) -> None:
    told = computed(there, exported(there, "gridcluster"))
    assert told["sum"] == sum(x * x for x in range(100))
    assert told["threads"] == [2] and told["local"] == ["/scratch"]
    assert "#$ -l mem_free=2000M" in told["script"]
    until(lambda: not slurm(there.cluster, "qstat", "-u", "*").strip(), "the jobs to be gone")
