"""What one user may have at once, as the accounting of Slurm tells it: sacctmgr(1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hpc_launch.batch.account import account
from hpc_launch.batch.asking import text_or_nothing
from hpc_launch.batch.client import Client
from hpc_launch.batch.machine import count
from hpc_launch.batch.sizes import BINARY, MIB

ASSOCIATIONS = ("sacctmgr", "-nP", "show", "associations", "format=MaxJobs,MaxSubmitJobs,GrpTRES")
QOS = ("sacctmgr", "-nP", "show", "qos", "format=Name,MaxJobsPerUser,MaxTRESPerUser")


def of_user(system: Client) -> Mapping[str, int]:
    """`submitted` and running `jobs`, `cores`, `memory` (bytes) of the user who asks.

    Of several accounts the limits are those of the widest; one that an account does not have is none.
    """
    rows = _rows(text_or_nothing(system, *ASSOCIATIONS, "where", f"user={account().name}"), 3)
    told = [{"jobs": count(jobs), "submitted": count(submitted), **_tres(tres)} for jobs, submitted, tres in rows]
    widest: dict[str, int] = {}
    for key in ("submitted", "jobs", "cores", "memory"):
        values = [each.get(key) for each in told]
        known = [value for value in values if value]
        if known and len(known) == len(values):
            widest[key] = max(known)
    return widest


def of_qos(system: Client) -> Mapping[str, Mapping[str, int]]:
    """Each quality of service, with the `cores` and `jobs` of one user where it limits them."""
    found = {}
    for name, jobs, tres in _rows(text_or_nothing(system, *QOS), 3):
        limits = {"cores": _tres(tres).get("cores"), "jobs": count(jobs)}
        found[name] = {key: limit for key, limit in limits.items() if limit}
    return found


def _rows(text: str, columns: int) -> list[list[str]]:
    return [row for line in text.splitlines() if len(row := line.split("|")) == columns]


def _tres(text: str) -> dict[str, int | None]:
    """`cpu=400,mem=1512G,gres/gpu=2`: cores, and memory in bytes (a bare number is MB)."""
    cores = re.search(r"(?:^|,)cpu=(\d{1,12})(?:,|$)", text)
    memory = re.search(r"(?:^|,)mem=(\d{1,12})([KMGTP]?)(?:,|$)", text)
    bytes_ = int(memory[1]) * BINARY[memory[2] or "M"] // MIB * MIB if memory else None
    return {"cores": int(cores[1]) if cores else None, "memory": bytes_}
