"""LSF's words for the states of jobs, for how they ended and for why they wait (bjobs(1); Termination reasons)."""

from __future__ import annotations

import re

from hpc_launch.batch.report import JobStatus, in_words

STATES: dict[str, JobStatus] = {
    "PEND": JobStatus.QUEUED,
    "PROV": JobStatus.QUEUED,  # its hosts are being started
    "WAIT": JobStatus.QUEUED,  # member of a chunk of jobs
    "RUN": JobStatus.RUNNING,
    "PSUSP": JobStatus.SUSPENDED,  # by the user before it ran
    "USUSP": JobStatus.SUSPENDED,  # by the user
    "SSUSP": JobStatus.SUSPENDED,  # by the batch system
    "DONE": JobStatus.COMPLETED,
    "POST_DONE": JobStatus.COMPLETED,
    "EXIT": JobStatus.FAILED,
    "POST_ERR": JobStatus.FAILED,
}
"""UNKWN and ZOMBI are not among them: the job's host cannot be reached, and so nobody knows."""

WHY_BY_STATE = {
    "PSUSP": "you hold it back: `bresume` lets it go",
    "USUSP": "it is suspended, and goes on when `bresume` lets it",
    "SSUSP": "it is suspended, and goes on when the batch system lets it",
}

CAUSES: dict[str, JobStatus] = {
    word: status
    for status, words in {
        JobStatus.TIMEOUT: "TERM_RUNLIMIT TERM_DEADLINE TERM_WINDOW TERM_CPULIMIT",
        JobStatus.OUT_OF_MEMORY: "TERM_MEMLIMIT TERM_SWAP",
        JobStatus.CANCELLED: "TERM_OWNER TERM_FORCE_OWNER TERM_ADMIN TERM_FORCE_ADMIN TERM_BUCKET_KILL",
        JobStatus.PREEMPTED: "TERM_PREEMPT TERM_LOAD",
        JobStatus.NODE_FAILURE: "TERM_ZOMBI TERM_RMS TERM_CSM_ALLOC",
    }.items()
    for word in words.split()
}
"""Beginnings of bjobs' exit_reason."""

_SILENT = re.compile("new job is waiting|waiting for scheduling", re.I)
_REASONS = (
    ("never satisfied", "it waits for a job that ended otherwise, and so will never start: cancel it"),
    ("dependency condition", "it waits for another job"),
    ("start time", "its earliest start has not come yet"),
    (
        "spanning requirement|resource requirements? not satisfied|requirements? for (?:resource|reserving)",
        "no host has what it asks for just now; if that is more than any host has, it will never start",
    ),
    ("not enough|insufficient|slots? (?:limit )?not available|load", "it waits for hosts to become free"),
    ("limit", "a limit of its queue, its project or yours is reached: it waits for its turn"),
    ("reserv", "its hosts are reserved for other work"),
    ("closed|inactive|unavailable|unreachable", "its queue or its hosts are closed just now"),
)


def sentence(reason: str) -> str:
    """Why a job waits, for people; what is not known here is given as it is.

    Args:
        reason: bjobs' pend_reason, such as `Job dependency condition not satisfied;`.
    """
    reason = reason.strip().strip(";").strip()
    if not reason or _SILENT.search(reason):
        return ""
    return in_words(reason, _REASONS)
