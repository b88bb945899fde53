"""The layout `mpi` in rendered scripts: one golden job for each batch system, and each launcher's own words."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.errors import InvalidConfiguration
from hpc_launch.prepare import Prepared
from tests.rendering import EXAMPLE, shellcheck, write

Prepare = Callable[..., Prepared]
ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/golden/mpi"
SITES = ("testcluster", "gridcluster", "pbscluster", "lsfcluster")
MPI = ("layout=mpi", "workers.count=20")
"""Eight fit on a node, so three are needed: two with seven and a last one with six (Grid Engine: 8 + 8 + 4)."""


@pytest.fixture
def at(prepared: Prepare, tmp_path: Path) -> Callable[..., Prepared]:
    """The example, for the Slurm cluster with another MPI launcher."""

    def make(launcher: str, *assignments: str, text: str = EXAMPLE) -> Prepared:
        site = (ROOT / "tests/site/testcluster.yaml").read_text(encoding="utf-8")
        given = "{name: srun, options: ['--mpi=pmi2']}"
        assert given in site
        (tmp_path / "site.yaml").write_text(site.replace(given, launcher))
        return prepared(text, *MPI, *assignments, site="./site.yaml")

    return make


def started(made: Prepared) -> list[str]:
    """The words of the command in the job that starts the ranks."""
    job = made.rendered.files["job.sh"].replace("\\\n", " ")
    [line] = [line for line in job.splitlines() if line.endswith("&") and "node.sh" in line]
    return shlex.split(line)


@pytest.mark.parametrize("site", SITES)
def test_the_example_is_rendered_as_in_the_golden_files(prepared: Prepare, tmp_path: Path, site: str) -> None:
    files = prepared(EXAMPLE, *MPI, site=site).rendered.files
    assert files["job.sh"] == (GOLDEN / site / "job.sh").read_text(encoding="utf-8")
    if (golden := GOLDEN / site / "node.sh").exists():
        shown = files["node.sh"].replace(str(tmp_path), "/home/user/monte-carlo-pi")
        assert shown == golden.read_text(encoding="utf-8")


def test_one_of_the_golden_ones_is_node_sh() -> None:
    assert [file.parent.name for file in GOLDEN.glob("*/node.sh")] == ["testcluster"]


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("more", [(), ("workers.count=1", "workers.lifetime=35m")])
def test_rendered_scripts_are_clean_and_short(
    prepared: Prepare, tmp_path: Path, site: str, more: tuple[str, ...]
) -> None:
    directory = write(prepared(EXAMPLE, *MPI, *more, site=site), tmp_path / "run")
    assert shellcheck(directory) == ""
    assert len((directory / "job.sh").read_text().splitlines()) <= 80


@pytest.mark.parametrize("launcher", ["srun", "mpiexec", "openmpi", "ibrun"])
def test_each_launcher_starts_all_ranks_node_by_node(
    at: Callable[..., Prepared], tmp_path: Path, launcher: str
) -> None:
    made = at(f"{{name: {launcher}, options: [--its, 'own;x']}}", "workers.threads=2", "workers.count=10")
    words = started(made)
    assert [word for word in words if word != "</dev/null"][-3:] == ["bash", "$HPC_LAUNCH_RUN_DIR/node.sh", "&"]
    assert words[words.index("--its") :][:2] == ["--its", "own;x"]
    said = " ".join(words)
    assert {
        "srun": "srun --overlap --nodes=3 --ntasks=10 --ntasks-per-node=4 --cpus-per-task=2",
        "mpiexec": "without_usr2 bash jobside/within.sh mpiexec -n 10 -ppn 4",
        "openmpi": "without_usr2 bash jobside/within.sh mpirun -n 10 --map-by ppr:4:node:OVERSUBSCRIBE --bind-to none",
        "ibrun": "IBRUN_TASKS_PER_NODE=4 without_usr2 bash jobside/within.sh ibrun -n 10",
    }[launcher] in said
    assert shellcheck(write(made, tmp_path / "run")) == ""


@pytest.mark.parametrize("site", SITES)
def test_where_a_site_says_nothing_the_batch_systems_usual_launcher_is_taken(
    prepared: Prepare, tmp_path: Path, site: str
) -> None:
    text = (ROOT / f"tests/site/{site}.yaml").read_text(encoding="utf-8")
    (tmp_path / "site.yaml").write_text(re.sub(r"^launchers:.*\n", "", text, flags=re.M))
    words = started(prepared(EXAMPLE, *MPI, site="./site.yaml"))
    assert ("srun" in words) == (site == "testcluster") and ("mpiexec" in words) == (site != "testcluster")


def test_a_launcher_that_nobody_knows_is_refused_with_those_there_are(at: Callable[..., Prepared]) -> None:
    with pytest.raises(InvalidConfiguration, match=r"launchers\.mpi: 'mpirun_rsh'[^$]*ibrun, mpiexec, openmpi, srun"):
        at("mpirun_rsh")


def test_a_site_that_does_not_allow_it_refuses_it(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("extends: local\nname: own\nlayouts: [single-job]\n")
    with pytest.raises(InvalidConfiguration, match="layout: own does not allow 'mpi'"):
        prepared(EXAMPLE, "layout=mpi", site="./site.yaml")


def options_of(made: Prepared) -> dict[str, str | None]:
    """The options with which each rank is started."""
    node = made.rendered.files["node.sh"].replace("\\\n", " ")
    words = shlex.split(node[node.index('exec "$HPC_LAUNCH_PYTHON"') :])[4:]
    assert words[0].isdigit()
    found: dict[str, str | None] = {}
    for word in words[1:]:
        if word.startswith("--"):
            found[word] = None
        else:
            found[list(found)[-1]] = word
    return found


def test_what_a_profile_says_of_workers_and_scheduler_reaches_dask_mpi(prepared: Prepare) -> None:
    made = prepared(
        EXAMPLE,
        *MPI,
        "workers.lifetime=35m",
        "workers.timeout=90s",
        "workers.threads=4",
        "workers.count=6",
        "workers.resources={subprocess_slots: null, a.b: 0.5}",
        "scheduler.dashboard=false",
        "security=none",
        site="testcluster",
    )
    found = options_of(made)
    assert json.loads(found.pop("--worker-options") or "") == {
        "dashboard": False,
        "dashboard_address": "127.0.0.1:0",
        "death_timeout": 90,
        "lifetime": "2100s",
        "resources": {"a.b": 0.5},
    }
    assert found == {
        "--scheduler-file": "$HPC_LAUNCH_RUN_DIR/scheduler.json",
        "--inclusive-workers": None,
        "--nthreads": "4",
        "--memory-limit": "500000000",
        "--name": "$host",
        "--local-directory": "$local_directory",
        "--protocol": "tcp",
        "--interface": "ib0",
        "--scheduler-port": "0",
        "--dashboard-address": "127.0.0.1:0",
        "--no-dashboard": None,
    }


def test_words_for_dask_worker_are_refused(prepared: Prepare) -> None:
    """dask-mpi does not know them, and with --no-nanny its ranks hang."""
    with pytest.raises(InvalidConfiguration, match="words for `dask worker`"):
        prepared(EXAMPLE, *MPI, "workers.options=[--no-nanny]", site="testcluster")


@pytest.mark.parametrize("site", ["pbscluster", "lsfcluster", "gridcluster", "testcluster"])
def test_open_mpi_is_told_the_hosts_where_it_may_not_know_the_batch_system(
    prepared: Prepare, tmp_path: Path, site: str
) -> None:
    """Seen on PBS: built without it, it wants all ranks on this host."""
    text = re.sub(r"(?m)^launchers:.*\n", "", (ROOT / f"tests/site/{site}.yaml").read_text(encoding="utf-8"))
    (tmp_path / "site.yaml").write_text(text + "launchers: {mpi: openmpi}\n")
    made = prepared(EXAMPLE, *MPI, "workers.count=8", "workers.per_node=4", "workers.threads=1", site="./site.yaml")
    job = made.rendered.files["job.sh"]
    if site == "testcluster":  # on Slurm it starts its daemons by srun
        assert "default_hostfile" not in job
        return
    part = job[job.index("# An Open MPI") : job.index("# The scheduler ends by itself when")]
    script = f"state={tmp_path}; hosts=(c1 c2)\n{part}\necho $OMPI_MCA_orte_default_hostfile"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20)
    assert done.stdout == f"{tmp_path}/hosts\n"
    assert (tmp_path / "hosts").read_text() == "c1 slots=4\nc2 slots=4\n"
    assert shellcheck(write(made, tmp_path / "run")) == ""


def test_each_rank_sees_gpus_of_its_own(prepared: Prepare, tmp_path: Path) -> None:
    site = (ROOT / "tests/site/testcluster.yaml").read_text(encoding="utf-8")
    (tmp_path / "site.yaml").write_text(site + "resources: {gpus: '--gres=gpu:{n}'}\n")
    made = prepared(EXAMPLE, *MPI, "workers.gpus=2", "workers.per_node=2", "workers.count=4", site="./site.yaml")
    node = made.rendered.files["node.sh"]
    part = node[node.index("# Each rank sees GPUs") : node.index('echo "rank')]
    for rank, seen in ((0, "4,5"), (1, "6,7"), (2, "4,5"), (3, "6,7")):
        assert run(part, f"node={rank} CUDA_VISIBLE_DEVICES=4,5,6,7") == f"{seen} {seen}\n"
    assert run(part, "node=1 CUDA_VISIBLE_DEVICES=4,5") == "2 GPUs were given, 4 are needed\n"
    nothing = (
        "the batch system gave no GPUs to this node: neither CUDA_VISIBLE_DEVICES nor ROCR_VISIBLE_DEVICES names one\n"
    )
    for variables in ("", "CUDA_VISIBLE_DEVICES=", "CUDA_VISIBLE_DEVICES=NoDevFiles"):
        assert run(part, f"node=1 {variables}") == nothing
    assert shellcheck(write(made, tmp_path / "run")) == ""
    # GPUs that come with a whole node: all of them are this job's
    whole = site.replace(
        "queues:", "queues:\n  whole: {nodes: 3, cores: 8, memory: 16000 MiB, gpus: 4, exclusive: true}"
    )
    (tmp_path / "site.yaml").write_text(whole)
    wanted = ("workers.gpus=2", "workers.per_node=2", "workers.count=4", "queue=whole")
    node = prepared(EXAMPLE, *MPI, *wanted, site="./site.yaml").rendered.files["node.sh"]
    part = node[node.index("# Each rank sees GPUs") : node.index('echo "rank')]
    assert run(part, "node=1") == "2,3 2,3\n"


def run(part: str, variables: str) -> str:
    """What a part of node.sh leaves in the variables for GPUs, or says."""
    script = f'unfit() {{ echo "$1"; exit; }}\n{variables}\n{part}\necho "$CUDA_VISIBLE_DEVICES $ROCR_VISIBLE_DEVICES"'
    return subprocess.run(["bash", "-c", script], env={}, capture_output=True, text=True, timeout=20).stdout
