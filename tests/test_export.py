"""Exported sections: what is in them, that dask-jobqueue itself takes them, and that nothing hostile breaks them."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.config
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch import __version__, sites
from hpc_launch.cli import main
from hpc_launch.config.document import load_document
from hpc_launch.context import Context
from hpc_launch.errors import HpcLaunchError, InvalidConfiguration, UsageError
from hpc_launch.export import block, jobqueue, scalar
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
    job = getattr(importlib.import_module(f"dask_jobqueue.{system.lower()}"), f"{system}Job")
    with dask.config.set(loaded):
        script: str = job("tcp://10.0.0.1:1", name="w", config_name=name, **given).job_script()
    return script


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
    package = Path(str(importlib.import_module("dask_jobqueue").__file__)).parent
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


QUEUES = [(name, queue) for name in BUILT_IN for queue in load_document(SITE_PROFILES / f"{name}.yaml").data["queues"]]


@pytest.mark.parametrize(("name", "queue"), QUEUES)
def test_dask_jobqueue_makes_a_job_of_every_queue_of_every_built_in_site(
    context: Context, name: str, queue: str
) -> None:
    found = sites.read(SITE_PROFILES / f"{name}.yaml", context)
    text = jobqueue(found, queue)
    given = {key: value for key, value in (("cores", 4), ("memory", "8 GiB")) if section(text)[key] is None}
    script = job_script(text, **given)
    assert found.site.queues[queue].cores is None or section(text)["cores"] == found.site.queues[queue].cores
    for line in header(script):
        assert not [word for word in line.split()[1:] if word.partition("=")[0] in found.site.rejects], line
    if found.site.memory.directive == "omit":
        assert "--mem" not in "\n".join(header(script))


# What a site says otherwise


def test_memory_for_each_core(example: SiteOf) -> None:
    text = jobqueue(example("slurm", memory={"directive": "per-cpu", "headroom": "10%"}))
    assert "#SBATCH --mem-per-cpu=2000M" in header(job_script(text))
    assert not [line for line in header(job_script(text)) if line.startswith("#SBATCH --mem=")]
    assert section(text)["memory"] == "14400 MiB"


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
        "modules": ["gcc/12", "miniconda"],
        "variables": {"A": "it's $HOME"},
        "venv": "/sw/my venv",
        "setup": "b\nc",
    }
    found = section(
        jobqueue(example("slurm", environment={"setup": "a\n"}, defaults={"queue": "short", "environment": given}))
    )
    assert found["job-script-prologue"] == ["a", "module load gcc/12 miniconda", "export A='it'\"'\"'s $HOME'", "b\nc"]
    assert found["python"] == "'/sw/my venv/bin/python'"


@pytest.mark.parametrize(
    ("cores", "threads", "processes"),
    [(1, None, 1), (4, None, 4), (8, None, 4), (96, None, 12), (96, 20, 4), (7, None, 7), (8, 16, 1)],
)
def test_processes(example: SiteOf, cores: int, threads: int | None, processes: int) -> None:
    workers = {"workers": {"threads": threads}} if threads else {}
    site = example("slurm", queues={"q": {"cores": cores}}, defaults=workers)
    assert section(jobqueue(site))["processes"] == processes


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
    *("'", '"', "a: b # c", "$(touch x)", "%s", "{{ 7 * 7 }}", "{% raw %}", "ünïcode ☃ 𝛑", "\\n", "- x"),
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


@pytest.mark.parametrize("queue", ["012", "1e5", "no", "12:30:00", "1_000", "a=b"])
def test_every_queue_stays_a_text(example: SiteOf, queue: str) -> None:
    assert section(jobqueue(example("slurm", queues={queue: {"cores": 1}}, defaults={})))["queue"] == queue


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


def test_slots_without_a_parallel_environment(example: SiteOf) -> None:
    with pytest.raises(InvalidConfiguration, match=r"site.yaml.*parallel_environments.node: the site has none"):
        jobqueue(example("sge", parallel_environments={}))


@pytest.mark.parametrize(("system", "mark"), [("slurm", "#SBATCH"), ("pbs", "#PBS"), ("sge", "#$"), ("lsf", "#BSUB")])
def test_no_line_of_the_setup_becomes_a_directive(example: SiteOf, system: str, mark: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"site.yaml:\d+: environment.setup: a line that begins with #"):
        jobqueue(example(system, environment={"setup": f"cat <<END\n{mark} -q other\nEND\n"}))
    jobqueue(example(system, environment={"setup": f"# as {mark}\n"}))


def test_defaults_that_are_wrong(example: SiteOf) -> None:
    with pytest.raises(HpcLaunchError, match=r"site.yaml:\d+: walltime: .*no unit"):
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
        " print(sorted({'dask', 'distributed', 'dask_jobqueue', 'pydantic'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0 and done.stderr == "[]\n"
