"""The truth table: how a run stands, from what the job told, what the batch system says and what we did."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import get_args

import pytest

from hpc_launch.batch.report import JobReport, JobStatus
from hpc_launch.models.record import Ending, Outcome, Record
from hpc_launch.runs.evidence import OUTCOMES, Evidence, Progress, Verdict
from hpc_launch.runs.outcome import Standing, decide, needs_asking
from tests.runs.jobs import NOW, record, said

TOLD = (None, *OUTCOMES)
CODES = {"succeeded": 0, "failed": 7}


def evidence(told: str | None, ended: bool, attempt: int | None = 1, workload: bool = True) -> Evidence:
    """Of a job that got so far."""
    return Evidence(
        attempt=attempt,
        started=1.0,
        workload=2.0 if workload else None,
        ending=3.0 if told else None,
        ended=4.0 if ended else None,
        told=Verdict(told, CODES.get(told, 1), "as the job says") if told else None,
    )


def stands(told: str | None, status: str, ended: bool = False, cancel: bool = False) -> Standing:
    """How a submitted run stands."""
    report = JobReport(JobStatus(status), raw=status.upper(), exit_code=1 if status == "failed" else None)
    asked = record(cancel_requested=NOW if cancel else None)
    return decide(evidence(told, ended), said(report), asked, NOW + timedelta(hours=1))


# What the job told (`-`: nothing; `+`: and that all is gone), what the batch system says, how it stands.
TABLE = """
-               running         running
-               ending          ending
-               suspended       suspended
-               queued          queued
-               held            queued
-               unknown         unknown
-               timeout         timeout
-               out-of-memory   out-of-memory
-               node-failure    node-failure
-               preempted       preempted
-               cancelled       cancelled
-               completed       lost
-               failed          lost
-               gone            lost

succeeded       running         ending
succeeded       ending          ending
succeeded       queued          queued
succeeded       unknown         unknown
succeeded       completed       succeeded
succeeded       failed          succeeded
succeeded       timeout         succeeded
succeeded       cancelled       succeeded
succeeded       gone            succeeded

succeeded+      running         succeeded
succeeded+      unknown         succeeded
succeeded+      cancelled       succeeded
succeeded+      gone            succeeded

failed          running         ending
failed          unknown         unknown
failed          failed          failed
failed          gone            failed
failed+         unknown         failed
failed+         running         failed

timeout         running         ending
timeout         timeout         timeout
timeout         gone            timeout
timeout+        cancelled       timeout
out-of-memory+  failed          out-of-memory
launch-failed   failed          launch-failed
launch-failed+  gone            launch-failed

