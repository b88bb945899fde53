"""PBS's words for the states of jobs and for why they wait (qstat(1B), pbs_job_attributes(7B))."""

from __future__ import annotations

from hpc_launch.batch.report import JobStatus, in_words

STATES: dict[str, JobStatus] = {
    "B": JobStatus.RUNNING,  # an array of which at least one element has begun
    "E": JobStatus.ENDING,
    "H": JobStatus.HELD,
    "Q": JobStatus.QUEUED,
    "R": JobStatus.RUNNING,
    "S": JobStatus.SUSPENDED,  # by the batch system
    "U": JobStatus.SUSPENDED,  # since somebody uses the workstation
    "T": JobStatus.QUEUED,  # on its way to another server
    "W": JobStatus.QUEUED,  # for its earliest start
}
SUSPENDED = {
    "S": "it is suspended, and goes on when the batch system lets it",
    "U": "it is suspended while somebody uses its host, and goes on later",
}
OVER = ("F", "X")
"""Finished; an element of an array that is still there."""

OWN_CODES = {
    -20: JobStatus.NODE_FAILURE,  # JOB_EXEC_RERUN_MS_FAIL: its first host was lost
    -26: JobStatus.OUT_OF_MEMORY,
    -27: JobStatus.OUT_OF_MEMORY,
    -29: JobStatus.TIMEOUT,
}
"""Negative exit statuses are PBS's own (src/include/job.h); all others are failures."""

ARRAY_COUNTS: dict[str, JobStatus] = {
    "Queued": JobStatus.QUEUED,
    "Running": JobStatus.RUNNING,
    "Exiting": JobStatus.ENDING,
    "Expired": JobStatus.GONE,  # over; how it ended the count does not say
}
"""Kinds of elements in array_state_count."""

HOLDS = {
    "d": "it waits for another job",
    "u": "you hold it back: `qrls` lets it go",
    "o": "an operator holds it back: ask the site's support",
    "s": "the batch system or an administrator holds it back: ask the site's support",
    "p": "it is held back for a bad password or key: ask the site's support",
}
"""What begins Hold_Types, or d for a dependency."""

_REASONS = (
    ("insufficient amount of", "it waits for resources to become free"),
    ("not enough", "it waits for resources to become free"),
    ("conflict with reservation or top job", "other jobs come first"),
    ("would exceed", "you have all that you may have at once: it waits for its turn"),
    ("limit", "a limit of its queue or of yours is reached: it waits for its turn"),
    ("dedicated time", "the machine is about to be set aside for other work"),
    ("queue not started", "its queue starts no jobs just now"),
    ("host set to exclusive|exclusive node", "it waits for nodes to become free"),
)


def sentence(comment: str) -> str:
    """Why a job waits, for people; what is not known here is given as it is.

    Args:
        comment: as PBS writes it, such as `Not Running: Insufficient amount of resource: ncpus`.
    """
    kind, _, reason = (part.strip() for part in comment.partition(":"))
    if kind == "Can Never Run":
        return f"the machine can never give what it asks for: cancel it ({reason})"
    if kind != "Not Running":
        return comment
    return in_words(reason, _REASONS)
