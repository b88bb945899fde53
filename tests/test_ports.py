"""`network.ports` and `scheduler.port`: what is planned, said in scripts, and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.prepare import Prepared
from tests.conftest import LEAST, SITES
from tests.rendering import shellcheck, write

Prepare = Callable[..., Prepared]


@pytest.fixture
def behind(tmp_path: Path, prepared: Prepare) -> Prepare:
    """A profile at one of the sites, where connections are let through on these ports alone."""

    def prepare(
        *assignments: str,
        text: str = LEAST,
        site: str = "testcluster",
        ports: str = "50000-50099",
        more: str = "",
    ) -> Prepared:
        usual = (SITES / f"{site}.yaml").read_text()
        changed = usual.replace("network: {interface: ib0}", f"network: {{interface: ib0, ports: {ports}}}")
        (tmp_path / "site.yaml").write_text(changed + more)
        return prepared(text, *assignments, site="./site.yaml")

    return prepare


SYSTEMS = ["testcluster", "pbscluster", "lsfcluster", "gridcluster"]


@pytest.mark.parametrize("site", SYSTEMS)
@pytest.mark.parametrize("layout", ["single-job", "job-array"])
def test_scripts_say_the_ports(behind: Prepare, tmp_path: Path, site: str, layout: str) -> None:
    made = behind(f"layout={layout}", site=site)
    files = made.rendered.files
    main = "job.sh" if layout == "single-job" else "scheduler.sh"
    assert "--preload hpc_launch_jobside.guard --preload hpc_launch_jobside.within_ports" in files[main]
    assert "--port 0 " in files[main]
    assert "--worker-port 50000:50099 --nanny-port 50000:50099" in files["node.sh"]
    assert "export HPC_LAUNCH_PORTS=50000-50099\n" in files["environment.sh"]
    assert {"jobside/within_ports.py", "jobside/hpc_launch_no_pages.py", "jobside/free_ports.py"} <= files.keys()
    assert shellcheck(write(made, tmp_path / "run"), main, "node.sh", "environment.sh") == ""


@pytest.mark.parametrize("site", SYSTEMS)
def test_ranks_are_told_the_ports(behind: Prepare, tmp_path: Path, site: str) -> None:
    made = behind("layout=mpi", "scheduler.port=50007", site=site)
    node = made.rendered.files["node.sh"]
    assert "--scheduler-port 50007 " in node and '"port": "50000:50099", "worker_port": "50000:50099"' in node
    assert shellcheck(write(made, tmp_path / "run"), "node.sh") == ""


def test_workers_with_gpus_of_their_own_share_the_ports(behind: Prepare, tmp_path: Path) -> None:
    made = behind("workers.gpus=1", more="resources: {gpus: '--gres=gpu:{n}'}\n")
    node = made.rendered.files["node.sh"]
    assert 'export HPC_LAUNCH_PORTS_NEEDED="2 $workers" #' in node and "--worker-port 50000:50099" in node
    assert shellcheck(write(made, tmp_path / "run"), "node.sh") == ""


def test_a_fixed_port_stands_in_the_script(prepared: Prepare) -> None:
    made = prepared(LEAST, "scheduler.port=8786")
    job = made.rendered.files["job.sh"]
    assert "--port 8786 " in job and "jobside.within_ports " in job
    assert "HPC_LAUNCH_PORTS" not in made.rendered.files["environment.sh"]
    assert "within_ports" not in prepared(LEAST).rendered.files["job.sh"]


def test_a_fixed_port_is_one_of_the_sites(behind: Prepare) -> None:
    with pytest.raises(DoesNotFit) as refusal:
        behind("scheduler.port=8786")
    assert "scheduler.port: 8786 is none of the ports that testcluster lets through, 50000-50099" in str(refusal.value)
    assert "--set scheduler.port=50000" in str(refusal.value)
    assert behind("scheduler.port=50099").plan.scheduler.port == 50099


@pytest.mark.parametrize("port", ["80", "70000", "auto"])
def test_what_is_no_port_is_refused(prepared: Prepare, port: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"scheduler\.port"):
        prepared(LEAST, f"scheduler.port={port}")


@pytest.mark.parametrize(
    ("assignments", "ports", "said"),
    [
        (["workers.count=6"], "50000-50012", "14 ports are needed on a node of job.sh, testcluster has 13"),
        (["workers.count=6", "layout=mpi"], "50000-50012", "14 ports are needed on a node of job.sh"),
        (["workers.count=12", "layout=job-array"], "50000-50012", "16 ports are needed on a node of workers.sh"),
        (["scheduler.dashboard=node", "workers.count=6"], "50000-50013", "15 ports are needed"),
    ],
)
def test_too_few_ports_are_refused_before_the_queue(
    behind: Prepare, assignments: list[str], ports: str, said: str
) -> None:
    with pytest.raises(DoesNotFit) as refusal:
        behind(*assignments, ports=ports)
    assert said in str(refusal.value) and "smallest change: --set workers." in str(refusal.value)


def test_options_that_say_other_ports_are_refused(behind: Prepare, prepared: Prepare) -> None:
    said = "workers.options=[--worker-port, '9000:9999']"
    with pytest.raises(DoesNotFit, match="--worker-port is said by node"):
        behind(said)
    written = LEAST.replace("{count: 2, memory: 1 GiB}", "\n  count: 2\n  options:\n  - --worker-port\n  - 9000:9999")
    with pytest.raises(DoesNotFit, match=r"profile.yaml:4: workers\.options: --worker-port is said by node"):
        behind(text=written)
    assert "--worker-port 9000:9999" in prepared(LEAST, said).rendered.files["node.sh"]


def test_as_many_as_are_needed_fit(behind: Prepare) -> None:
    assert behind("workers.count=6", ports="50000-50013").plan.ports == "50000-50013"


def test_on_one_machine_all_of_a_run_counts(prepared: Prepare, tmp_path: Path) -> None:
    site = "name: here\nbatch_system: local\nqueues: {}\nstorage: {local: /tmp}\nnetwork: {ports: 50000-50008}\n"
    (tmp_path / "site.yaml").write_text(site)
    wanted = ["layout=job-array", "workers.per_node=1", "workers.count=4"]
    with pytest.raises(DoesNotFit, match="10 ports are needed on this machine, here has 9"):
        prepared(LEAST, *wanted, site="./site.yaml")
    assert prepared(LEAST, *wanted, "workers.count=3", site="./site.yaml").plan.jobs


def test_explain_says_which_port(behind: Prepare, prepared: Prepare) -> None:
    assert "port: null  # a free one of 50000-50099, site.yaml:" in behind().rendered.files["resolved.yaml"]
    assert "port: null  # any free one" in prepared(LEAST).rendered.files["resolved.yaml"]


def test_a_run_without_workers_is_told_the_ports(behind: Prepare) -> None:
    made = behind("workers=none", "workload.cores=1", ports="50000-50001")
    assert "HPC_LAUNCH_PORTS=50000-50001" in made.rendered.files["environment.sh"]
