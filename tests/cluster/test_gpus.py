"""GPUs on a real Slurm: asked for by the site's words, and dealt out so that no two workers share one."""

from __future__ import annotations

import json

from tests.cluster.hosts import Cluster
from tests.cluster.there import There

SITE = "schema: 1\nname: own\nextends: testcluster\nresources: {gpus: '--gres=gpu:{n}'}\n"


def test_each_worker_sees_gpus_of_its_own_tasks_that_want_one_run_and_a_cancel_leaves_nothing(cluster: Cluster) -> None:
    there = There.at(cluster)
    there.write("own.yaml", SITE)
    run = there.submit(
        there.script(
            "import json, os, time; from dask.distributed import Client\n"
            "c = Client()\n"
            "seen = c.run(lambda: os.environ['CUDA_VISIBLE_DEVICES'])\n"
            "workers = c.scheduler_info(n_workers=-1)['workers']\n"
            "print(json.dumps([[w['host'], seen[a], w['resources'], w['name']] for a, w in workers.items()]))\n"
            "print('sum', c.submit(sum, [1, 2], resources={'GPU': 1}).result(), flush=True); time.sleep(600)"
        ),
        site="./own.yaml",
        workers={"count": 3, "per_node": 2, "gpus": 1, "memory": "300 MB"},
    )
    run.until_printed("sum 3")
    told = json.loads(run.log().splitlines()[0])
    assert all(resources == {"GPU": 1.0} for _, _, resources, _ in told)
    assert len({name for _, _, _, name in told}) == 3
    hosts = {host: sorted(gpu for where, gpu, _, _ in told if where == host) for host, _, _, _ in told}
    assert sorted(hosts.values(), key=len) == [["0"], ["0", "1"]]
    assert there.command("cancel", run.id).returncode == 0
    run.ended_as("cancelled", 1)
