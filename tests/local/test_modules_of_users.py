"""A user's modules are theirs, whatever they are called: files of ours that travel are hidden from them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hpc_launch.locations import JOBSIDE
from tests.local.listening import free_range
from tests.local.networks import of_site
from tests.local.runs import Here

LAYOUTS: dict[str, dict[str, Any]] = {
    "single-job": {},
    "job-array": {"workers": {"count": 1, "per_node": 1}},
    "mpi": {"workers": {"count": 2}},
}
NAMES = sorted(file.stem for file in JOBSIDE.glob("*.py") if not file.stem.startswith(("__", "hpc_launch_")))
"""What the files of ours are called."""
WORK = f"""
import importlib, json
from dask.distributed import Client, LocalCluster

def of_ours():
    import sys
    found = [path for path in sys.path if "jobside" in path]
    for name, module in list(sys.modules.items()):
        if "/jobside/" in str(getattr(module, "__file__", "")) and not name.startswith(("hpc_launch_", "__")):
            found.append(name)
    return found

def own_cluster():
    import dask
    with LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
        with Client(cluster) as client:
            return client.submit(sum, [1, 2]).result(), dask.config.get("distributed.scheduler.preload")

modules = [importlib.import_module(name) for name in {NAMES}]
with Client() as client:
    whose = {{module.__name__: client.submit(module.whose).result(30) for module in modules}}
    there = {{module.__name__: client.run_on_scheduler(module.whose) for module in modules}}
    ours = [client.run_on_scheduler(of_ours)]
    ours += [*client.run(of_ours).values(), *client.run(of_ours, nanny=True).values()]
    print(json.dumps([whose, there, ours, client.submit(own_cluster).result(30)]))
"""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_none_is_hidden_by_one_of_ours(here: Here, layout: str) -> None:
    """With ports of the site, for then most of what is ours is loaded."""
    for name in NAMES:
        (here.project / f"{name}.py").write_text("def whose():\n    return 'mine'\n")
    first, last = free_range(30)
    run = of_site(here, ports=f"{first}-{last}").submit(here.script(WORK), layout=layout, **LAYOUTS[layout])
    run.ended_as("succeeded", 0)
    in_tasks, in_scheduler, ours, own_cluster = json.loads(run.log())
    assert in_tasks == in_scheduler == dict.fromkeys(NAMES, "mine")
    assert not any(ours)
    assert own_cluster == [3, []]
