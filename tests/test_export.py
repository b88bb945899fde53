"""Exported sections: what is in them, that dask-jobqueue itself takes them, and that nothing hostile breaks them."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import dask.config
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch import __version__, sites
from hpc_launch.cli import main
from hpc_launch.config.document import load_document
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import HpcLaunchError, InvalidConfiguration, UsageError
from hpc_launch.export import jobqueue
from hpc_launch.export.templates import block, scalar
from hpc_launch.locations import SITE_PROFILES
from hpc_launch.sites import SiteFile
from tests.conftest import ROOT, SITES

GOLDEN = ROOT / "tests" / "golden" / "export"
EXAMPLES = {"testcluster": "slurm", "pbscluster": "pbs", "gridcluster": "sge", "lsfcluster": "lsf"}
BUILT_IN = sorted(file.stem for file in SITE_PROFILES.glob("*.yaml") if file.stem != "local")

SiteOf = Callable[..., SiteFile]


@pytest.fixture
def example(context: Context, tmp_path: Path) -> SiteOf:
    """One of the example sites, with other values for some of its keys: `example("slurm", requeue=True)`."""

    def of(batch_system: str, **keys: Any) -> SiteFile:
        name = next(site for site, system in EXAMPLES.items() if system == batch_system)
        data = load_document(SITES / f"{name}.yaml").data
        (tmp_path / "site.yaml").write_text(
            yaml.safe_dump({**data, **keys}, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        return sites.read(tmp_path / "site.yaml", context)

    return of


def imported(name: str) -> ModuleType:
    """A module of dask-jobqueue, which takes Ctrl-C for itself when it is imported: other tests are to keep theirs."""
    handler = signal.getsignal(signal.SIGINT)
    module = importlib.import_module(name)
    signal.signal(signal.SIGINT, handler)
    return module


def section(text: str) -> dict[str, Any]:
    """The only section, as Dask's configuration has it."""
    [found] = yaml.safe_load(text)["jobqueue"].values()
    assert isinstance(found, dict)
    return found


def job_script(text: str, **given: Any) -> str:
    """The script of a job, made by dask-jobqueue from this configuration alone."""
    loaded = yaml.safe_load(text)
    [name] = loaded["jobqueue"]
    system = text.split()[2].removesuffix("Cluster")
    job = getattr(imported(f"dask_jobqueue.{system.lower()}"), f"{system}Job")
    with dask.config.set(loaded):
        script: str = job("tcp://10.0.0.1:1", name="w", config_name=name, **given).job_script()
    return script


def cluster_script(text: str, **given: Any) -> str:
    """The same of its cluster, which is not started: neither a network nor a batch system is needed."""
    loaded = yaml.safe_load(text)
    [name] = loaded["jobqueue"]

    async def script() -> str:
        made = getattr(imported("dask_jobqueue"), text.split()[2])(config_name=name, asynchronous=True, **given)
        try:
            return str(made.job_script())
        finally:
            await made.close()

    with dask.config.set(loaded):
        return asyncio.run(script())


def header(script: str) -> list[str]:
    return [line for line in script.splitlines()[1:] if line.startswith("#")]


