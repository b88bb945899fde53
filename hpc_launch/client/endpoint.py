"""Where a run's scheduler listens, and what lets one in."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hpc_launch.errors import HpcLaunchError, Problem, UsageError
from hpc_launch.runs import describe
from hpc_launch.runs.choice import find_unfinished
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.ownership import refuse_unless_private
from hpc_launch.runs.services import Page

if TYPE_CHECKING:
    from distributed.security import Security

    from hpc_launch.context import Context
    from hpc_launch.runs.settle import View

PROBE_FOR = 3.0
"""Seconds: Dask's own attempts take half a minute, and tell nothing of why."""
INSIDE = "HPC_LAUNCH_RUN_DIR"
"""Set in each process of a run."""


class Unreachable(HpcLaunchError):
    """From this host there is no way to the scheduler."""

    exit_code = 2


@dataclass(frozen=True)
class Endpoint:
    """A scheduler that runs."""

    directory: Path
    """Of its run."""
    address: str
    """`tls://10.0.0.7:41234`"""
    node: str
    """The host that it runs on, as it calls itself."""
    dashboard: Page | None
    """None: nothing was told of one. One that is not there says why."""

    @property
    def host_and_port(self) -> tuple[str, int]:
        host, _, port = self.address.rpartition("://")[2].rpartition(":")
        return host.strip("[]"), int(port)


def security_of(directory: Path) -> Security:
    """What Dask is to speak with the scheduler of the run in this directory."""
    from distributed.security import Security

    if read_record(directory).plan.security != "tls":
        return Security(require_encryption=False)
    certificate, key = str(directory / "tls" / "ca.pem"), str(directory / "tls" / "key.pem")
    return Security(require_encryption=True, tls_ca_file=certificate, tls_client_cert=certificate, tls_client_key=key)


def endpoint(view: View) -> Endpoint | None:
    """Of a run that was looked at; None: its scheduler has not told its address yet.

    Raises:
        UsageError: the run is over, or has none.
    """
    record, progress = view.record, view.evidence.progress
    if not record.plan.has_workers:
        hint = f"`hpc-launch status {record.id}` shows how it stands, `hpc-launch logs {record.id}` what it prints."
        raise UsageError(Problem(f"{record.id} has no Dask scheduler (`workers: none`)", hint=hint))
    if view.standing.over:
        hint = "`hpc-launch list` shows those that go on."
        raise UsageError(Problem(f"{record.id} is over: {view.standing.outcome}", hint=hint))
    if progress is None or progress.address is None or view.standing.state == "queued":
        return None
    dashboard = describe.pages(view).get("dashboard")
    return Endpoint(view.directory, progress.address, view.evidence.host or "", dashboard)


def run_directory(context: Context, run: str | os.PathLike[str] | None = None) -> Path:
    """Of the run that is meant: left out, the one that this process is part of, otherwise the latest.

    Raises:
        UsageError: there is none, or it is not the caller's alone.
    """
    inside = context.environment.get(INSIDE)
    if run is None and inside:
        refuse_unless_private(Path(inside))
        return Path(inside)
    return find_unfinished(context, None if run is None else os.fspath(run))


def refuse_unless_reachable(found: Endpoint) -> None:
    """Raise Unreachable where nothing answers at the scheduler's address, with the ways that remain."""
    try:
        socket.create_connection(found.host_and_port, PROBE_FOR).close()
    except OSError as fault:
        host, port = found.host_and_port
        cause = f"this host ({socket.gethostname()}) cannot reach the scheduler at {host}:{port}: {_why(fault)}"
        raise Unreachable(Problem(cause, hint=_ways(found))) from None


def _why(fault: OSError) -> str:
    if isinstance(fault, socket.gaierror):
        return "nobody knows that name"
    return "no answer (a firewall?)" if isinstance(fault, TimeoutError) else fault.strerror or str(fault)


def _ways(found: Endpoint) -> str:
    name = found.directory.name
    return f"connect({name!r}, tunnel=True) goes through ssh to {found.node}.\n`hpc-launch connect {name}` tells how."
