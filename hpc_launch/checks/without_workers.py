"""`workers: none`: the run is a job that holds the workload alone. What cannot be so, and what then means nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hpc_launch.batch.dialect import Dialect
from hpc_launch.config.layers import dotted
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.errors import Problem
from hpc_launch.models.profile import Profile, Workload
from hpc_launch.resolve import Resolved

UNUSED: tuple[KeyPath, ...] = (("layout",), ("scheduler",), ("security",))
"""Keys of a Dask cluster."""


OF_WORKLOAD = {"workers.cores": "workload.cores", "workers.memory": "workload.memory"}
"""Key → the one that asks for the same in a run without workers."""


def problems(resolved: Resolved) -> Iterator[Problem]:
    """All of them, of a run without workers."""
    profile, workers = resolved.profile, resolved.origin("workers")
    if profile.layout == "mpi":
        cause = "layout: the ranks of mpi are workers, and with `workers: none` there are none"
        hint = "--set layout=single-job; a program that uses MPI starts its ranks itself, by workload.command"
        yield Problem(cause, resolved.origin("layout"), hint)
    if profile.stands:
        cause = "workers: `workload: none` asks for a standing cluster, which has workers"
        yield Problem(cause, workers, "give a workload; or workers, `--set workers.count=4` say")
    if isinstance(profile.workload, Workload) and profile.workload.cores == 0:
        cause = "workload.cores: with `workers: none` the workload's cores are all that is asked for, and it has none"
        hint = "say how many it uses: `cores: 4` under `workload:`, say, or --set workload.cores=4"
        yield Problem(cause, resolved.origin("workload", "cores"), hint)
    if profile.services.jupyter and (origin := _said_here(resolved, ("services", "jupyter"))):
        cause = "services.jupyter: JupyterLab runs beside a Dask scheduler, and with `workers: none` there is none"
        hint = "leave it out; or have it as the workload: `command: jupyter lab --no-browser`"
        yield Problem(cause, origin, hint)


def notes(resolved: Resolved) -> Iterator[str]:
    """What this profile says of a cluster that is not there; what lower layers say is for runs that have one."""
    if resolved.profile.has_workers:
        return
    for path in UNUSED if resolved.profile.layout != "single-job" else UNUSED[1:]:
        if origin := _said_here(resolved, path):
            yield f"{origin}: {dotted(path)} is not used: with `workers: none` there is no Dask cluster"


def words(dialect: Dialect, profile: Profile) -> tuple[Dialect, str]:
    """The batch system's, with the keys by which this profile says them; and the key by which it asks for memory."""
    if profile.has_workers:
        return dialect, "workers.memory"
    return replace(dialect, said=_of_workload(dialect.said), instead=_of_workload(dialect.instead)), "workload.memory"


def _of_workload(by_key: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, options in by_key.items():
        ours = OF_WORKLOAD.get(key, "") if key.startswith("workers.") else key
        found[ours] = (*found.get(ours, ()), *options)
    return found


def _said_here(resolved: Resolved, path: KeyPath) -> Origin | None:
    """Where the profile, or who calls, sets a key; None: at most a layer below does."""
    origin = resolved.document.origins.get(path)
    if origin is None or (origin.line is not None and origin.source != str(resolved.file)):
        return None
    return origin
