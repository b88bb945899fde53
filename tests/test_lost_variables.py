"""What would be lost in silence: variables that nobody reads, words that no program knows, texts that are switches."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from distributed.cli.dask_worker import main as dask_worker

from hpc_launch.checks import worker_options
from hpc_launch.errors import InvalidConfiguration
from hpc_launch.prepare import Prepared
from tests.conftest import ROOT

Prepare = Callable[..., Prepared]
LEAST = "workers: {count: 1, memory: 1 GiB}\nworkload: {command: x, cores: 1}\nwalltime: 00:05:00\n"
VARIABLE = LEAST + "environment:\n  variables:\n    %s: %s\n"


def refusal(prepared: Prepare, text: str, *changes: str, **more: Any) -> str:
    with pytest.raises(InvalidConfiguration) as refused:
        prepared(text, *changes, **more)
    return str(refused.value)


@pytest.mark.parametrize(
    ("site", "layout", "name", "told"),
    [
        ("testcluster", "mpi", "SLURM_MPI_TYPE", "srun, which starts the ranks, does not see it"),
        ("testcluster", "mpi", "SRUN_CPUS_PER_TASK", "srun, which starts the ranks, does not see it"),
        ("testcluster", "single-job", "SLURM_CPU_BIND", "srun, which starts the workers, does not see it"),
        ("testcluster", "job-array", "SBATCH_PARTITION", "it is of slurm, and is set in the job, too late"),
        ("pbscluster", "single-job", "PBS_DEFAULT", "it is of pbs, and is set in the job, too late"),
        ("lsfcluster", "single-job", "LSB_DEFAULTQUEUE", "it is of lsf, and is set in the job, too late"),
        ("gridcluster", "single-job", "SGE_CELL", "it is of sge, and is set in the job, too late"),
        ("testcluster", "job-array", "DASK_SCHEDULER_ADDRESS", "it is the address of the run's own scheduler"),
        ("local", "single-job", "DASK_SCHEDULER_ADDRESS", "it is the address of the run's own scheduler"),
        ("local", "single-job", "DASK_DISTRIBUTED__COMM__TLS__CA_FILE", "the run has a key of its own"),
        ("local", "single-job", "UID", "bash sets it itself"),
    ],
)
def test_a_variable_that_would_not_arrive_is_refused(
    prepared: Prepare, site: str, layout: str, name: str, told: str
) -> None:
    said = refusal(prepared, VARIABLE % (name, "x"), f"layout={layout}", site=site)
    assert said.startswith(f"profile.yaml:6: environment.variables.{name}: {told}")


@pytest.mark.parametrize(
    ("site", "changes", "name"),
    [
        ("testcluster", ["layout=job-array"], "SLURM_CPU_BIND"),  # no srun starts its workers
        ("testcluster", ["workers=none"], "SLURM_MPI_TYPE"),
        ("testcluster", ["workers=none"], "DASK_SCHEDULER_ADDRESS"),
        ("pbscluster", ["layout=mpi"], "I_MPI_FABRICS"),  # mpiexec is started in the run's environment
        ("lsfcluster", ["layout=mpi"], "HYDRA_DEBUG"),
        ("gridcluster", ["layout=mpi"], "OMPI_MCA_btl"),
        ("local", ["security=none"], "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"),
    ],
)
def test_one_that_arrives_is_not(prepared: Prepare, site: str, changes: list[str], name: str) -> None:
    made = prepared(VARIABLE % (name, "x"), *changes, site=site)
    assert f"\nexport {name}=x\n" in made.rendered.files["environment.sh"]


def test_which_gpus_there_are_the_batch_system_says(prepared: Prepare, tmp_path: Path) -> None:
    text = (ROOT / "tests/site/testcluster.yaml").read_text() + "resources: {gpus: '--gres=gpu:{n}'}\n"
    (tmp_path / "x.yaml").write_text(re.sub(r"(?m)^(  short: \{)", r"\1gpus: 2, ", text))
    said = refusal(prepared, VARIABLE % ("CUDA_VISIBLE_DEVICES", 0), "workers.gpus=1", site="./x.yaml")
    assert "profile.yaml:6: environment.variables.CUDA_VISIBLE_DEVICES: with workers.gpus" in said


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("{A: $B, B: 1}", "profile.yaml:4: environment.variables.A: $B is expanded before B is set (profile.yaml:4)"),
        ("{DASK_TEMPORARY_DIRECTORY: /x}", "DASK_TEMPORARY_DIRECTORY: workers.local_directory decides it, and wins"),
        ("{DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE: 0.9}", "MEMORY__PAUSE: workers.thresholds decides it, and wins"),
        ("{DASK_DISTRIBUTED__WORKER__MEMORY__TARGET: 0.9}", "MEMORY__TARGET: workers.spill decides it, and wins"),
    ],
)
def test_what_something_else_comes_of_is_told(prepared: Prepare, lines: str, told: str) -> None:
    text = LEAST + f"environment: {{variables: {lines}}}\n"
    made = prepared(text, "workers.thresholds.pause=85%", "workers.spill=true")
    assert [note for note in made.planned.notes if note.endswith(told)] != []
    assert prepared(LEAST + "environment: {variables: {A: 1, B: $A$B}}\n").planned.notes == ()


@pytest.mark.parametrize("kind", ["memory", "shared"])
def test_spilling_that_the_user_wants_where_there_is_no_disk_is_told(
    prepared: Prepare, tmp_path: Path, kind: str
) -> None:
    text = (ROOT / "tests/site/testcluster.yaml").read_text()
    (tmp_path / "x.yaml").write_text(re.sub("local_kind: \\w+", f"local_kind: {kind}", text))
    variable = LEAST + "environment: {variables: {DASK_DISTRIBUTED__WORKER__MEMORY__TARGET: 0.5}}\n"
    told = ": workers spill to /scratch, which is "
    for profile, by in ((variable, "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET"), (LEAST, "workers.spill")):
        made = prepared(profile, *(["workers.spill=true"] if by == "workers.spill" else []), site="./x.yaml")
        assert any(f"{by}{told}" in note for note in made.planned.notes)
    assert not any(told in note for note in prepared(LEAST, site="./x.yaml").planned.notes)


# Words for `dask worker`


def test_the_options_are_those_of_dask_worker() -> None:
    options = [each for each in dask_worker.params if isinstance(each, click.Option)]
    flags = {word for each in options if each.is_flag for word in (*each.opts, *each.secondary_opts)}
    valued = {word for each in options if not each.is_flag for word in each.opts}
    said = {*worker_options.SAID, *worker_options.UNDO}
    assert flags - said == worker_options.FLAGS and valued - said == worker_options.WITH_VALUE


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("[--worker-prot, 5000]", "'--worker-prot' is no option of `dask worker`, which would end, or overlook it"),
        ("[--worker-prot, 5000]", "did you mean --worker-port?"),
        ("[--memmory-limit=3]", "'--memmory-limit' is no option"),
        ("[--preload warm_up.py]", "each word stands for itself: [--preload, warm_up.py]"),
        ("[warm_up.py]", "'warm_up.py' is no option"),
        ("[--tls-key, x]", "--tls-key is the run's own, as `security` has it"),
        ("[--version]", "--version would end each worker at once"),
    ],
)
@pytest.mark.parametrize("site", ["local", "testcluster", "pbscluster", "lsfcluster", "gridcluster"])
def test_a_word_that_dask_worker_does_not_know_is_refused(
    prepared: Prepare, site: str, options: str, told: str
) -> None:
    text = (
        f"workers:\n  count: 1\n  memory: 1 GiB\n  options: {options}\nworkload: {{command: x}}\nwalltime: 00:05:00\n"
    )
    said = refusal(prepared, text, site=site)
    assert said.startswith("profile.yaml:4: workers.options: ") and told in said


@pytest.mark.parametrize(("layout", "count"), [("single-job", "count: 1"), ("job-array", "groups: {a: {count: 1}}")])
@pytest.mark.parametrize("word", ["--worker-prot=1", "--nthreads=2", "--version"])
def test_the_line_of_the_word_itself_is_told(prepared: Prepare, layout: str, count: str, word: str) -> None:
    workers = f"workers:\n  {count}\n  options:\n    - --lifetime-restart\n    - {word}\n"
    said = refusal(prepared, f"{workers}layout: {layout}\nworkload: {{command: x}}\nwalltime: 00:05:00\n")
    assert said.startswith("profile.yaml:5: workers.") and word.partition("=")[0] in said


def test_the_line_of_a_groups_own_word_is_told(prepared: Prepare) -> None:
    group = "workers:\n  groups:\n    a:\n      count: 1\n      options:\n        - --version\n"
    text = f"{group}layout: job-array\nworkload: {{command: x}}\nwalltime: 00:05:00\n"
    assert refusal(prepared, text).startswith("profile.yaml:6: workers.groups.a.options: ")


def test_words_that_it_knows_are_taken(prepared: Prepare, tmp_path: Path) -> None:
    options = "[--preload, a.py, --worker-class=x.Y, --lifetime-restart, tcp://x, --for-the-preload, 3]"
    assert prepared(LEAST, f"workers.options={options}").plan.groups["workers"].options[0] == "--preload"
    cli = tmp_path / "venv/lib/python3.12/site-packages/distributed/cli"
    cli.mkdir(parents=True)
    (cli / "dask_worker.py").write_text('@click.option("--of-tomorrow", type=str)')
    venv = f"environment.venv={tmp_path}/venv"
    assert prepared(LEAST, "workers.options=[--of-tomorrow, 3]", venv, site="local").plan.groups
    assert "--of-today" in refusal(prepared, LEAST, "workers.options=[--of-today=3]", venv, site="local")


# Texts


@pytest.mark.parametrize("word", ["FALSE", "true", "False"])
def test_how_to_quote_what_yaml_takes_for_a_switch(prepared: Prepare, word: str) -> None:
    told = f"write '{word}' in quotes: without them YAML takes it for a switch"
    for text in (VARIABLE % ("A", word), LEAST + f"environment: {{variables: {{B: 1, A: {word}}}}}\n"):
        assert told in refusal(prepared, text)
    assert told in refusal(prepared, LEAST, f"environment.variables.A={word}")
    assert told in refusal(prepared, f"workers: {{count: 1}}\nworkload: {{command: [x, {word}]}}\n")


def test_what_is_no_switch_is_the_text_as_written(prepared: Prepare) -> None:
    text = LEAST + "environment: {variables: {A: yes, B: 0123, C: 1e3, D: 2026-11-28, E: 3.10, F: 12:30, G: ''}}\n"
    variables = prepared(text).plan.environment.variables
    assert [*variables.values()] == ["yes", "0123", "1e3", "2026-11-28", "3.10", "12:30", ""]
