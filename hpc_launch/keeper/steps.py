"""The steps of what the keeper does to the world. At each of them it may be killed; a test does so."""

from __future__ import annotations

import os
import signal

STEPS = (
    "leased",
    "decided",
    "recorded",
    "submitted",
    "answered",
    "unwanted",
    "called off",
    "ended",
    "retired",
    "told",
)
"""In this order: the lease is taken; it is known what is to be done; a submission is written down, made, and its id
written down; that elements are not wanted is written down, they are called off; ones without workers are ended; the
list of those that retire is written, and how the groups stand."""


def reached(step: str) -> None:
    """This step was taken. `HPC_LAUNCH_KILLED_AT` names the one at which a test wants this process to die."""
    assert step in STEPS
    if os.environ.get("HPC_LAUNCH_KILLED_AT") == step:
        os.kill(os.getpid(), signal.SIGKILL)
