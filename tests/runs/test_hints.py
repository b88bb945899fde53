"""What is told of a run's end, by what was printed and counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.models.record import Record
from hpc_launch.runs.evidence import Progress
from hpc_launch.runs.hints import hint
from hpc_launch.runs.last_lines import LINES, LONGEST, last_lines
from hpc_launch.runs.outcome import Standing
from hpc_launch.runs.parts import Part
from tests.runs.jobs import record

NANNY = (
    "distributed.nanny.memory - WARNING - Worker tls://10.0.0.1:1 (pid=7) exceeded 95% memory budget. Restarting...\n"
)
KILLED = "distributed.nanny - INFO - Worker process 7 was killed by signal 9\n"
TERMINATED = "distributed.nanny - INFO - Worker process 7 was killed by signal 15\n"
KILLED_WORKER = "distributed.scheduler.KilledWorker: Attempted to run task 'eat' on 4 different workers\n"
IDLE = Progress(last=True, clients=0, tasks_given=0)
DIED = Progress(last=True, clients=1, tasks_given=9, workers_died=3)
FAILED = Standing("failed", "failed", 1, source="job")
SUCCEEDED = Standing("succeeded", "succeeded", 0, source="job")
OUT_OF_MEMORY = Standing("out-of-memory", "out-of-memory", 1, source="slurm")


@pytest.mark.parametrize(("standing", "progress", "workers", "workload", "words"), [
    (SUCCEEDED, IDLE, "", "", "never connected"),
    (SUCCEEDED, replace(IDLE, clients=None), "", "", "no task ran on its workers"),
    (SUCCEEDED, replace(IDLE, tasks_given=1), "", "", ""),
    (SUCCEEDED, replace(IDLE, tasks_given=None), "", "", ""),
    (SUCCEEDED, replace(IDLE, last=False), "", "", ""),
    (SUCCEEDED, None, "", "", ""),
    (FAILED, IDLE, "", "ValueError: broken\n", ""),
    (FAILED, DIED, NANNY + TERMINATED, KILLED_WORKER, "Dask started them again (3 died): raise workers.memory"),
    (FAILED, DIED, KILLED, KILLED_WORKER, "workers were killed (3 died)"),
    (FAILED, DIED, TERMINATED, KILLED_WORKER, "--of workers"),
    (FAILED, DIED, TERMINATED, "", ""),
    (FAILED, Progress(), NANNY, KILLED_WORKER, "Dask started them again: raise workers.memory"),
    (FAILED, Progress(), NANNY, "", ""),
    (SUCCEEDED, DIED, NANNY, "", "raise workers.memory"),
    (OUT_OF_MEMORY, Progress(), "", "", "workers.memory, or workload.memory or scheduler.memory"),
    (replace(OUT_OF_MEMORY, source="job"), Progress(), "", "", ""),
    (Standing("lost", "lost", 1), DIED, NANNY, "", ""),
])  # fmt: skip
def test_one_sentence_tells_what_to_do(
    tmp_path: Path, standing: Standing, progress: Progress | None, workers: str, workload: str, words: str
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "workers-n1.log").write_text(workers)
    (tmp_path / "logs" / "workload.log").write_text(workload)
    found = hint(tmp_path, record(), standing, progress)
    assert words in found and bool(words) == bool(found), found


def test_without_workers_it_is_the_workload_s_memory(tmp_path: Path) -> None:
    without = replace(record(), jobs=tuple(replace(job, group=None) for job in record().jobs))
    assert hint(tmp_path, without, OUT_OF_MEMORY, None).endswith("raise workload.memory")
    assert hint(tmp_path, without, SUCCEEDED, None) == ""
    assert "or workload.memory" in hint(tmp_path, record(), OUT_OF_MEMORY, None)


def test_who_was_killed_for_another_job_is_told_what_remains(tmp_path: Path) -> None:
    assert "set another `queue`" in hint(tmp_path, record(), Standing("preempted", "preempted", 1), None)


def test_a_run_without_workers_may_have_had_some_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "workload.log").write_text(KILLED_WORKER)
    alone = replace(record(), jobs=tuple(replace(job, group=None) for job in record().jobs))
    assert hint(tmp_path, alone, FAILED, None).endswith("raise workload.memory")
    assert hint(tmp_path, alone, SUCCEEDED, None) == ""
    assert hint(tmp_path, record(), FAILED, None) == ""


def test_a_standing_cluster_has_nobody_who_should_have_computed(tmp_path: Path) -> None:
    stands: Record = replace(record(), plan=replace(record().plan, stands=True))
    assert hint(tmp_path, stands, SUCCEEDED, IDLE) == ""


def test_last_lines_do_nothing_to_a_terminal_and_are_few(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "workload.log"
    log.write_bytes(b"early\n" * 10_000 + b"\x1b[2J\x07done\xff\n\n 10%\r 20%\r\n" + b"x" * 999)
    lines = last_lines(tmp_path, Part.workload)
    assert lines[-4:] == [" [2J done\N{REPLACEMENT CHARACTER}", " 10%", " 20%", "x" * LONGEST + "…"]
    assert len(lines) == LINES and lines[0] == "early"


@pytest.mark.parametrize("log", [b"", b"\n\n", None])
def test_who_printed_nothing_has_no_last_lines(tmp_path: Path, log: bytes | None) -> None:
    (tmp_path / "logs").mkdir()
    if log is not None:
        (tmp_path / "logs" / "workload.log").write_bytes(log)
    assert last_lines(tmp_path, Part.workload) == []
