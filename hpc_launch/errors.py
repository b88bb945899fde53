"""Every fault that is told to the user, one class and one exit code for each kind."""

from __future__ import annotations

from hpc_launch.batch.faults import BatchSystemError, HpcLaunchError, InvalidConfiguration, Problem

__all__ = [
    "BatchSystemError",
    "DoesNotFit",
    "HpcLaunchError",
    "InvalidConfiguration",
    "NotYet",
    "Problem",
    "UsageError",
]


class UsageError(HpcLaunchError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class NotYet(HpcLaunchError):
    """What is asked for is still to come: trying again later helps."""

    exit_code = 5


class DoesNotFit(HpcLaunchError):
    """The request is larger than the site allows, or the site takes none."""

    exit_code = 4
