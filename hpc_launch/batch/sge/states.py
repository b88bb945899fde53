"""Grid Engine's letters for the states of jobs, and why they wait (manual pages sge_status and qstat)."""

from __future__ import annotations

import re

from hpc_launch.batch.report import JobStatus

LETTERS = set("dEhrRqstSTwz")

WHY = {
    "E": "Grid Engine could not start it, and tries no more until `qmod -cj` clears its error state",
    "s": "it is suspended, and goes on when somebody lets it",
    "S": "its queue is suspended, and it goes on when that is over",
    "T": "it is suspended while its host is too busy",
    "h": "it is held back, by you (`qrls` lets it go), by an administrator, or until another job has ended",
}


def status_of(letters: str) -> tuple[JobStatus, str]:
    """The status that these letters (`hqw`, `Eqw`, `dr` …) mean, and why the job does not go on."""
    known = set(letters)
    if not letters or known - LETTERS:
        return JobStatus.UNKNOWN, ""
    why = next((sentence for letter, sentence in WHY.items() if letter in known), "")
    if "d" in known:
        return JobStatus.ENDING, ""
    if "E" in known:
        return JobStatus.HELD, why
    if known & set("rtsST"):  # t: on its way to its host; suspended jobs keep their place and go on later
        return JobStatus.RUNNING, why if known & set("sST") else ""
    if "h" in known:
        return JobStatus.HELD, why
    return (JobStatus.QUEUED, "") if known & set("qw") else (JobStatus.UNKNOWN, "")


ENDS = {"0": JobStatus.COMPLETED, "37": JobStatus.TIMEOUT}
"""What `failed` of the accounting means (manual page sge_status); 37: the walltime. All else is a failure."""

RAN = {"0", "17", "30", "100"}
"""After these the exit status is the job's own."""

_UNSEEN = re.compile("can't (?:chdir to|open output file)")
_NOTHING = re.compile("no messages available|turned off")
_OVERLINE = re.compile(r"^=+$", re.M)


def causes(text: str) -> dict[str, str]:
    """Why jobs could not be started or wait, in what `qstat -j` printed: id → the error, or the last obstacle.

    The obstacles before it are of single queues on single hosts, a line for each.
    """
    told = {}
    for block in _OVERLINE.split(text):
        job = re.search(r"^job_number:\s+(\d+)$", block, re.M)
        error = re.search(r"^error reason\s.*?:\s+(?:\S+ \S+ \[\S+\]: )?(.+)$", block, re.M)
        obstacles = re.search(r"^scheduling info:((?:\s+.+\n?)+)", block, re.M)
        cause = said[1].splitlines()[-1].strip() if (said := error or obstacles) else ""
        if job and cause and not _NOTHING.search(cause):
            told[job[1]] = f"{cause}: is storage.runs shared by all nodes?" if _UNSEEN.search(cause) else cause
    return told
