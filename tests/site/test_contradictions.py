"""What does not go together in a site profile, so that no job could be had or a line would never act."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.checks import site as rules
from hpc_launch.config.document import parse_document
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration
from tests.conftest import ROOT
from tests.site.files import site_file

Told = Callable[..., list[str]]

CLASHES = [
    (["policy: {required: [qos], forbidden: [account, qos]}"], "qos is required too", "policy.required"),
    (["account: required", "policy: {forbidden: [account]}"], "account is required too", "account: required"),
    (["policy: {forbidden: [workers.count]}"], "workers.count is required too", "every profile has it"),
    (["policy: {forbidden: [workers]}"], "workers forbids workers.count, which is required", "every profile has it"),
    (["policy: {forbidden: [workload]}"], "workload is required too", "every profile has it"),
    (
        ["policy: {required: [environment.conda], forbidden: [environment]}"],
        "environment forbids environment.conda, which is required",
        "policy.required",
    ),
]


@pytest.mark.parametrize(("lines", "what", "why"), CLASHES)
def test_what_is_forbidden_cannot_be_required(told: Told, lines: list[str], what: str, why: str) -> None:
    (only,) = told(*lines)
    assert only.startswith(f"{5 + len(lines)}: policy.forbidden: {what}: no profile could satisfy both ({why}"), only


@pytest.mark.parametrize(
    "lines",
    [
        ["account: required", "defaults: {account: all}", "policy: {forbidden: [account]}"],
        ["defaults: {workers: {count: 4}}", "policy: {forbidden: [workers.count]}"],
        ["policy: {required: [environment], forbidden: [environment.conda]}"],
        ["policy: {required: [workers.threads], forbidden: [workers.thr, workers.memory]}"],
        ["account: optional", "policy: {forbidden: [account]}"],
    ],
)
def test_what_a_default_sets_nobody_has_to(told: Told, lines: list[str]) -> None:
    assert not [each for each in told(*lines) if "no profile could" in each]


def test_what_is_ruled_out_needs_the_layouts_that_are_not(told: Told) -> None:
    (said,) = told("ruled_out: {mpi: no MPI here}")
    assert said.startswith("6: ruled_out: mpi is among the layouts, for all are")
    assert said.endswith("| add layouts: [single-job, job-array]")
    (said,) = told("ruled_out: {mpi: no MPI here, job-array: no arrays}")
    assert said.startswith("6: ruled_out: mpi and job-array are among") and said.endswith("add layouts: [single-job]")
    assert told("layouts: [single-job]", "ruled_out: {mpi: no MPI here}") == []


def test_a_layout_that_is_none_is_told_once(told: Told) -> None:
    (said,) = told("ruled_out: {mpy: no MPI here}")
    assert "did you mean mpi?" in said


def test_what_one_file_allows_and_rules_out_is_told(told: Told) -> None:
    (said,) = told("layouts: [single-job, mpi]", "ruled_out: {mpi: no MPI here}")
    assert said == "7: ruled_out: mpi is among the layouts | write layouts: [single-job]"


@pytest.mark.parametrize(
    ("child", "cause"),
    [
        ("layouts: [mpi]\n", None),
        ("ruled_out: {single-job: no more}\n", "child.yaml:3: ruled_out: single-job is among the layouts"),
        ("layouts: null\n", "parent.yaml:5: ruled_out: mpi is among the layouts, for all are"),
        ("queues: {old: {}}\n", None),
        ("retired_queues: {q: gone}\n", "child.yaml:3: retired_queues.q: it is among the queues, too"),
        ("retired_queues: {q: gone}\nqueues: {q: null, r: {}}\n", None),
    ],
)
def test_a_child_may_overrule_its_parent_and_not_itself(
    context: Context, tmp_path: Path, child: str, cause: str | None
) -> None:
    lines = {"layouts": "[single-job]", "ruled_out": "{mpi: no MPI}", "retired_queues": "{old: gone}"}
    parent = site_file(tmp_path / "home/.config/hpc-launch/sites", "parent", **lines)
    file = parent.with_name("child.yaml")
    file.write_text(f"name: child\nextends: parent\n{child}")
    if cause is None:
        assert sites.read(file, context).site.name == "child"
        return
    with pytest.raises(InvalidConfiguration) as refusal:
        sites.read(file, context)
    (only,) = refusal.value.problems
    assert cause in str(only)


WITHOUT_EFFECT = [
    (["rejects: [mem]"], "6: rejects[0]: 'mem' is no option of a directive", "--mem, -q, -l select"),
    (["rejects: [-q, '--mem=4']"], "6: rejects[1]: '--mem=4' is no option", "write --mem"),
    (["rejects: ['--mem 4']"], "6: rejects[0]: '--mem 4' is no option", "write --mem"),
    (["rejects: ['-l mem=4']"], "6: rejects[0]: '-l mem=4' is no option", "write -l mem"),
    (["rejects: [5]"], "6: rejects[0]: '5' is no option", "--mem"),
    (["rejects: ['-']"], "6: rejects[0]: '-' is no option", "--mem"),
    (
        ["rejects: [--foo]", "directives: [--exclusive, --foo=1]"],
        "7: directives[1]: --foo is among rejects",
        "keep one",
    ),
    (["rejects: [-l mem]", "directives: ['-l mem=4']"], "7: directives[0]: -l mem is among rejects, too", "keep one"),
    (["rejects: [-x]", "directives: ['-l a=4 -x b']"], "7: directives[0]: -x is among rejects, too", "keep one"),
    (["retired_queues: {short: gone}"], "6: retired_queues.short: it is among the queues, too", "delete the one"),
]


@pytest.mark.parametrize(("lines", "words", "hint"), WITHOUT_EFFECT)
def test_a_line_that_could_never_act_is_told(told: Told, lines: list[str], words: str, hint: str) -> None:
    (only,) = told(*lines)
    assert only.startswith(words) and hint in only.partition(" | ")[2], only


def test_what_acts_is_not_told(told: Told) -> None:
    assert told("rejects: [--mem, -q, -l mem, --gpus-per-task, -cwd]", "directives: [--foo=--mem]") == []
    assert told("rejects: [--mem]", "directives: [--mem-bind=local]", "retired_queues: {old: gone}") == []


QUEUES = [
    ("max_jobs: 5, max_submitted: 4", "3: queues.q.max_submitted: 4 is less than max_jobs, 5"),
    ("directives: [--foo]", "3: queues.q.directives[0]: --foo is among rejects, too"),
    ("max_jobs: 5, max_submitted: 5", None),
    ("max_jobs: 5", None),
]


@pytest.mark.parametrize(("keys", "words"), QUEUES)
def test_of_queues(keys: str, words: str | None) -> None:
    text = f"batch_system: slurm\nqueues:\n  q: {{{keys}}}\nrejects: [--foo]\n"
    found = [
        f"{each.origin and each.origin.line}: {each.message}" for each in rules.problems(parse_document(text, "x"))
    ]
    assert len(found) == bool(words) and all(each.startswith(str(words)) for each in found), found


def test_no_queue_is_called_as_the_first_that_fits() -> None:
    (only,) = rules.problems(parse_document("queues:\n  auto: {cores: 4}\n", "x"))
    assert only.origin and only.origin.line == 2 and "means the first queue that fits" in only.message


@pytest.mark.parametrize(("system", "needed"), [("slurm", True), ("pbs", True), ("local", False), ("slrum", False)])
def test_a_batch_system_that_has_queues_has_one_at_least(system: str, needed: bool) -> None:
    found = rules.problems(parse_document(f"batch_system: {system}\nqueues: {{}}\n", "x"))
    told = [each for each in found if "has at least one queue" in each.message]
    assert [each.origin and each.origin.line for each in told] == [2] * needed


TODAY = datetime.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("reviewed: 2026-12-22\n", "2: reviewed: 2026-12-22 is in the future"),
        ("reviewed: 2026-11-23\n", None),  # it is, somewhere
        ("reviewed: 2026-11-22\n", None),
        ("reviewed: soon\n", None),
        ("queues: {q: {nodes: 3, max_nodes: 4}}\n", "2: queues.q.max_nodes: 4 is more than the queue has nodes, 3"),
        ("queues: {q: {nodes: 4, max_nodes: 4}, r: {max_nodes: 3}, s: null}\n", None),
        (
            "launchers: {node: ssh}\n",
            "2: storage.local: $TMPDIR is not set in what ssh starts, unless environment.setup sets it",
        ),
        (
            "launchers: {node: {name: ssh}}\nstorage: {local: '/scratch/$USER/${PBS_JOBID}'}\n",
            "3: storage.local: /scratch/$USER/${PBS_JOBID}: $PBS_JOBID is not set in what ssh starts,"
            " unless environment.setup sets it",
        ),
        ("launchers: {node: ssh}\nstorage: {local: /scratch/$USER}\n", None),
        ("launchers: {node: pbsdsh}\n", None),
        (
            "queues: {q: {cores: 8}}\nparallel_environments: {nodes: {name: mpi-4, slots: 4}}\n",
            "3: parallel_environments.nodes.slots: 4 slots on a host leave half of its 8 cores unused, or more",
        ),
        ("queues: {q: {cores: 8}}\nparallel_environments: {nodes: {name: mpi-5, slots: 5}}\n", None),
        (
            "batch_system: pbs\nrejects: [-l select]\n",
            "3: rejects[0]: without -l select, jobs ask for no cores and no memory",
        ),
        ("batch_system: pbs\nrejects: [-l select]\nrequest: nodes\n", None),
        (
            "batch_system: slurm\nrejects: [--patition]\n",
            "3: rejects[0]: slurm has no --patition, as far as is known here",
        ),
        ("batch_system: pbs\nrejects: [-l slect]\n", "3: rejects[0]: pbs has no -l slect, as far as is known here"),
        (
            "batch_system: sge\nrejects: [-hold_jd]\nparallel_environments: {node: smp}\n",
            "3: rejects[0]: sge has no -hold_jd, as far as is known here",
        ),
        ("batch_system: lsf\nrejects: [-gpus]\n", "3: rejects[0]: lsf has no -gpus, as far as is known here"),
        ("batch_system: slurm\nrejects: [--nodelist, --comment, --gres-flags, --cpus-per-gpu]\n", None),
        ("batch_system: sge\nrejects: [-A, -p, -c]\nparallel_environments: {node: smp}\n", None),
        ("batch_system: slurm\nrejects: [-p]\n", "3: rejects[0]: scripts say --partition, and would go on to do so"),
    ],
)
def test_what_is_only_doubtful_disables_nothing(lines: str, words: str | None) -> None:
    document = parse_document(f"name: x\n{lines}", "x")
    found = [f"{each.origin and each.origin.line}: {each.message}" for each in rules.doubts(document, TODAY)]
    assert found == ([words] if words else [])


def test_site_check_tells_it_as_a_note(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("name: x\nreviewed: 2999-01-01\nbatch_system: local\nqueues: {}\n")
    command = [sys.executable, "-m", "hpc_launch", "site", "check", "x.yaml"]
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    texts = []
    for words in ([], ["--json"]):
        done = subprocess.run(
            [*command, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        texts.append(done.stdout)
    assert texts[0].startswith("note: x.yaml:2: reviewed: 2999-01-01 is in the future\n")
    (told,) = json.loads(texts[1])["doubtful"]
    assert (told["file"], told["line"]) == ("x.yaml", 2)
    assert told["message"] == "reviewed: 2999-01-01 is in the future" and told["hint"]
