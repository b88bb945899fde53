"""Every refusal stands in checks/, with the rest of what is wrong; planning itself gives a plan."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.prepare import Prepared, prepare_resolved
from tests.conftest import ROOT, SITES

Prepare = Callable[..., Prepared]
PACKAGE = ROOT / "hpc_launch"
REFUSALS = {"InvalidConfiguration", "DoesNotFit"}
MAY_REFUSE = {
    "config": "files that are no YAML, words that are no assignment",
    "sites": "a site that is not there",
    "checks": "all that is there and wrong",
    "export": "other programs' words",
    "survey": "a site profile that is looked at on the machine",
    "batch": "an unknown batch system, a plug-in that does not load",
    "render": "a template of a plug-in that is broken",
}
"""Rooms of the package, and what they read that nobody else does."""


def refusals(text: str) -> Iterator[int]:
    """Lines in which one is made."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
            yield node.lineno


def test_a_command_that_runs_python_in_a_container_is_no_interpreter(prepared: Prepare) -> None:
    profile = "workers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\nenvironment: {python: %s}\n"
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(profile % "/usr/bin/singularity -vv exec /x/py_geo.sif /opt/conda/bin/python")
    said = str(refusal.value)
    assert "profile.yaml:3: environment.python: it names an interpreter, and `/usr/bin/singularity …` is a" in said
    assert "name the image in environment.container.image, and /opt/conda/bin/python alone here" in said
    assert prepared(profile % "/opt/my python/bin/python").plan.jobs


def test_refusals_are_made_in_few_rooms() -> None:
    made = {
        f"{file.relative_to(PACKAGE)}:{line}"
        for file in PACKAGE.rglob("*.py")
        for line in refusals(file.read_text(encoding="utf-8"))
        if file.relative_to(PACKAGE).parts[0] not in MAY_REFUSE
    }
    assert made == set()
    for room in MAY_REFUSE:  # none that needs no leave
        files = (PACKAGE / room).rglob("*.py")
        assert any([*refusals(file.read_text(encoding="utf-8"))] for file in files), room


def test_a_refusal_would_be_seen() -> None:
    text = "def f():\n    raise DoesNotFit(Problem('x'))\n"
    assert [*refusals(text)] == [2]


WRONG = """
layout: job-array
workers:
  count: 2
  memory: 1 MB
  gpus: 1
  resources: {GPU: 1}
  options: [--nthreads, "2"]
workload: {command: x}
"""


def test_all_that_is_wrong_with_a_run_is_told_at_once(prepared: Prepare) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        prepared(WRONG)
    told = str(refused.value)
    for part in (
        "profile.yaml:5: workers.memory: 1 MB is too little",
        "profile.yaml:7: workers.resources: GPU is said by workers.gpus",
        "profile.yaml:8: workers.options: --nthreads is already said",
        "profile.yaml:6: workers.gpus: testcluster does not say how GPUs are asked for",
    ):
        assert part in told
    assert len(refused.value.problems) == 4


def test_what_is_no_mistake_but_nothing_for_the_site_does_not_fit(prepared: Prepare) -> None:
    with pytest.raises(DoesNotFit) as refused:
        prepared("workers: {count: 2, memory: 1 GiB, gpus: 1}\nworkload: {command: x}\n")
    assert [problem.message for problem in refused.value.problems] == [
        "workers.gpus: testcluster does not say how GPUs are asked for"
    ]


def test_a_plan_of_too_many_submissions_is_refused_before_a_million_jobs_are_planned(
    prepared: Prepare, tmp_path: Path
) -> None:
    (tmp_path / "site.yaml").write_text("name: plain\nextends: testcluster\narrays: false\n")
    text = "layout: job-array\nworkers: {count: 1000000, per_node: 1, memory: 1 GiB}\nworkload: {command: x}\n"
    with pytest.raises(DoesNotFit, match="1000000 calls of the submit command would be needed") as refused:
        prepared(text, site="./site.yaml")
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize("site", ["pbscluster", "lsfcluster", "gridcluster"])
def test_scratch_that_only_the_batch_system_sets_is_told_where_ssh_starts_the_nodes(
    prepared: Prepare, tmp_path: Path, site: str
) -> None:
    text = (ROOT / f"tests/site/{site}.yaml").read_text() + "launchers: {node: ssh}\n"
    (tmp_path / "x.yaml").write_text(text)
    profile = "workers: {count: 16, per_node: 8, memory: 1 GB, local_directory: %s}\nworkload: {command: x}\n"
    told = "workers.local_directory: $TMPDIR is not set in what ssh starts, unless environment.setup sets it"
    assert told in prepared(profile % "$TMPDIR", site="./x.yaml").planned.notes
    assert not any("ssh" in note for note in prepared(profile % "/tmp", site="./x.yaml").planned.notes)