# As they are


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_the_golden_one(context: Context, name: str) -> None:
    text = jobqueue(sites.read(SITES / f"{name}.yaml", context))
    golden = (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")
    assert text == golden.replace("VERSION", __version__).replace("SITES", str(SITES))


@pytest.mark.parametrize("name", EXAMPLES)
def test_dask_finds_every_key_that_its_class_may_ask_for(context: Context, tmp_path: Path, name: str) -> None:
    text = jobqueue(sites.read(SITES / f"{name}.yaml", context))
    (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    [loaded] = dask.config.collect_yaml([str(tmp_path)])
    package = Path(str(imported("dask_jobqueue").__file__)).parent
    defaults = yaml.safe_load((package / "jobqueue.yaml").read_text())["jobqueue"][EXAMPLES[name]]
    assert set(loaded["jobqueue"][name]) == set(defaults)


def test_the_header_of_a_slurm_job(example: SiteOf) -> None:
    script = job_script(jobqueue(example("slurm")))
    assert header(script) == [
        "#SBATCH -J dask-worker",
        "#SBATCH -p short",
        "#SBATCH -n 1",
        "#SBATCH --cpus-per-task=8",
        "#SBATCH --mem=16000M",
        "#SBATCH -t 00:10:00",
    ]
    assert "--nthreads 2 --memory-limit 3.71GiB --nworkers 4 " in script
    assert "--local-directory /scratch --interface ib0" in script


def test_the_header_of_a_pbs_job(example: SiteOf) -> None:
    script = job_script(jobqueue(example("pbs")))
    assert header(script) == [
        "#PBS -N dask-worker",
        "#PBS -q workq",
        "#PBS -A proj01",
        "#PBS -l select=1:ncpus=8:ompthreads=1:mem=16000mb",
        "#PBS -l walltime=00:10:00",
    ]
    assert '--local-directory "$TMPDIR" ' in script


def test_the_header_of_a_grid_engine_job(example: SiteOf) -> None:
    assert header(job_script(jobqueue(example("sge")))) == [
        "#$ -N dask-worker",
        "#$ -q all.q",
        "#$ -l mem_free=2000M",
        "#$ -l h_rt=00:10:00",
        "#$ -cwd",
        "#$ -j y",
        "#$ -pe smp 8",
        "#$ -S /bin/bash",
    ]


def test_the_header_of_an_lsf_job(example: SiteOf) -> None:
    assert header(job_script(jobqueue(example("lsf")))) == [
        "#BSUB -J dask-worker",
        "#BSUB -q normal",
        '#BSUB -P "proj01"',
        "#BSUB -n 8",
        "#BSUB -W 00:10",
        '#BSUB -R "span[hosts=1] rusage[mem=16000MB]"',
    ]


@pytest.mark.parametrize("name", ["testcluster", "pbscluster", "lsfcluster"])
def test_the_whole_script_of_a_job_is_the_golden_one(context: Context, name: str) -> None:
    """What MintPy has dask-jobqueue submit with `--cluster slurm`, `pbs` and `lsf`."""
    script = job_script(jobqueue(sites.read(SITES / f"{name}.yaml", context)))
    golden = (GOLDEN / "scripts" / f"{name}.sh").read_text(encoding="utf-8")
    assert script == golden.replace("PYTHON", sys.executable)


def test_jobs_that_would_begin_in_the_home_directory_go_where_they_were_submitted(example: SiteOf) -> None:
    assert 'cd -- "$SGE_O_WORKDIR" || exit' in job_script(jobqueue(example("sge", rejects=["-cwd"]))).splitlines()
    assert "WORKDIR" not in job_script(jobqueue(example("sge")))


QUEUES = [(name, queue) for name in BUILT_IN for queue in load_document(SITE_PROFILES / f"{name}.yaml").data["queues"]]
AS_DASK_JOBQUEUE_SAYS_IT = {"-p": "--partition", "-A": "--account", "-t": "--time", "-J": "--job-name"}


def missing(text: str) -> dict[str, Any]:
    """What must be said when the cluster is made, since the site profile does not know it."""
    return {key: value for key, value in (("cores", 4), ("memory", "8 GiB")) if section(text)[key] is None}


@pytest.mark.parametrize(("name", "queue"), QUEUES)
def test_dask_jobqueue_makes_a_job_of_every_queue_of_every_built_in_site(
    context: Context, name: str, queue: str
) -> None:
    found = sites.read(SITE_PROFILES / f"{name}.yaml", context)
    text = jobqueue(found, queue)
    lines = header(cluster_script(text, **missing(text)))
    assert len(lines) >= 2
    assert found.site.queues[queue].cores is None or section(text)["cores"] == found.site.queues[queue].cores
    for line in lines:
        options = [word.partition("=")[0] for word in line.split()[1:]]
        options += [AS_DASK_JOBQUEUE_SAYS_IT.get(option, option) for option in options]
        assert not [option for option in options if option in found.site.rejects], line
    if found.site.memory.directive == "omit":
        assert "mem" not in "\n".join(lines)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_header_of_a_job_of_every_built_in_site(context: Context, name: str) -> None:
    """On its default queue, or else the first one."""
    found = sites.read(SITE_PROFILES / f"{name}.yaml", context)
    text = jobqueue(found, found.site.defaults.get("queue") or next(iter(found.site.queues)))
    script = cluster_script(text, **missing(text))
    assert header(script) == (GOLDEN / "headers" / f"{name}.sh").read_text(encoding="utf-8").splitlines()


# What a site says otherwise


def test_memory_for_each_core(example: SiteOf) -> None:
    text = jobqueue(example("slurm", memory={"directive": "per-cpu", "headroom": "10%"}))
    assert "#SBATCH --mem-per-cpu=2000M" in header(job_script(text))
    assert not [line for line in header(job_script(text)) if line.startswith("#SBATCH --mem=")]
    assert section(text)["memory"] == "14400 MiB"


def test_memory_for_each_core_of_nobody_knows_how_many(example: SiteOf) -> None:
    text = jobqueue(example("slurm", memory={"directive": "per-cpu"}, queues={"q": {}}, defaults={}))
    assert "job-mem: null  # --mem-per-cpu=…, once cores and memory are known" in text
    assert not [line for line in header(job_script(text, cores=4, memory="8 GiB")) if "--mem" in line]


@pytest.mark.parametrize(
    ("system", "refused", "gone"),
    [
        ("sge", "-cwd", "#$ -cwd"),
        ("sge", "-l", "#$ -l"),
        ("sge", "-pe", "#$ -pe"),
        ("pbs", "-l walltime", "#PBS -l walltime"),
        ("pbs", "-l select", "#PBS -l select"),
        ("lsf", "-W", "#BSUB -W"),
        ("lsf", "-R", "#BSUB -R"),
        ("slurm", "--cpus-per-task", "#SBATCH --cpus-per-task"),
        ("slurm", "--time", "#SBATCH -t"),
    ],
)
def test_a_directive_that_a_site_refuses_is_in_no_job(example: SiteOf, system: str, refused: str, gone: str) -> None:
    as_usual = header(job_script(jobqueue(example(system))))
    lines = header(job_script(jobqueue(example(system, rejects=[refused]))))
    assert [line for line in as_usual if line.startswith(gone)]
    assert lines == [line for line in as_usual if not line.startswith(gone)]


@pytest.mark.parametrize(
    ("system", "keys", "said"),
    [
        ("slurm", {"memory": {"directive": "per-cpu"}}, "job-mem: null  # asked for below"),
        (
            "slurm",
            {"memory": {"directive": "per-cpu"}, "rejects": ["--mem-per-cpu"]},
            "job-mem: null  # refused by the site",
        ),
        ("slurm", {"rejects": ["--mem"]}, "job-mem: null  # refused by the site"),
        ("slurm", {"memory": {"directive": "omit"}}, "job-mem: null"),
        ("slurm", {}, "job-mem: 16000M"),
        ("lsf", {}, "mem: null  # asked for below"),
        ("lsf", {"rejects": ["-R"]}, "mem: null  # refused by the site"),
        ("lsf", {"memory": {"directive": "omit"}}, "mem: null"),
        ("lsf", {"queues": {"normal": {}}}, "mem: null  # rusage[mem=…] in -R, once cores and memory are known"),
    ],
)
def test_what_is_said_of_memory_is_true(example: SiteOf, system: str, keys: dict[str, Any], said: str) -> None:
    text = jobqueue(example(system, **keys))
    assert f"    {said}" in text.splitlines()
    asked = [line for line in header(job_script(text, **missing(text))) if "mem" in line]
    assert bool(asked) == ("below" in said or said.endswith("M"))


def test_a_reservation_of_pbs_is_a_queue(example: SiteOf) -> None:
    text = jobqueue(example("pbs", defaults={"queue": "workq", "reservation": "R123"}))
    assert "#PBS -q R123" in header(job_script(text))


def test_an_environment_that_gives_so_many_slots(example: SiteOf) -> None:
    text = jobqueue(example("sge", parallel_environments={"node": {"name": "smp-3", "slots": 3}}))
    assert {"#$ -pe smp-3 3", "#$ -l mem_free=5333M"} <= set(header(job_script(text)))
    assert section(text)["cores"] == 3  # a third more would be 16002 MiB of the node's 16000


def test_a_site_that_refuses_memory_and_partition(example: SiteOf) -> None:
    text = jobqueue(example("slurm", rejects=["--mem", "--partition", "--gres"]))
    assert not [line for line in header(job_script(text)) if "--mem" in line or "-p " in line]


def test_qos_constraint_directives_and_account_of_the_site(example: SiteOf) -> None:
    site = example(
        "slurm",
        account="required",
        directives=["--licenses=matlab:1"],
        queues={"short": {"cores": 8, "memory": "16 GiB", "qos": "fast", "directives": ["--exclusive"]}},
        defaults={"queue": "short", "constraint": "skx&hbm", "directives": ["--nice=5"]},
    )
    text = jobqueue(site)
    assert section(text)["job-extra-directives"] == [
        "--qos=fast",
        "--constraint=skx&hbm",
        "--licenses=matlab:1",
        "--exclusive",
        "--nice=5",
    ]
    assert "account: null  # testcluster wants one on every job" in text
    assert section(text)["walltime"] is None


def test_lsf_counts_in_the_unit_of_its_site_and_for_each_core(example: SiteOf) -> None:
    text = jobqueue(example("lsf", memory={"directive": "per-slot", "unit": "GB"}, submit_stdin=False))
    [directive] = section(text)["job-extra-directives"]
    assert directive == '-R "span[hosts=1] rusage[mem=1]"'
    assert section(text)["memory"] == "7782 MiB"  # 8 GiB are all that whole GiB for each of 8 cores can be
    assert section(text)["use-stdin"] is False


def test_the_environment_that_the_site_gives_everybody(example: SiteOf) -> None:
    given = {
        "purge": True,
        "module_path": ["$HOME/modules"],
        "modules": ["gcc/12", "miniconda"],
        "variables": {"A": "it's $HOME"},
        "venv": "/sw/my venv",
        "setup": "b\nc",
    }
    found = section(
        jobqueue(example("slurm", environment={"setup": "a\n"}, defaults={"queue": "short", "environment": given}))
    )
    modules = ["module purge", 'module use "$HOME/modules"', "module load gcc/12 miniconda"]
    assert found["job-script-prologue"] == ["a", *modules, 'export A="it\'s ${HOME-}"', "b\nc"]
    assert found["python"] == "'/sw/my venv/bin/python'"


@pytest.mark.parametrize(
    ("cores", "threads", "processes"),
    [(1, None, 1), (4, None, 4), (8, None, 4), (96, None, 12), (96, 20, 4), (7, None, 7), (8, 16, 1)],
)
def test_processes(example: SiteOf, cores: int, threads: int | None, processes: int) -> None:
    """`null` is as if nobody had said anything."""
    site = example("slurm", queues={"q": {"cores": cores}}, defaults={"workers": {"threads": threads}})
    assert section(jobqueue(site))["processes"] == processes


@pytest.mark.parametrize(
    ("workers", "said"),
    [
        ({"threads": 3, "per_node": 2}, ["The site's workers.threads, 3, cannot be said here: each worker has 4."]),
        ({"threads": 4, "per_node": 2}, []),
        ({"threads": None, "per_node": 2}, []),
        ({"per_node": 2}, []),
        ({"threads": 3}, ["The site's workers.threads, 3, cannot be said here: each worker has 4."]),
        ({"memory": "2 GiB"}, ["The site's workers.memory, 2 GiB, cannot be said here: each worker has 3800 MiB."]),
        ({"memory": "3800 MiB"}, []),
    ],
)
def test_a_share_that_is_not_the_sites_is_told(example: SiteOf, workers: dict[str, Any], said: list[str]) -> None:
    text = jobqueue(example("slurm", defaults={"queue": "short", "workers": workers}))
    assert [line[2:] for line in text.splitlines() if "# The site's workers" in line] == said
    script = job_script(text)
    if said and "has 4" in said[0]:
        assert "--nthreads 4 " in script
    if said and "MiB" in said[0]:
        assert "--memory-limit 3.71GiB" in script


def test_a_share_of_nobody_knows_what_is_told_too(example: SiteOf) -> None:
    workers = {"threads": 3, "memory": "2 GiB"}
    text = jobqueue(example("slurm", queues={"q": {}}, defaults={"workers": workers}))
    for said in ("# The site's workers.threads, 3, cannot be said here.", "# The site's workers.memory, 2 GiB, cannot"):
        assert [line for line in text.splitlines() if line.startswith(said)]


def test_what_is_no_disk_is_told_of_what_the_section_holds(example: SiteOf) -> None:
    storage = {"local": "/dev/shm", "local_kind": "memory"}
    for directory, told in (("auto", True), ("/scratch", False)):
        defaults = {"queue": "short", "workers": {"local_directory": directory}}
        text = jobqueue(example("slurm", storage=storage, defaults=defaults))
        assert ("# /dev/shm is no local disk: workers should not spill." in text.splitlines()) == told


def test_what_adapting_needs_does_not_take_the_ports_away(example: SiteOf) -> None:
    text = jobqueue(example("slurm", network={"ports": "50000-55000"}))
    assert "# With adapt(), workers should leave before their walltime: add [--lifetime, 540s, " in text
    assert section(text)["worker-extra-args"][:2] == ["--worker-port", "50000:55000"]


def test_more_workers_than_cores_are_not_made(example: SiteOf) -> None:
    text = jobqueue(example("slurm", defaults={"queue": "short", "workers": {"per_node": 16}}))
    assert section(text)["processes"] == 8
    assert "# The site's workers.per_node, 16, is more than the 8 cores of a job." in text
    assert "--nthreads 1 " in job_script(text)


def test_the_walltime_of_a_quality_of_service_is_the_one_that_counts(example: SiteOf) -> None:
    queues = {"short": {"cores": 8, "memory": "8 GiB", "walltime": "00:05:00", "qos": "long"}}
    site = example("slurm", queues=queues, qos={"long": {"walltime": "48:00:00", "jobs": 3, "cores": 16}})
    text = jobqueue(site)
    assert section(text)["walltime"] == "00:10:00" and "# the longest is 48:00:00" in text
    assert "run 3 jobs at once in this quality of service, use 16 cores at once in it." in text


def test_what_a_queue_is(example: SiteOf) -> None:
    queue = {"cores": 8, "exclusive": True, "gpus": 4, "max_submitted": 20, "max_jobs": 5}
    text = jobqueue(example("slurm", queues={"gpu": queue}, defaults={}, resources={"gpus": "--gres=gpu:{n}"}))
    for said in (
        "# A job in this queue gets, and pays for, whole nodes: fewer cores cost no less.",
        "# A node has 4 GPUs, which are not asked for; the site's words for them: --gres=gpu:4.",
        "# A user may submit 20 jobs to this queue, run 5 jobs at once in this queue.",
    ):
        assert said in text.splitlines()
    assert "GPUs" not in jobqueue(example("slurm", queues={"gpu": queue}, defaults={}, resources={}))


def test_dask_jobqueue_knows_a_jobs_workers_only_as_the_comment_says(example: SiteOf) -> None:
    text = jobqueue(example("slurm"))
    assert "# With adapt(), give the class processes=4 too: or else it ends jobs that are at work." in text

    async def groups() -> list[Any]:
        made = [
            dask_jobqueue.SLURMCluster(config_name="testcluster", asynchronous=True, **more)
            for more in ({}, {"processes": 4})
        ]
        told = [cluster.new_spec.get("group") for cluster in made]
        for cluster in made:
            await cluster.close()
        return told

    dask_jobqueue = imported("dask_jobqueue")
    with dask.config.set(yaml.safe_load(text)):
        assert asyncio.run(groups()) == [None, ["-0", "-1", "-2", "-3"]]


def test_what_a_section_cannot_say_is_a_comment(example: SiteOf) -> None:
    text = jobqueue(
        example(
            "slurm",
            status="retired",
            successor="other",
            message="closed on Monday",
            submit_from_compute=False,
            commands={"submit": ["ssh", "login 1", "sbatch"]},
            storage={"local": "/dev/shm", "local_kind": "memory"},
            limits={"submitted": {"jobs": 100}, "running": {"memory": "13 TB"}},
            network={"interface": "ib0", "ports": "50000-55000"},
        )
    )
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    for said in (
        "testcluster is retired: see other.",
        "closed on Monday",
        "make the cluster on a login host",
        "ssh 'login 1' sbatch",
        "A user may submit 100 jobs, use 13000 GB at once.",
        "/dev/shm is no local disk",
        "50000-55000",
    ):
        assert [line for line in comments if said in line], said
    assert section(text)["worker-extra-args"] == ["--worker-port", "50000:55000", "--nanny-port", "50000:55000"]


def test_a_walltime_that_the_queue_does_not_allow_is_the_queues_and_that_is_said(example: SiteOf) -> None:
    site = example("slurm", queues={"debug": {"walltime": "00:05:00"}}, defaults={"walltime": "01:00:00"})
    assert section(jobqueue(site))["walltime"] == "00:05:00"
    assert "# The site's walltime, 01:00:00, is more than this queue allows." in jobqueue(site)


# Hostile values

HOSTILE = [
    *("'", '"', "a: b # c", ";touch x", "%s", "{{ 7 * 7 }}", "{% raw %}", "ünïcode ☃ 𝛑", "\\n", "- x"),
    *("*a", "&a", "!x"),
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_no_text_of_a_site_breaks_out_of_its_place(example: SiteOf, value: str) -> None:
    text = jobqueue(
        example(
            "slurm",
            title=value,
            message=value,
            environment={"setup": f"echo {value}\n  {value}\n\n{value}"},
            storage={"local": f"/scratch/{value}", "local_kind": "shared"},
        )
    )
    found = section(text)
    assert found["job-script-prologue"] == [f"echo {value}\n  {value}\n\n{value}"]
    assert list(yaml.safe_load(text)) == ["jobqueue"]
    words = subprocess.run(
        ["bash", "-c", f"printf %s {found['local-directory']}"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert words.stdout == f"/scratch/{value}"


@pytest.mark.parametrize("name", ["no", "null", "on", "True", "a.b", "x-1"])
def test_every_name_is_a_name_of_a_section(example: SiteOf, name: str) -> None:
    text = jobqueue(example("slurm", name=name))
    assert list(yaml.safe_load(text)["jobqueue"]) == [name.replace(".", "-")]
    assert f'config_name="{name.replace(".", "-")}"' in text
    assert "#SBATCH -p short" in job_script(text)


@pytest.mark.parametrize(
    "queue", ["012", "1e5", "1e3", "no", "yes", "null", "12:30:00", "1_000", "a=b", "a%s", "a:b@c"]
)
@pytest.mark.parametrize(("system", "said"), [("slurm", "-p"), ("pbs", "-q"), ("sge", "-q"), ("lsf", "-q")])
def test_every_queue_stays_a_text(example: SiteOf, system: str, said: str, queue: str) -> None:
    text = jobqueue(example(system, queues={queue: {"cores": 1, "memory": "1 GiB"}}, defaults={}))
    assert section(text)["queue"] == queue
    assert [line.split()[2:] for line in header(job_script(text)) if line.split()[1] == said] == [[queue]]


@pytest.mark.parametrize("value", HOSTILE)
def test_what_dask_jobqueue_formats_stays_as_it_is(example: SiteOf, value: str) -> None:
    given = {
        "environment": {"venv": f"/sw/{value}", "variables": {"A": value}},
        "workers": {"options": ["--preload", value], "resources": {"slots": 2}},
    }
    site = example(
        "slurm",
        directives=[f"--comment={value.replace('#', '')}"],
        environment={"setup": f"echo {value}"},
        storage={"local": f"/scratch/{value}"},
        defaults={"queue": "short", **given},
    )
    script = job_script(jobqueue(site))
    assert f"#SBATCH --comment={value.replace('#', '')}" in script.splitlines()
    assert f"echo {value}" in script.splitlines()
    [command] = [line for line in script.splitlines() if "distributed.cli.dask_worker" in line]
    words = shlex.split(command)
    assert words[:3] == [f"/sw/{value}/bin/python", "-m", "distributed.cli.dask_worker"]
    assert words[words.index("--local-directory") + 1] == f"/scratch/{value}"
    assert words[words.index("--preload") + 1] == value and words[words.index("--resources") + 1] == "slots=2"


@pytest.mark.parametrize("text", ["a\ufffeb", "\ud800", "\ufeff", "\u00a0x"])
def test_what_is_no_character_of_yaml_is_not_even_in_a_comment(example: SiteOf, text: str) -> None:
    found = example("slurm")
    told = jobqueue(replace(found, site=found.site.model_copy(update={"message": f"closed {text}"})))
    assert section(told)["queue"] == "short"
    assert f"# {'closed ' + text!r}" in told.encode().decode().splitlines()


def test_a_file_whose_name_has_a_line_end_is_named_on_one_line(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "a\njobqueue: evil\n#.yaml"
    file.write_text((SITES / "testcluster.yaml").read_text())
    told = jobqueue(sites.read(file, context))
    assert list(yaml.safe_load(told)["jobqueue"]) == ["testcluster"]
    assert r"from 'a\njobqueue: evil\n#.yaml', reviewed" in told


@given(st.text())
def test_scalars_come_back(text: str) -> None:
    assert yaml.safe_load(f"a: {scalar(text)}") == {"a": text}


REFUSED = "".join(map(chr, [*range(9), *range(11, 32), 127]))
"""In shell lines (models.fields)."""


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters=REFUSED)))
def test_shell_text_comes_back_but_for_its_last_line_ends(text: str) -> None:
    assert yaml.safe_load(f"  a:\n    - {block(text, 8)}\n    - end\n") == {"a": [text.rstrip("\n"), "end"]}


# What cannot be exported


def test_a_batch_system_without_a_class(context: Context) -> None:
    with pytest.raises(UsageError, match=r"no cluster for the batch system 'local'.*\n.*lsf, pbs, sge, slurm"):
        jobqueue(sites.read(SITE_PROFILES / "local.yaml", context))


def test_no_batch_system_is_a_part_of_the_others(example: SiteOf) -> None:
    found = example("slurm")
    with pytest.raises(UsageError, match="no cluster for the batch system 'section'"):
        jobqueue(replace(found, site=found.site.model_copy(update={"batch_system": "section"})))


def test_memory_for_each_slot_without_the_resources_name(example: SiteOf) -> None:
    with pytest.raises(InvalidConfiguration, match=r"site.yaml:\d+: memory.resource: must be given.*\n.*\n.*qconf -sc"):
        jobqueue(example("sge", memory={"directive": "per-slot"}))


@pytest.mark.parametrize(
    ("system", "directive"), [("sge", "per-node"), ("pbs", "per-cpu"), ("slurm", "per-slot"), ("lsf", "per-cpu")]
)
def test_memory_as_the_batch_system_does_not_take_it(example: SiteOf, system: str, directive: str) -> None:
    said = rf"site.yaml:\d+: memory.directive: {system} has no memory {directive}\n.*\n +allowed with {system}: "
    with pytest.raises(InvalidConfiguration, match=said):
        jobqueue(example(system, memory={"directive": directive}))


@pytest.mark.parametrize(("system", "allowed"), [("lsf", "KB, MB, GB, TB"), ("slurm", "none, leave it out")])
def test_a_unit_of_memory_that_the_batch_system_does_not_have(example: SiteOf, system: str, allowed: str) -> None:
    with pytest.raises(InvalidConfiguration, match=rf"site.yaml:\d+: memory.unit: 'XB'\n.*\n +allowed.*: {allowed}"):
        jobqueue(example(system, memory={"unit": "XB"}))


@pytest.mark.parametrize(
    ("memory", "where", "add"),
    [
        ({"memory": {"headroom": "5%"}}, r":\d+: ", "`directive: omit` to `memory`"),
        ({"memory": {}}, r":\d+: ", "`directive: omit` to `memory`"),
        (None, r"(:\d+)?: ", "`memory: {directive: omit}`"),
    ],
)
def test_memory_that_is_not_written_is_asked_for(
    example: SiteOf, context: Context, tmp_path: Path, memory: Any, where: str, add: str
) -> None:
    found = example("sge", **(memory or {}))
    if memory is None:
        data = {key: value for key, value in yaml.safe_load(found.text).items() if key != "memory"}
        (tmp_path / "site.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
        found = sites.read(tmp_path / "site.yaml", context)
    with pytest.raises(InvalidConfiguration) as refused:
        jobqueue(found)
    said = rf"site.yaml{where}memory.directive is not set, and sge has no memory per-node\n( +memory:.*\n)? +add "
    assert re.search(said + re.escape(f"{add}, or one of: per-slot"), str(refused.value)), refused.value
    assert "name:" not in str(refused.value)  # which the admin wrote, and is not at fault


def test_a_site_without_queues_is_refused_as_a_script_would_be(example: SiteOf) -> None:
    with pytest.raises(InvalidConfiguration, match=r"site.yaml:\d+: queues: slurm has at least one queue\n"):
        jobqueue(example("slurm", queues={}, defaults={}))


# What a script is refused for


@pytest.mark.parametrize(
    ("system", "keys", "said"),
    [
        ("slurm", {"directives": ["--mem=5G", "--time=1"]}, "--mem is already said"),
        ("slurm", {"directives": ["--licenses=a", "--part=long"]}, "--part is already said"),
        ("slurm", {"queues": {"short": {"directives": ["-N2"]}}}, "-N2 is already said"),
        ("slurm", {"defaults": {"queue": "short", "directives": ["--nodes=3"]}}, "--nodes is already said"),
        (
            "slurm",
            {"rejects": ["--gres"], "defaults": {"queue": "short", "directives": ["--gre=gpu:1"]}},
            "testcluster refuses --gres",
        ),
        ("pbs", {"directives": ["-l walltime=9:00"]}, "-l is already said"),
        ("sge", {"directives": ["-l mem_free=1G"]}, "-l is already said"),
        ("lsf", {"directives": ["-R span[hosts=2]"]}, "-R is already said"),
    ],
)
def test_directives_that_a_job_has_already(example: SiteOf, system: str, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidConfiguration, match=rf"site.yaml:\d+: (?:defaults\.)?directives: {said}"):
        jobqueue(example(system, **keys))


@pytest.mark.parametrize("constraint", ["x+5:ncpus=128:mem=900gb", "mem=900gb", "a&b", "x=1,walltime=99", "x"])
def test_a_constraint_that_pbs_would_take_for_more(example: SiteOf, constraint: str) -> None:
    with pytest.raises(
        InvalidConfiguration, match=r"(?s)site.yaml:\d+: constraint: pbs does not take '.*\n.*NAME=VALUE"
    ):
        jobqueue(example("pbs", defaults={"queue": "workq", "constraint": constraint}))


def test_a_constraint_is_among_the_resources_of_the_chunk(example: SiteOf) -> None:
    text = jobqueue(example("pbs", defaults={"queue": "workq", "constraint": "cpu_type=milan:bigmem=True"}))
    assert section(text)["resource-spec"] == "select=1:ncpus=8:ompthreads=1:mem=16000mb:cpu_type=milan:bigmem=True"


def test_several_queues_and_no_default(example: SiteOf) -> None:
    with pytest.raises(UsageError, match=r"testcluster has no default queue\n.*--queue NAME; .*short, long"):
        jobqueue(example("slurm", queues={"short": {}, "long": {}}, defaults={}))


@pytest.mark.parametrize(
    ("queue", "said"),
    [("shrt", "--queue shrt: testcluster has no queue 'shrt'; did you mean 'short'"), ("old", "any more: use short")],
)
def test_a_queue_that_there_is_not(example: SiteOf, queue: str, said: str) -> None:
    with pytest.raises(InvalidConfiguration, match=said):
        jobqueue(example("slurm", retired_queues={"old": "use short"}), queue)


def test_what_was_asked_for_is_shown_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "jobqueue", "--site", str(SITES / "testcluster.yaml"), "--queue", "x\x1b[31m\n"]) == 3
    assert r"--queue 'x\x1b[31m\n': " in (told := capsys.readouterr().err)
    assert "\x1b" not in told


def test_slots_without_a_parallel_environment(example: SiteOf) -> None:
    with pytest.raises(InvalidConfiguration, match=r"site.yaml.*parallel_environments.node: the site has none"):
        jobqueue(example("sge", parallel_environments={}))


@pytest.mark.parametrize(
    ("system", "mark", "queue"),
    [("slurm", "#SBATCH", "short"), ("pbs", "#PBS", "workq"), ("sge", "#$", "all.q"), ("lsf", "#BSUB", "normal")],
)
def test_no_line_of_the_setup_becomes_a_directive(example: SiteOf, system: str, mark: str, queue: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"site.yaml:\d+: environment.setup: a line that begins with #"):
        jobqueue(example(system, environment={"setup": f"cat <<END\n{mark} -q other\nEND\n"}))
    with pytest.raises(InvalidConfiguration, match=r"site.yaml:\d+: defaults.environment.setup: a line that begins"):
        jobqueue(example(system, defaults={"environment": {"setup": f"{mark} -q other"}}), queue)
    jobqueue(example(system, environment={"setup": f"# as {mark}\n"}))


def test_defaults_that_are_wrong(example: SiteOf) -> None:
    with pytest.raises(HpcLaunchError, match=r"site.yaml:\d+: .*walltime: .*no unit"):
        jobqueue(example("slurm", defaults={"walltime": 60, "queue": "short"}))


# The commands


def test_the_command_prints_the_section(capsys: pytest.CaptureFixture[str], context: Context) -> None:
    assert main(["export", "jobqueue", "--site", str(SITES / "testcluster.yaml"), "--queue", "long"]) == 0
    assert section(capsys.readouterr().out)["queue"] == "long"


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "jobqueue", "--site", str(SITES / "gridcluster.yaml"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1 and told["site"] == "gridcluster"
    assert told["jobqueue"]["gridcluster"]["job-extra-directives"] == ["-pe smp 8", "-S /bin/bash"]


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--site", "local"], 2), (["--site", "ceres", "--queue", "short"], 3), (["--site", "nowhere"], 3)],
)
def test_exit_codes(capsys: pytest.CaptureFixture[str], words: list[str], code: int) -> None:
    assert main(["export", "jobqueue", *words]) == code
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("hpc-launch: ")


@pytest.mark.parametrize(("words", "title"), [([], "profile"), (["profile"], "profile"), (["site"], "site profile")])
def test_schemas_are_printed(capsys: pytest.CaptureFixture[str], words: list[str], title: str) -> None:
    assert main(["schema", *words]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == f"hpc-launch {title}"


def test_there_is_no_schema_of_anything_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "record"]) == 2
    assert "'profile', 'site'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["schema", "site"], ["export", "jobqueue", "--site", "ceres"]])
def test_neither_imports_dask(words: list[str]) -> None:
    code = (
        "import sys; from hpc_launch.cli import main; main(sys.argv[1:]);"
        " print(sorted({'dask', 'distributed', 'dask_jobqueue'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0 and done.stderr == "[]\n"


def test_gpus_of_a_section_are_those_of_one_node_whatever_the_sites_words_count(context: Context) -> None:
    text = jobqueue(sites.find("expanse", context, Origin("test"), context.directory), "gpu")
    assert "A node has 4 GPUs, which are not asked for; the site's words for them: --gpus=4." in text
