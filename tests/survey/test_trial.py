"""What only templates know to be wrong in a site profile, seen without a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.context import Context
from hpc_launch.locations import SITE_PROFILES
from hpc_launch.survey.trial import problems
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
    ("slurm", ["account: required", "policy: {required: [qos], forbidden: [account]}"], ""),
    ("slurm", ["defaults: {workers: {threads: 64, minimum: 50, memory: 1 TB}, environment: {conda: x}}"], ""),
    ("slurm", ["memory: {unit: GB}", "defaults: {workers: {minimum: 50, per_node: 9}}"], "5: memory.unit: 'GB'"),
    ("slurm", ["memory: {unit: GB}", "defaults: {environment: {venv: x}}"], "5: memory.unit: 'GB'"),
    ("slurm", ["defaults: {environment: {container: {image: a.sif}}, walltime: 30-00:00:00}"], ""),
]


@pytest.mark.parametrize(("system", "lines", "words"), WRONG)
def test_what_a_users_first_run_would_meet(told: Told, system: str, lines: list[str], words: str) -> None:
    found = told(system, *lines)
    assert len(found) == bool(words), found
    assert all(each.startswith(words) for each in found)


def test_the_directives_of_every_queue_are_looked_at(told: Told) -> None:
    two = "  {}: {{cores: 4, directives: [--nodes=2]}}"
    assert [each.partition(":")[0] for each in told("slurm", two.format("long"), two.format("other"))] == ["5", "6"]


EVERY = sorted(file for folder in (SITE_PROFILES, SITES) for file in folder.glob("*.yaml"))


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_every_site_profile_of_the_project_passes_on_any_host(context: Context, file: Path) -> None:
    found = sites.read(file, context)
    assert problems(found, replace(context, environment={}, directory=Path("/tmp/a $HOME b"))) == []