@pytest.mark.parametrize("site", ["testcluster", "pbscluster", "lsfcluster", "gridcluster"])
@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("max_cores: 15", "16 cores are asked for, a job in {} may have 15 cores"),
        ("max_memory: 4 GB", "GiB of memory are asked for, a job in {} may have 3.7 GiB of memory"),
        ("least: {cores: 17}", "job.sh asks for 16 cores, a job in {} has to have 17 cores"),
        ("least: {memory: 90 GB}", "GiB of memory, a job in {} has to have 83.8 GiB"),
        ("least: {nodes: 3}", "job.sh asks for 2 nodes, a job in {} has to have 3 nodes"),
        ("max_cores: 16, max_memory: 90 GB, least: {cores: 16, nodes: 2}", None),
    ],
)
def test_what_a_queue_allows_one_job_and_wants_of_it_is_kept(
    prepared: Prepare, tmp_path: Path, site: str, limit: str, words: str | None
) -> None:
    text = (ROOT / f"tests/site/{site}.yaml").read_text()
    queue = yaml.safe_load(text)["defaults"]["queue"]
    (tmp_path / "few.yaml").write_text(text.replace(f"  {queue}: {{", f"  {queue}: {{{limit}, "))
    profile = "workers: {count: 16, per_node: 8, memory: 1 GB}\nscheduler: {memory: 1 GB}\nwalltime: 00:05:00\n"
    profile += "workload: {command: x}\n"
    if words is None:
        assert prepared(profile, site="./few.yaml").plan.jobs[0].nodes == 2
        return
    with pytest.raises(DoesNotFit) as refusal:
        prepared(profile, site="./few.yaml")
    assert words.format(f"queue {queue!r} of {site}") in str(refusal.value)


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        ("hostname: 'login\\d+\\.other\\.org'", True),
        ("hostname: 'login\\.example\\.org'", False),
        ("environment: {CENTRE: north}", True),
        ("cluster: other", True),
    ],
)
def test_a_host_that_is_not_the_sites_is_told_before_something_is_submitted(
    prepared: Prepare, context: Context, tmp_path: Path, rule: str, note: bool
) -> None:
    text = re.sub(r"(?m)^detect:.*\n", "", (ROOT / "tests/site/testcluster.yaml").read_text())
    (tmp_path / "x.yaml").write_text(f"{text}detect: {{{rule}}}\n")
    made = prepared("workers: {count: 1}\nworkload: {command: x}\n", site="./x.yaml")
    told = "site: this host (login.example.org) is none of testcluster, by its detect: is it the right one?"
    assert told not in made.planned.notes
    assert (told in prepare_resolved(made.resolved, context, to_submit=True).planned.notes) is note


@pytest.mark.parametrize(("keys", "message"), [
    ("count: 8, memory: 1 GiB", "8 cores are asked for, this machine has 4 (8 workers × 1 threads + "),
    ("count: 1, threads: 8, memory: 1 GiB", "8 cores are asked for, this machine has 4 (1 worker × 8 threads + "),
    ("count: 2, per_node: 1, memory: 1 GiB", "2 workers are asked for, 1 on a node, and this machine is one node"),
    ("count: 4, memory: 5 GiB", "25870 MiB are asked for, this machine has 16384 MiB (4 workers × 5120 MiB + "),
])  # fmt: skip
def test_of_this_machine_no_nodes_are_spoken_of(prepared: Prepare, keys: str, message: str) -> None:
    with pytest.raises(DoesNotFit) as refused:
        prepared(f"workers: {{{keys}}}\nworkload: {{command: x}}\n", site="local")
    [problem] = refused.value.problems
    assert problem.message.startswith(message)


def test_a_queue_whose_jobs_may_be_killed_is_told_for_each_job_in_it(prepared: Prepare, tmp_path: Path) -> None:
    site = yaml.safe_load((SITES / "testcluster.yaml").read_text())
    site["queues"]["long"]["preemptible"] = True
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(site))
    text = "walltime: 1h\nworkers: {count: 2, memory: 1 GiB}\nworkload: {command: x}\n"
    words = "jobs in queue 'long' of testcluster may be killed for others: "
    of_run = prepared(text, "queue=long", site="./site.yaml").planned.notes
    assert [note for note in of_run if "killed" in note] == [words + "the run ends with it, as preempted"]
    of_workers = prepared(text, "queue=short", "layout=job-array", "workers.queue=long", site="./site.yaml")
    told = [note for note in of_workers.planned.notes if "killed" in note]
    assert told == [words + "what workers.sh has begun runs again on other workers"]
    assert not [note for note in prepared(text, "queue=short", site="./site.yaml").planned.notes if "killed" in note]
