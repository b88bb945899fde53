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
    "h": "it is held back, by you or by an administrator: `qrls` lets it go, where you may",
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
    if known & set("sST"):
        return JobStatus.SUSPENDED, why
    if known & set("rt"):  # t: on its way to its host
        return JobStatus.RUNNING, ""
    if "h" in known:
        return JobStatus.HELD, why
    return (JobStatus.QUEUED, "") if known & set("qw") else (JobStatus.UNKNOWN, "")


ENDS = {"0": JobStatus.COMPLETED, "37": JobStatus.TIMEOUT}
"""What `failed` of the accounting means (manual page sge_status); 37: the walltime. All else is a failure."""

RAN = {"0", "17", "30", "100"}
"""After these the exit status is the job's own."""

FULL = "it waits for slots to become free"
NEVER = "the machine can never give what it asks for: cancel it"
_SENTENCES = (
    ("all queues dropped because of overload or full|only offers|offers only|is full|overloaded", FULL),
    ("exceeds limit|user limitations|job limitations", "you have all that you may have at once: it waits for its turn"),
    ("advance reservation|reserved", "its hosts are reserved for other work"),
    ("no access to|access permissions|access list|not in .*access", "you may not use the queue or the environment"),
    ("disabled|suspended|not available", "its queue starts no jobs just now"),
    ("job is in (?:hold|error) state", ""),
)
"""Of the scheduler's messages what they mean; empty: the letters of the state say it, and better."""

_UNSEEN = re.compile("can't (?:chdir to|open output file)")
_NOTHING = re.compile("no messages available|turned off")
_OVERLINE = re.compile(r"^=+$", re.M)


def sentence(cause: str) -> str:
    """What Grid Engine's scheduler says of a job that waits, for people; what is not known here is given as it is."""
    for words, meaning in _SENTENCES:
        if re.search(words, cause, re.I):
            return f"{meaning} ({cause})" if meaning else ""
    return cause


def why(own: str, cause: str, *, error: bool, never: bool) -> str:
    """Why a job does not go on: what its state says, what `qstat -j` says, and whether it never can."""
    if never:
        return f"{NEVER} {cause[cause.index('(') :]}"
    return ": ".join(part for part in (own, cause) if part) if error else cause or own


def causes(text: str) -> dict[str, str]:
    """Why jobs could not be started or wait, in what `qstat -j` printed: id → the error, or the last obstacle.

    The obstacles before it are of single queues on single hosts, a line for each.
    """
    told = {}
    for block in _OVERLINE.split(text):
        job = re.search(r"^job_number:\s+(\d+)$", block, re.M)
        error = re.search(r"^error reason\s.*?:\s+(?:\S+ \S+ \[\S+\]: )?(.+)$", block, re.M)
        before = re.search(r"^jid_predecessor_list:\s+(\S+)$", block, re.M)
        obstacles = re.search(r"^scheduling info:((?:\s+.+\n?)+)", block, re.M)
        cause = said[1].splitlines()[-1].strip() if (said := error or before or obstacles) else ""
        if job and cause and not _NOTHING.search(cause):
            told[job[1]] = _cause(cause, bool(error), bool(before))
    return {job: cause for job, cause in told.items() if cause}


def ask_for_slots_alone(text: str) -> set[str]:
    """The jobs in what `qstat -j` printed that ask for slots and time, and for no other resource."""
    found = set()
    for block in _OVERLINE.split(text):
        job = re.search(r"^job_number:\s+(\d+)$", block, re.M)
        asked = re.search(r"^hard resource_list:\s+(\S+)$", block, re.M)
        if job and all(part.partition("=")[0] in ("h_rt", "s_rt") for part in (asked[1].split(",") if asked else ())):
            found.add(job[1])
    return found


def _cause(words: str, error: bool, before: bool) -> str:
    if error:
        return f"{words}: is storage.runs shared by all nodes?" if _UNSEEN.search(words) else words
    return f"it waits until job {words} has ended" if before else sentence(words)
