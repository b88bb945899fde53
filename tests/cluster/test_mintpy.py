"""The real MintPy on the test cluster: the example's README, and what is known not to work on such machines."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.hosts import PROJECT, Cluster
from tests.cluster.there import There
from tests.examples.mintpy import EXAMPLE, MINTPY, STACK
from tests.examples.readme import follow

ON_TESTCLUSTER = ("--cluster", "slurm", "--config", "testcluster", "--num-worker", "2")
PBS, LSF = (str(PROJECT / f"tests/site/{name}cluster.yaml") for name in ("pbs", "lsf"))


@pytest.fixture(scope="module")
def insar(cluster: Cluster) -> Iterator[There]:
    """A user with MintPy, a stack, and its inversion without Dask, as in the README."""
    there = replace(There.at(cluster), project=cluster.home / "insar")
    mintpy, dask = cluster.home / "mintpy", cluster.home / ".config/dask"
    cluster.run(["cp", "-r", str(cluster.home / "examples/mintpy"), str(there.project)])
    cluster.run(["ln", "-s", MINTPY, mintpy])
    follow(EXAMPLE / "README.md", there, "The stack")
    yield there
    mintpy.unlink()
    shutil.rmtree(dask, ignore_errors=True)
    shutil.rmtree(there.project)


def inverted(
    there: There, *words: str, given: dict[str, str] | None = None, python: Path = MINTPY / "bin/python"
) -> tuple[int, str]:
    """Exit code of an inversion in a directory of its own, and all that it printed."""
    directory = there.cluster.run(["mktemp", "-d", str(there.project / "XXXXXX")]).stdout.strip()
    command = [str(python), "-m", "mintpy.cli.ifgram_inversion", f"../{STACK}", *words]
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in (given or {}).items())
    code, said = there.typed(f"cd {directory} && {variables} {shlex.join(command)}")
    return code, said.replace("\r", "\n")


def section(there: There, site: str) -> dict[str, Any]:
    """What `export jobqueue` writes."""
    done = there.command("export", "jobqueue", "--site", site, "--json")
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)["jobqueue"].values()
    assert isinstance(found, dict)
    return found


def exported(there: There, site: str, **changes: object) -> dict[str, str]:
    """What has Dask find the section of a site, of which some keys are changed, and nothing else."""
    keys = section(there, site) | {key.replace("_", "-"): value for key, value in changes.items()}
    there.write(f"{site}.yaml", yaml.safe_dump({"jobqueue": {site: keys}}))
    return {"DASK_CONFIG": str(there.project / f"{site}.yaml")}


def changed(assignments: list[str]) -> list[str]:
    return [word for assignment in assignments for word in ("--set", assignment)]


def test_worker_jobs_as_the_readme_has_them(insar: There) -> None:
    follow(EXAMPLE / "README.md", insar, "On many nodes")


# A local cluster that works on the head node, and not on compute nodes


def test_a_local_cluster_counts_cores_and_memory_of_the_node_and_not_of_the_job(insar: There) -> None:
    everything = ("--cluster", "local", "--num-worker", "all")
    code, said = inverted(insar, *everything)
    assert code == 0, said
    command = f"mkdir -p all && cd all && ifgram_inversion.py ../{STACK} {shlex.join(everything)}"
    little = changed(["workload.cores=1", "workload.memory=200 MB", f"workload.command={command}"])
    done = insar.command("submit", "local.yaml", "--site", "testcluster", "--wait", *little)
    assert done.returncode != 0
    assert "out-of-memory: the kernel killed the workload on c" in done.stderr
    assert "raise workload.memory" in done.stderr
    assert f"translate numWorker = all to {os.cpu_count()}" in insar.command("logs").stdout


# Workers that cannot import the code, because the disk is not shared


def test_workers_whose_host_does_not_have_the_environment(insar: There) -> None:
    """MintPy waits for them until it is told not to; a run of ours says what is missing where."""
    python = environment_on_the_login_host(insar)
    given = exported(insar, "testcluster")
    given["DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT"] = "10s"
    code, said = inverted(insar, *ON_TESTCLUSTER, python=python, given=given)
    assert code == 1 and "timed out after 10.00 s waiting without any running workers" in said
    [log] = insar.project.glob("??????/slurm-*.out")
    assert f"{python}: No such file or directory" in log.read_text()
    theirs = changed([f"environment.venv={python.parent.parent}"])
    done = insar.command("submit", "local.yaml", "--site", "testcluster", "--wait", *theirs)
    assert "launch-failed: the workload's environment did not load on c" in done.stderr
    assert f"environment.venv: {python.parent.parent} has no bin/activate on c" in done.stderr


def environment_on_the_login_host(there: There) -> Path:
    """Its Python, in /tmp, which is each host's own; gives MintPy's packages from where they are."""
    there.cluster.run([MINTPY / "bin/python", "-m", "venv", "--without-pip", "/tmp/mintpy"])
    packages = next((MINTPY / "lib").glob("python*/site-packages"))
    link = f"/tmp/mintpy/lib/{packages.parent.name}/site-packages/mintpy.pth"
    assert there.typed(f"echo {packages} > {link}") == (0, "")
    return Path("/tmp/mintpy/bin/python")


# PBS and LSF


def test_jobs_that_begin_in_the_home_directory_find_the_stack_by_what_the_section_of_pbs_says(insar: There) -> None:
    at_home = [f"--chdir={insar.home}"]
    given = exported(insar, "testcluster", job_extra_directives=at_home)
    code, said = inverted(insar, *ON_TESTCLUSTER, given=given)
    assert code == 1 and f"name = '../{STACK}', errno = 2" in said
    prologue = ['PBS_O_WORKDIR="$SLURM_SUBMIT_DIR"', *section(insar, PBS)["job-script-prologue"]]
    given = exported(insar, "testcluster", job_extra_directives=at_home, job_script_prologue=prologue)
    code, said = inverted(insar, *ON_TESTCLUSTER, given=given)
    assert code == 0, said


def test_the_section_for_lsf_that_comes_with_mintpy_knows_no_machine(insar: There) -> None:
    own = next((MINTPY / "lib").glob("python*/site-packages/mintpy/defaults/mintpy.yaml"))
    code, said = inverted(insar, "--cluster", "lsf", given={"DASK_CONFIG": str(own)})
    assert code == 1 and "You must specify how much cores and memory per job you want to use" in said
    ours = section(insar, LSF)
    assert ours["cores"] == 8 and ours["memory"] == "15200 MiB"


def test_an_interface_that_the_login_host_does_not_have(insar: There) -> None:
    code, said = inverted(insar, *ON_TESTCLUSTER, given=exported(insar, "testcluster", interface="ib7"))
    assert code == 1 and "'ib7' is not a valid network interface" in said
