"""What only templates know to be wrong in a site profile, seen without a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.context import Context
from hpc_launch.locations import SITE_PROFILES
from hpc_launch.survey.try_small_jobs import problems
from tests.conftest import SITES

Told = Callable[..., list[str]]


@pytest.fixture
def told(tmp_path: Path, context: Context) -> Told:
    """`LINE: message` of every mistake in a site profile whose own lines begin with the fifth."""

    def of(system: str, *lines: str) -> list[str]:
        head = f"name: x\nbatch_system: {system}\nqueues:\n  short: {{cores: 4, memory: 8 GiB, walltime: 5m}}\n"
        (tmp_path / "x.yaml").write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        found = problems(sites.read(tmp_path / "x.yaml", context), context)
        assert all(each.origin and each.origin.source == "x.yaml" for each in found)
        return [f"{each.origin and each.origin.line}: {each.message}" for each in found]

    return of


OMIT = "memory: {directive: omit}"
LONG = "a walltime of {}"
WRONG = [
    ("slurm", ["memory: {directive: per-slot}"], "5: memory.directive: slurm has no memory per-slot"),
    ("sge", ["memory: {directive: per-node}"], "5: memory.directive: sge has no memory per-node"),
    ("sge", ["memory: {directive: per-slot}"], "5: memory.resource: must be given with `directive: per-slot`"),
    ("lsf", ["memory: {unit: MiB}"], "5: memory.unit: 'MiB'"),
    ("slurm", ["memory: {unit: GB}"], "5: memory.unit: 'GB'"),
    ("pbs", ["launchers: {node: srun}"], "5: launchers.node: srun does not go with pbs"),
    ("pbs", ["launchers: {node: ssh}"], ""),
    ("slurm", ["launchers: {node: ssh}"], "5: launchers.node: ssh does not go with slurm"),  # it tells nobody the hosts
    ("slurm", ["launchers: {node: qrsh}"], "5: launchers.node: qrsh does not go with slurm"),
    ("pbs", ["launchers: {mpi: srun}"], "5: launchers.mpi: srun does not go with pbs"),
    ("slurm", ["directives: [--exclusive, --time=1]"], "5: directives: --time is already said by the rendered script"),
    ("slurm", ["directives: ['-p $(id)']"], "5: directives: -p is already said by the rendered script"),
    ("sge", [OMIT, "parallel_environments: {node: smp}"], ""),
    ("slurm", ["layouts: [mpi]", "launchers: {node: pbsdsh}"], ""),
    ("slurm", ["layouts: []", "memory: {directive: per-slot}"], ""),
    ("slurm", ["storage: {runs: '$NOBODY_SETS_THIS/${NOR_THIS}/runs'}"], ""),
    ("slurm", ["account: required", "policy: {required: [qos], forbidden: [mail]}"], ""),
    ("slurm", ["defaults: {workers: {minimum: 50, per_node: 3, count: 99}, environment: {conda: x}}"], ""),
    ("slurm", ["memory: {unit: GB}", "defaults: {workers: {minimum: 50, per_node: 9}}"], "5: memory.unit: 'GB'"),
    ("slurm", ["memory: {unit: GB}", "defaults: {environment: {venv: x}}"], "5: memory.unit: 'GB'"),
    ("slurm", ["defaults: {environment: {container: {image: a.sif}}}", "containers: apptainer"], ""),
    ("slurm", ["defaults: {environment: {container: {image: a.sif}}}"], "5: defaults: environment.container: x names"),
    ("slurm", ["defaults: {walltime: 30-00:00:00}"], f"5: defaults: {LONG.format('720:00:00')}"),
    ("slurm", ["defaults: {walltime: 5m, workers: {walltime: 1m}}"], ""),
    ("slurm", ["defaults: {workers: {threads: 64}}"], "5: defaults: 64 cores per node are asked for"),
    ("slurm", ["defaults: {workers: {memory: 1 TB}}"], "5: defaults: 1003870 MiB per node are asked for"),
    ("slurm", ["defaults: {workers: {queue: short}, scheduler: {cores: 3}}"], ""),
    ("slurm", ["defaults: {directives: [--time=1]}"], "5: defaults: directives: --time is already said"),
    ("slurm", ["layouts: [mpi]", "defaults: {workers: {options: [--x]}}"], "6: defaults: workers.options: these are"),
    ("slurm", ["resources: {gpus: '--gres=gpu:{n}'}", "defaults: {workers: {gpus: 1}}"], ""),
    ("slurm", ["qos: {q: {walltime: 5s}}", "defaults: {qos: q}"], "6: defaults: a walltime of 00:00:05 is too short"),
    ("slurm", ["qos: {q: {walltime: 2m}}", "defaults: {qos: q}"], ""),
    ("slurm", ["qos: {q: {walltime: 2h}}", "defaults: {qos: q, walltime: 2h}"], ""),
    ("slurm", ["  long: {walltime: 2h}", "defaults: {walltime: 2h}"], ""),  # users name the queue
    (
        "slurm",
        ["  long: {walltime: 2h}", "defaults: {walltime: 2h, queue: short}"],
        f"6: defaults: {LONG.format('02:')}",
    ),
    ("slurm", ["  long: {walltime: 2h}", "defaults: {walltime: 2h, queue: long}"], ""),
    ("slurm", ["  long: {walltime: 2h}", "defaults: {walltime: 2h, queue: auto}"], ""),
    ("slurm", ["  b: {walltime: 1h, default_walltime: 3h}"], "5: queues.b.default_walltime: a walltime of 03:00:00"),
    ("slurm", ["  b: {walltime: 1h, default_walltime: 1h}"], ""),
    (
        "slurm",
        ["  b: {walltime: 1h, default_walltime: 10s}"],
        "5: queues.b.default_walltime: a walltime of 00:00:10 is",
    ),
    ("slurm", ["  b: {walltime: 1h, qos: q}", "qos: {q: {walltime: 1m}}"], ""),
    ("slurm", ["  b: {memory: 100 MiB}"], "5: queues.b: no job can be had in it: "),
    ("slurm", ["memory: {headroom: 99%}"], "1: layouts: no job of single-job can be had: "),
    ("slurm", ["limits: {submitted: {jobs: 1}}"], ""),  # of its layouts it names none
    (
        "slurm",
        ["layouts: [single-job, job-array]", "limits: {submitted: {jobs: 1}}"],
        "5: layouts: no job of job-array ",
    ),
    (
        "sge",
        ["layouts: [job-array]", "submit_from_compute: false", "memory: {directive: omit}"],
        "6: layouts: no job of job-array can be had: layout: job-array needs jobs that may speak",
    ),
]
GPUS = [
    (
        "slurm",
        "gres=gpu:{n}",
        "'gres=gpu:{n}' is no directive, for it does not begin with an option: '#SBATCH gres=gpu:1'",
    ),
    ("sge", "gpu={n}", "'gpu={n}' is no directive, for it does not begin with an option: '#$ gpu=1'"),
    ("lsf", "$(id) {n}", "'$(id) {n}' is no directive, for it does not begin with an option: '#BSUB $(id) 1'"),
    ("pbs", "-l ngpus={n}", "'-l ngpus={n}' would stand within a directive, where no option begins: '#PBS -l select="),
    ("pbs", "ngpus={n} -q gpu", "'ngpus={n} -q gpu' would stand within a directive"),
    ("slurm", "--mem={n}G", "--mem is already said by the rendered script"),
    ("slurm", "--gres=gpu:{n} -p gpu", "-p is already said by the rendered script"),
    ("lsf", '-R "rusage[ngpus={n}]"', "-R is already said by the rendered script"),
    ("slurm", "--gres=gpu:{n} # two", "'--gres=gpu:1 # two' is not allowed here: one option"),
    *(("slurm", words, "") for words in ("--gres=gpu:{n}", "-G {n}", "--gpus={total}", "--gpus-per-node={n}")),
    ("pbs", "ngpus={n}", ""),
    ("pbs", "ngpus={n}:gpu_type=a100", ""),
    ("sge", "-l gpu={n}", ""),
    ("lsf", '-gpu "num={n}:mode=exclusive_process"', ""),
    ("local", "gpus={n}", ""),
]
SWALLOWED = [
    ["defaults: {workers: {gpus: 1}}"],
    ["defaults: {scheduler: {cores: 8}}"],
    ["layouts: [job-array]", "defaults: {workers: {walltime: 2h}}"],
    ["qos: {q: {walltime: 5s}}", "defaults: {qos: q}"],
    ["  late: {directives: [--nodes=2], memory: 100 MiB}"],
]


@pytest.mark.parametrize(("system", "lines", "words"), WRONG)
def test_what_a_users_first_run_would_meet(told: Told, system: str, lines: list[str], words: str) -> None:
    found = told(system, *lines)
    assert len(found) == bool(words), found
    assert all(each.startswith(words) for each in found), found


@pytest.mark.parametrize(("system", "gpus", "words"), GPUS)
def test_the_words_for_gpus_are_seen_in_a_script(told: Told, system: str, gpus: str, words: str) -> None:
    found = told(system, OMIT, f"resources: {{gpus: '{gpus}'}}")
    assert len(found) == bool(words), found
    assert all(each.startswith(f"6: resources.gpus: {words}") for each in found), found


def test_what_belongs_into_a_chunk_is_told_as_it_belongs_there(tmp_path: Path, context: Context) -> None:
    text = "name: x\nbatch_system: pbs\nqueues: {q: {cores: 4}}\nresources: {gpus: '-l ngpus={n}'}\n"
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    (only,) = problems(sites.read(tmp_path / "x.yaml", context), context)
    assert only.hint == "write what belongs there, without blanks and options: ngpus={n}"


@pytest.mark.parametrize("lines", SWALLOWED, ids=" ".join)
def test_a_mistake_is_told_whatever_else_makes_a_job_too_large(told: Told, lines: list[str]) -> None:
    found = told("slurm", *lines, "memory: {directive: per-slot}")
    assert f"{5 + len(lines)}: memory.directive: slurm has no memory per-slot" in found


def test_each_default_that_no_run_could_keep_is_told(told: Told) -> None:
    found = told("slurm", "defaults: {walltime: 2h, workers: {threads: 64, gpus: 1, memory: 1 TB}}")
    assert [each for each in found if "does not say how GPUs are asked for" in each] == found
    found = told(
        "slurm", "resources: {gpus: '-G {n}'}", "defaults: {walltime: 2h, workers: {threads: 64, memory: 1 TB}}"
    )
    assert {each.partition(" asked for")[0] for each in found} == {
        "6: defaults: 64 cores per node are",
        "6: defaults: 1003870 MiB per node are",
        "6: defaults: a walltime of 02:00:00 is",
    }
    assert len(found) == 3


def test_every_layout_is_tried_in_every_queue(told: Told) -> None:
    small, ample = "  small: {cores: 4, max_jobs: 1}", "  ample: {cores: 4}"
    assert told("slurm", small, ample, "layouts: [job-array]", "  ")[0].startswith("5: queues.small: no job can be had")
    assert told("slurm", small, ample, "layouts: [single-job, job-array]") == []


def test_the_directives_of_every_queue_are_looked_at(told: Told) -> None:
    two = "  {}: {{cores: 4, directives: [--nodes=2]}}"
    assert [each.partition(":")[0] for each in told("slurm", two.format("long"), two.format("other"))] == ["5", "6"]


EVERY = sorted(file for folder in (SITE_PROFILES, SITES) for file in folder.glob("*.yaml"))


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_every_site_profile_of_the_project_passes_on_any_host(context: Context, file: Path) -> None:
    found = sites.read(file, context)
    assert problems(found, replace(context, environment={}, directory=Path("/tmp/a $HOME b"))) == []
