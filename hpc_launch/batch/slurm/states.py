"""Slurm's words for the states of jobs and for why they wait (squeue(1), JOB STATE and JOB REASON CODES)."""

from __future__ import annotations

import re

from hpc_launch.batch.report import JobStatus

STATES: dict[str, JobStatus] = {
    word: status
    for status, words in {
        # configuring: the nodes are being booted; requeued: back in the queue under the same id
        JobStatus.QUEUED: "PENDING PD CONFIGURING CF REQUEUED RQ REQUEUE_FED RF POWER_UP_NODE EXPEDITING",
        JobStatus.HELD: "REQUEUE_HOLD RH RESV_DEL_HOLD RD SPECIAL_EXIT SE",
        JobStatus.RUNNING: "RUNNING R RESIZING RS SIGNALING SI",
        JobStatus.SUSPENDED: "SUSPENDED S STOPPED ST",
        JobStatus.ENDING: "COMPLETING CG STAGE_OUT SO UPDATE_DB",
        JobStatus.COMPLETED: "COMPLETED CD",
        JobStatus.FAILED: "FAILED F",
        JobStatus.CANCELLED: "CANCELLED CA",
        JobStatus.TIMEOUT: "TIMEOUT TO DEADLINE DL",
        JobStatus.OUT_OF_MEMORY: "OUT_OF_MEMORY OOM",
        JobStatus.NODE_FAILURE: "NODE_FAIL NF BOOT_FAIL BF LAUNCH_FAILED RECONFIG_FAIL",
        JobStatus.PREEMPTED: "PREEMPTED PR",
    }.items()
    for word in words.split()
}

HELD_REASONS = {"JobHeldUser", "JobHeldAdmin", "launch_failed_requeued_held", "job_requeued_in_held_state"}

SILENT_REASONS = {"", "None", "(null)", "WaitingForScheduling", "NoReason"}
"""Slurm has not thought about the job yet."""

WHY_BY_STATE = {
    word: "it is suspended, and goes on when the batch system lets it" for word in ("SUSPENDED", "S", "STOPPED", "ST")
} | {word: "its nodes are being started" for word in ("CONFIGURING", "CF", "POWER_UP_NODE")}

ACCOUNTS = "sacctmgr show associations user=$USER format=account%30,partition%20,qos%50"
"""Lists the accounts of a user, with the QOS and the partitions that each may use."""

REASONS: dict[str, str] = {
    "Priority": "other jobs come first",
    "Resources": "it is next, and waits for nodes to become free",
    "Dependency": "it waits for another job",
    "DependencyNeverSatisfied": "it waits for a job that failed, and so will never start: cancel it",
    "BeginTime": "its earliest start has not come yet, or it was put back into the queue a moment ago",
    "JobHeldUser": "you hold it back: `scontrol release` lets it go",
    "JobHeldAdmin": "an administrator holds it back: ask the site's support",
    "launch_failed_requeued_held": "its nodes could not start it: held back until `scontrol release`",
    "job_requeued_in_held_state": "it was put back into the queue, and is held back",
    "Reservation": "its reservation has not begun",
    "ReservationDeleted": "its reservation was deleted, and so it will never start: cancel it",
    "Licenses": "it waits for a software licence",
    "Cleaning": "Slurm still tidies up after its previous attempt",
    "Prolog": "the site's preparation of its nodes still runs",
    "ReqNodeNotAvail": "nodes that it needs are down, drained or reserved (for maintenance, perhaps)",
    "NodeDown": "a node that it needs is down",
    "BadConstraints": "no node can ever satisfy its constraints: cancel it",
    "PartitionDown": "its queue (partition) is closed just now",
    "PartitionInactive": "its queue (partition) starts no jobs just now",
    "PartitionTimeLimit": "its walltime is more than the queue (partition) allows: it may never start",
    "PartitionNodeLimit": "it asks for more nodes than the queue (partition) gives, or they are down",
    "PartitionConfig": "the queue (partition) cannot give what it asks for",
    "AccountNotAllowed": f"its account may not use this queue (partition); `{ACCOUNTS}` lists yours",
    "QOSNotAllowed": f"its QOS may not be used in this queue (partition); `{ACCOUNTS}` lists yours",
    "InvalidAccount": f"its account is not valid: cancel it; `{ACCOUNTS}` lists yours",
    "InvalidQOS": f"its QOS is not valid: cancel it; `{ACCOUNTS}` lists yours",
    "QOSJobLimit": "its QOS has as many jobs as it may have at once: it waits for its turn",
    "QOSResourceLimit": "its QOS has all that it may have at once: it waits for its turn",
    "QOSTimeLimit": "its QOS has reached its limit of time",
    "QOSUsageThreshold": "its QOS has used up its share",
    "AssociationJobLimit": "its account has as many jobs as it may have at once: it waits for its turn",
    "AssociationResourceLimit": "its account has all that it may have at once: it waits for its turn",
    "AssociationTimeLimit": "its account has reached its limit of time",
    "JobArrayTaskLimit": "its array runs as many elements at once as it may",
    "MaxMemPerLimit": "it asks for more memory than a job may have",
}

_LIMIT = re.compile(r"(QOS|Assoc|)(Max|Min|Grp)(\w+?)(?:Limit)?")
_WHOSE = {"QOS": "its QOS", "Assoc": "its account", "": "the site"}
_OF_ONE_JOB = re.compile("PerJob|PerNode|WallDuration")
_SPENT = re.compile("(?<!Run)Minutes|Wall")
"""Of a group: minutes that are used up; those of jobs that run now (RunMinutes) come back when these end."""


def sentence(reason: str) -> str:
    """Why a job waits, for people; what is not known here is given as it is.

    Args:
        reason: a reason code, which may be followed by details (`ReqNodeNotAvail, UnavailableNodes:c2`).
    """
    if reason in SILENT_REASONS:
        return ""
    code, _, details = (part.strip() for part in reason.partition(","))
    if code.startswith("Nodes required for job are DOWN"):
        return "nodes that it needs are down, drained or reserved for others"
    if code in REASONS:
        return f"{REASONS[code]} ({code}{': ' if details else ''}{details})"
    if limit := _LIMIT.fullmatch(code):
        return f"{_of_limit(*limit.groups())} ({code})"
    return reason


def _of_limit(of: str, kind: str, what: str) -> str:
    """What it means that a limit is reached; sacctmgr(1), and Resource Limits of Slurm's documentation."""
    whose = _WHOSE[of]
    if kind == "Min":
        return f"it asks for less than {whose} wants of a job, and so will never start: cancel it"
    if kind == "Grp" and _SPENT.search(what):
        return f"{whose} has used up the time that it was given: it waits until there is more of it"
    if kind == "Grp":
        return f"{whose} has all that it may have at once: it waits for its turn"
    if _OF_ONE_JOB.search(what):
        return f"it asks for more than {whose} allows for one job, and so will never start: cancel it"
    return f"you have all that {whose} lets you have at once: it waits for its turn"