cancelled       running         ending
cancelled       queued          queued
cancelled       unknown         unknown
cancelled       cancelled       cancelled
cancelled       preempted       preempted
cancelled       timeout         timeout
cancelled       node-failure    node-failure
cancelled       out-of-memory   out-of-memory
cancelled       failed          cancelled
cancelled       completed       cancelled
cancelled       gone            cancelled
cancelled+      running         ending
cancelled+      queued          queued
cancelled+      preempted       preempted
cancelled+      timeout         timeout
cancelled+      unknown         cancelled
cancelled+      gone            cancelled
"""

AFTER_OUR_CANCEL = """
-               running         running
-               queued          queued
-               unknown         unknown
-               cancelled       cancelled
-               failed          cancelled
-               gone            cancelled
-               timeout         timeout
-               completed       lost
succeeded       cancelled       succeeded
succeeded+      unknown         succeeded
failed+         cancelled       failed
cancelled       running         ending
cancelled       timeout         cancelled
cancelled       cancelled       cancelled
cancelled+      unknown         cancelled
cancelled+      running         cancelled
cancelled+      timeout         cancelled
"""


def rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(line.split()) for line in table.splitlines() if line]


@pytest.mark.parametrize(("told", "status", "expected"), rows(TABLE))
def test_a_run_stands_as_the_table_says(told: str, status: str, expected: str) -> None:
    found = stands(None if told == "-" else told.rstrip("+"), status, ended=told.endswith("+"))
    assert found.state == expected
    assert found.over is (expected in get_args(Outcome))


@pytest.mark.parametrize(("told", "status", "expected"), rows(AFTER_OUR_CANCEL))
def test_after_our_cancel_it_stands_as_this_table_says(told: str, status: str, expected: str) -> None:
    word = None if told == "-" else told.rstrip("+")
    assert stands(word, status, ended=told.endswith("+"), cancel=True).state == expected


@pytest.mark.parametrize("status", [*map(str, JobStatus)])
def test_rules_that_hold_whatever_happens(status: str) -> None:
    for told, ended, cancel in product(TOLD, (False, True), (False, True)):
        follows_the_rules(stands(told, status, ended, cancel), told, status, ended)


def follows_the_rules(found: Standing, told: str | None, status: str, ended: bool) -> None:
    # nobody but the job says that a workload succeeded or failed, and nothing takes a word of it back
    assert (found.outcome in CODES) <= (found.outcome == told)
    if told and told != "cancelled" and found.over:
        assert found.outcome == told
    # the workload's own code, otherwise 1, and none before the end
    assert found.exit_code == (CODES.get(found.outcome, 1) if found.outcome else None)
    # a state is an outcome's word exactly if the run is over
    assert found.over is (found.state in get_args(Outcome)) and (found.outcome in (None, found.state))
    # without an answer nothing is concluded from it
    if status == "unknown":
        assert found.state == (told if told and ended else "unknown")
    # what may still change is not kept
    if found.outcome == "lost":
        assert not found.settled
    if told is None and found.over:
        assert found.reason, "an end that the job has not told needs a reason"


def test_a_run_that_told_its_end_needs_no_batch_system() -> None:
    told = evidence("failed", ended=True)
    assert not needs_asking(told, record())
    assert decide(told, {}, record(), NOW).state == "failed"
    assert needs_asking(evidence("failed", ended=False), record())
    assert needs_asking(evidence("cancelled", ended=True), record()), "it may have been put back into the queue"
    assert not needs_asking(evidence("cancelled", ended=True), record(cancel_requested=NOW))


def test_before_the_workload_the_run_is_starting_and_says_what_it_waits_for() -> None:
    report = said(JobReport(JobStatus.RUNNING))
    begun = Evidence(attempt=1, started=1.0, progress=Progress(workers=3))
    assert decide(Evidence(), report, record(), NOW).state == "starting"
    found = decide(begun, report, record(), NOW)
    assert found.state == "starting" and "3 of 4 workers" in found.why
    unfit = Evidence(attempt=1, started=1.0, unfit={"node2": "no network interface ib0"})
    assert decide(unfit, report, record(), NOW).why == "node2 cannot be used: no network interface ib0"


def test_a_queued_run_says_why() -> None:
    report = said(JobReport(JobStatus.QUEUED, raw="PENDING", why="other jobs come first"))
    assert decide(Evidence(), report, record(), NOW).why == "other jobs come first"


def test_a_lost_run_says_what_the_batch_system_said_last() -> None:
    report = said(JobReport(JobStatus.FAILED, raw="FAILED", exit_code=53))
    found = decide(Evidence(), report, record(), NOW)
    assert found.outcome == "lost" and "slurm says FAILED, exit code 53" in found.reason


@pytest.mark.parametrize(("code", "said_so"), [(66, "storage.runs"), (128 + 53, "storage.runs"), (73, "no space left")])
def test_a_job_that_could_tell_nothing_is_known_by_its_exit_code(code: int, said_so: str) -> None:
    report = said(JobReport(JobStatus.FAILED, raw="FAILED", exit_code=code))
    found = decide(Evidence(), report, record(), NOW)
    assert found.outcome == "launch-failed" and said_so in found.reason and not found.settled
    began = decide(evidence(None, ended=False), report, record(), NOW)  # it may be the workload's own
    assert began.outcome == "lost" and f"exit code {code}" in began.reason


def test_a_job_that_told_nothing_names_what_is_there_and_keeps_the_code() -> None:
    report = said(JobReport(JobStatus.FAILED, raw="FAILED", exit_code=7))
    assert "logs/" not in decide(evidence(None, ended=False), report, record(), NOW).reason
    seen = Evidence(attempt=1, log="logs/job.log")
    assert decide(seen, report, record(), NOW).reason.endswith("; see logs/job.log")
    full = decide(Evidence(attempt=1, full=True), report, record(), NOW)
    assert full.reason == "slurm says FAILED, exit code 7, but no space is left in the run directory"
    unseen = decide(Evidence(), said(JobReport(JobStatus.GONE)), record(), NOW)
    assert "is storage.runs shared by all nodes?" in unseen.reason


def latched(attempt: int | None, outcome: Outcome = "timeout") -> Record:
    end = Ending(outcome=outcome, exit_code=1, source="slurm", decided=NOW, attempt=attempt, reason="then")
    return record(outcome=end)


def test_what_is_certain_stands_after_everyone_has_forgotten_it() -> None:
    for seen in (Evidence(), evidence("succeeded", ended=True)):
        assert decide(seen, {}, latched(1), NOW).outcome == "timeout"
        assert not needs_asking(seen, latched(1))


def test_a_reason_of_several_lines_that_an_earlier_version_wrote_is_told_on_one() -> None:
    end = latched(1).outcome
    assert end
    several = record(outcome=replace(end, reason="slurm refused it. It said:\nsbatch: error: no\n    Try again."))
    standing = decide(Evidence(), {}, several, NOW)
    assert standing.reason == "slurm refused it. It said: sbatch: error: no Try again."


def test_an_attempt_that_began_after_the_end_opens_the_run_again() -> None:
    again = Evidence(attempt=2, started=5.0, workload=6.0)
    assert decide(again, said(JobReport(JobStatus.RUNNING)), latched(1), NOW).state == "running"
    told = Evidence(attempt=2, ended=8.0, told=Verdict("succeeded", 0))
    assert decide(told, {}, latched(1), NOW).outcome == "succeeded"
    assert decide(told, {}, latched(None, "lost"), NOW).outcome == "succeeded"


@pytest.mark.parametrize(
    ("minutes", "cancel", "expected"), [(1, 0, "submitting"), (3, 0, "launch-failed"), (1, 1, "cancelled")]
)
def test_a_job_that_was_never_confirmed(minutes: int, cancel: int, expected: str) -> None:
    unconfirmed = record(job_id=None, cancel_requested=NOW if cancel else None)
    found = decide(Evidence(), said(JobReport(JobStatus.GONE)), unconfirmed, NOW + timedelta(minutes=minutes))
    assert found.state == expected
    assert not (found.over and found.settled), "it may still turn up"
    asleep = said(JobReport(JobStatus.UNKNOWN, raw="timed out"))
    assert decide(Evidence(), asleep, unconfirmed, NOW + timedelta(minutes=minutes)).state == "unknown"


def test_a_job_that_was_never_confirmed_but_ran_is_told_by_its_state_files() -> None:
    gone = said(JobReport(JobStatus.GONE))
    later = NOW + timedelta(hours=1)
    assert decide(evidence("failed", ended=False), gone, record(job_id=None), later).outcome == "failed"
    assert decide(evidence(None, ended=False), gone, record(job_id=None), later).outcome == "lost"


def test_a_job_that_vanished_before_it_began_is_not_lost() -> None:
    """Deleted while queued, where nobody keeps a history; or rejected behind a queue that passes jobs on."""
    gone = said(JobReport(JobStatus.GONE))
    standing = decide(Evidence(), gone, record(), NOW + timedelta(hours=1))
    assert standing.outcome == "launch-failed" and not standing.settled
    assert "rejected by the queue that it was passed on to" in standing.reason


def test_a_node_that_failed_is_named() -> None:
    report = JobReport(JobStatus.NODE_FAILURE, raw="NODE_FAIL", nodes="c2")
    standing = decide(evidence(None, False), said(report), record(), NOW + timedelta(hours=1))
    assert standing.reason == "slurm says NODE_FAIL of c2"
