"""Batch systems by name, and what is the same for all of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.batch import BUILT_IN, get
from hpc_launch.batch.base import IDS_PER_CALL, batches
from hpc_launch.batch.report import JobReport, JobStatus, reports_of, summary
from hpc_launch.errors import InvalidConfiguration
from tests.batch.recording import Program


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_batch_system_knows_its_name_and_tells_its_submit_command(name: str) -> None:
    system = get(name)
    assert system.name == name
    command = system.submit_command("job.sh", "{run}")
    assert any("{run}" in word for word in command)  # as it is: a dry run shows it
    own = get(name, {"submit": ["site wrapper", "--flag"]}).submit_command("job.sh", "{run}")
    assert own[:2] == ["site wrapper", "--flag"]
    assert own[2:] == command[len(system.commands["submit"]) :]


def test_an_unknown_batch_system_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidConfiguration, match="slrum") as caught:
        get("slrum")
    assert "Did you mean slurm?" in str(caught.value)
    assert all(name in str(caught.value) for name in BUILT_IN)


def test_a_command_for_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(InvalidConfiguration, match="sumbit") as caught:
        get("slurm", {"sumbit": ["sbatch"]})
    assert "submit" in str(caught.value)


def install_plug_in(directory: Path, text: str) -> None:
    (directory / "their_queue.py").write_text(text)
    info = directory / "their_queue-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-queue\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hpc_launch.batch_systems]\ntheirs = their_queue:Theirs\n")


def test_a_batch_system_from_outside_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plug_in(
        tmp_path,
        "from hpc_launch.batch.slurm import Slurm\nclass Theirs(Slurm):\n    name = 'theirs'\n",
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert get("theirs", {"submit": ["their-sub"]}).submit_command("job.sh", "x")[0] == "their-sub"
    with pytest.raises(InvalidConfiguration, match="theirs"):
        get("thiers")


def test_a_broken_batch_system_from_outside_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plug_in(tmp_path, "raise RuntimeError('half installed')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "their_queue", raising=False)
    with pytest.raises(InvalidConfiguration, match=r"their_queue:Theirs.*half installed"):
        get("theirs")


def test_the_built_in_ones_load_nothing_that_is_slow() -> None:
    code = (
        "import sys; from hpc_launch.batch import get; [get(n) for n in sys.argv[1:]];"
        "print(*sorted({'subprocess', 'importlib.metadata', 'asyncio', 'tempfile', 'shlex', 'dask',"
        " 'distributed', 'pydantic', 'typer', 'hpc_launch.plan', 'hpc_launch.cli'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code, *BUILT_IN], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


@given(st.lists(st.integers(1, 300).map(str), max_size=200))
def test_ids_are_asked_for_once_each_and_not_too_many_at_a_time(ids: list[str]) -> None:
    asked = list(batches(ids))
    assert [job for some in asked for job in some] == list(dict.fromkeys(ids))
    assert all(0 < len(some) <= IDS_PER_CALL for some in asked)


def test_many_jobs_take_few_calls(tmp_path: Path, program: Program) -> None:
    program("squeue", f"echo called >>{tmp_path}/calls")
    program("sacct", "exit 0")
    states = get("slurm").states([str(job) for job in range(1, 121)])
    assert len(states) == 120
    assert (tmp_path / "calls").read_text() == "called\n" * 3


@pytest.mark.parametrize(
    ("elements", "together"),
    [
        ([JobStatus.COMPLETED, JobStatus.RUNNING, JobStatus.FAILED], JobStatus.RUNNING),
        ([JobStatus.COMPLETED, JobStatus.QUEUED], JobStatus.QUEUED),
        ([JobStatus.COMPLETED, JobStatus.UNKNOWN], JobStatus.UNKNOWN),
        ([JobStatus.COMPLETED, JobStatus.GONE], JobStatus.GONE),
        ([JobStatus.COMPLETED, JobStatus.FAILED], JobStatus.FAILED),
        ([JobStatus.COMPLETED, JobStatus.COMPLETED], JobStatus.COMPLETED),
    ],
)
def test_an_array_is_over_when_all_its_elements_are(elements: Sequence[JobStatus], together: JobStatus) -> None:
    for order in (elements, elements[::-1]):
        report = summary([JobReport(status) for status in order])
        assert report is not None and report.status is together


@pytest.mark.parametrize(
    ("job", "other", "belongs"),
    [
        ("20", "20_1", True),
        ("20[].server", "20[3].server", True),
        ("20", "20[3]", True),
        ("20", "20.4", True),
        ("20", "201", False),
        ("20", "201_1", False),
        ("20", "120_1", False),
        ("20.server", "20.server2", False),
        ("20_1", "20_11", False),
    ],
)
def test_elements_belong_to_their_own_array_alone(job: str, other: str, belongs: bool) -> None:
    assert bool(reports_of(job, {other: JobReport(JobStatus.RUNNING)})) is belongs
