"""Batch systems by name, and what is the same for all of them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.batch import BUILT_IN, get
from hpc_launch.batch.base import ALONE_AT_MOST
from hpc_launch.batch.client import IDS_PER_CALL, batches
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.report import JobReport, JobStatus, Told, elements_of, report_of, summary
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


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_job_waits_for_the_start_of_another_and_never_for_its_end(name: str) -> None:
    system = get(name)
    plain, after = (system.submit_command("job.sh", "x", after=job) for job in (None, "36"))
    assert [word for word in after if word in plain] == plain  # the condition is all that is added
    said = " ".join(word for word in after if word not in plain)
    assert said == {
        "slurm": "--dependency=after:36",
        "pbs": "-W depend=after:36",
        "lsf": "-w started(36)",
        "sge": "-h",
        "local": "",
    }.get(name)  # afterok of PBS goes by the array's last element; -hold_jid of Grid Engine by the end


@pytest.mark.parametrize("name", BUILT_IN)
def test_submit_runs_the_command_of_a_submission(name: str, program: Program, tmp_path: Path) -> None:
    (tmp_path / "job.sh").touch()
    says = {"pbs": "36.server", "lsf": "Job <36> is submitted to queue <q>.", "slurm": "36", "sge": "36.1-3:1"}
    shell = program("their-sub", f"echo '{says.get(name)}'; printf '%s\\n' \"$@\" >asked")
    system = get(name, {"submit": [str(shell)]})
    array = None if name == "local" else 3  # there each element is started by a command of its own
    job = system.submit(tmp_path, "job.sh", "pi x", array, "35")
    assert re.fullmatch(r".+:\d+:(\d+|ended)@.+" if name == "local" else r"36(\.server)?", job)
    for _ in range(200):  # a local job is not waited for
        if (tmp_path / "asked").exists() and (tmp_path / "asked").read_text():
            break
        time.sleep(0.02)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [str(shell), *asked] == system.submit_command("job.sh", "pi x", array, "35")


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
        "from hpc_launch.batch.slurm.commands import Slurm\nclass Theirs(Slurm):\n    name = 'theirs'\n",
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


THEIRS = """
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.dialect import HERE, MPIEXEC, Dialect
from hpc_launch.batch.report import JobReport, JobStatus, Told
class Theirs(BatchSystem):
    name = 'theirs'
    dialect = Dialect(
        submit_directory='$PWD', job_id='$$', job_name='$1',
        memory_directives=('omit',), node_launchers=(HERE,), mpi_launchers=(MPIEXEC,)
    )
    programs = {'submit': ('their-sub',), 'status': ('their-stat',), 'cancel': ('their-del',)}
    def submit_command(self, file, job_name, array=None, after=None, log=None):
        return [*self.commands['submit'], job_name, file]
    def job_id(self, text):
        return text.strip() or None
    def queued(self, ids):
        return self.told(self.ask('status', *ids), self.read)
    def read(self, line):
        job, _, state = line.partition(' ')
        return (job, JobReport({'R': JobStatus.RUNNING, 'C': JobStatus.COMPLETED}.get(state, JobStatus.UNKNOWN), state))
    def find(self, job_name, since):
        return []
"""


def test_what_a_batch_system_from_outside_does_not_say_is_as_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Program
) -> None:
    install_plug_in(tmp_path, THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "their_queue", raising=False)
    theirs = get("theirs")
    program("their-sub", "echo 5")
    assert theirs.submit(tmp_path, "job.sh", "x", 3, "4") == "5"
    program("their-stat", "printf '%s\\n' '5[1] R' '5[2] C' '6 BEWITCHED'")
    told = theirs.states(["5", "5[2]", "6", "7"], {"5": 3})
    assert told["5"] == JobReport(JobStatus.RUNNING, "R", elements={"running": 1, "completed": 1, "gone": 1})
    assert [str(told[job].status) for job in ("5[2]", "6", "7")] == ["completed", "unknown", "unknown"]
    assert "left out 7" in told["7"].raw  # it never says itself that it does not know a job: then none is gone
    program("their-del", "echo 'no such thing' >&2; exit 1")
    with pytest.raises(NoAnswer, match="no such thing"):  # it has said nothing of its words for a refusal
        theirs.cancel(["5"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Theirs = 7\n", "no subclass of BatchSystem"),
        ("class Theirs: pass\n", "no subclass of BatchSystem"),
        (THEIRS.replace("def find", "def search").replace("def job_id", "def read_id"), "it lacks find, job_id"),
        (THEIRS.replace("    name = 'theirs'\n", ""), "it lacks name"),
        (THEIRS.replace("dialect =", "words ="), "it lacks dialect"),
        (THEIRS.replace("programs =", "commands_of ="), "it lacks programs"),
    ],
)
def test_half_a_batch_system_from_outside_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    install_plug_in(tmp_path, text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "their_queue", raising=False)
    with pytest.raises(InvalidConfiguration, match=rf"their_queue:Theirs.*{words}"):
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
    program("squeue", f"echo $* >>{tmp_path}/calls")
    program("sacct", "exit 1")
    states = get("slurm").states([str(job) for job in range(1, 121)])
    assert {report.status for report in states.values()} == {JobStatus.UNKNOWN} and len(states) == 120
    calls = re.findall(r"--jobs=(\S+)", (tmp_path / "calls").read_text())
    assert ["," in ids for ids in calls] == [True] * 3 + [
        False
    ] * ALONE_AT_MOST  # and not alone for each that is left out


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
        assert sum(report.elements.values()) == len(elements)
        assert all(report.elements[status.value] == elements.count(status) for status in elements)


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
        ("20[4]", "20[5]", False),  # an element's neighbour says nothing of it
        ("20[4]", "20[41]", False),
        ("20[4].server", "20[5].server", False),
        ("20.4", "20.41", False),
    ],
)
def test_elements_belong_to_their_own_array_alone(job: str, other: str, belongs: bool) -> None:
    assert bool(elements_of(job, {other: JobReport(JobStatus.RUNNING)})) is belongs


ends = st.sampled_from([JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.GONE, JobStatus.RUNNING])


@given(st.lists(ends, max_size=6), st.integers(1, 8), st.sampled_from(["", "the queue did not answer"]))
def test_an_array_is_good_only_if_all_its_elements_are(elements: list[JobStatus], size: int, doubt: str) -> None:
    told = Told({f"20_{index}": JobReport(status) for index, status in enumerate(elements)}, doubt)
    report = report_of("20", told, size)
    assert (report.status is JobStatus.COMPLETED) is (set(elements) == {JobStatus.COMPLETED} and len(elements) >= size)
    assert sum(report.elements.values()) == max(len(elements), size)
    if JobStatus.RUNNING in elements:
        assert report.status is JobStatus.RUNNING


def test_without_its_size_a_doubt_is_enough() -> None:
    known = {"20_1": JobReport(JobStatus.COMPLETED, exit_code=0)}
    assert report_of("20", Told(known, "one line was garbage"), None).status is JobStatus.UNKNOWN
    assert report_of("20_1", Told(known, "one line was garbage"), None) == known["20_1"]
    assert report_of("20", Told(known), None).status is JobStatus.COMPLETED
