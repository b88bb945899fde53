"""What can go wrong when a batch system is asked: it said no, or nothing that can be relied on came back."""

from __future__ import annotations

from hpc_launch.errors import BatchSystemError


class Refused(BatchSystemError):
    """The batch system said no, in its own words. Nothing was done."""


class NoAnswer(BatchSystemError):
    """No answer, or none that can be understood. What was asked for may have been done all the same."""


class NotStarted(NoAnswer):
    """The command could not even be started. Nothing was done."""
