"""Batch systems: the only rooms from which jobs are submitted, watched and cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hpc_launch.batch.faults import InvalidConfiguration, Problem

if TYPE_CHECKING:
    from hpc_launch.batch.base import BatchSystem
    from hpc_launch.batch.dialect import Dialect

BUILT_IN = {
    "slurm": "hpc_launch.batch.slurm.commands:Slurm",
    "pbs": "hpc_launch.batch.pbs.commands:Pbs",
    "lsf": "hpc_launch.batch.lsf.commands:Lsf",
    "local": "hpc_launch.batch.local.commands:Local",
    "sge": "hpc_launch.batch.sge.commands:GridEngine",
}
GROUP = "hpc_launch.batch_systems"
"""Entry points of this group are batch systems from outside: name → a subclass of `base.BatchSystem`."""


def get(name: str, commands: Mapping[str, Sequence[str]] | None = None, stdin: bool | None = None) -> BatchSystem:
    """The batch system of this name.

    Args:
        name: as in a site profile.
        commands: purpose (`submit`, `status`, `cancel` …) → the site's own words for it.
        stdin: whether the submit command reads the script from its input; None: as is usual.

    Raises:
        InvalidConfiguration: there is none of this name, or it has no command for one of these purposes.
    """
    import importlib

    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        system: type[BatchSystem] = getattr(importlib.import_module(module), attribute)
    else:
        system = _from_outside(name)
    return system(commands, stdin)


def dialect_of(name: str) -> Dialect:
    """What the batch system of this name can say, and how; raises as `get` does. Nothing else of ours is loaded."""
    import importlib

    if name not in BUILT_IN:
        return _from_outside(name).dialect
    return cast("Dialect", importlib.import_module(f"hpc_launch.batch.{name}.dialect").DIALECT)


def _from_outside(name: str) -> type[BatchSystem]:
    from importlib.metadata import entry_points

    others = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in others:
        from hpc_launch.batch.other_names import meant_by

        known = sorted({*BUILT_IN, *others})
        near = meant_by(name, known)
        meant = f" Did you mean {near}?" if near else ""
        raise InvalidConfiguration(
            Problem(f"batch_system: {name!r} is not known.{meant}", hint=f"There are: {', '.join(known)}.")
        )
    where = f"batch_system: {name!r} ({others[name].value})"
    try:
        system = others[name].load()
    except Exception as fault:
        hint = "this is a mistake in the plug-in, or in how it was installed"
        raise InvalidConfiguration(Problem(f"{where} does not load: {fault}", hint=hint)) from fault
    if lacks := _lacks(system):
        raise InvalidConfiguration(f"{where} is not a batch system: {lacks}; see hpc_launch.batch.base.BatchSystem")
    return cast("type[BatchSystem]", system)


def _lacks(system: object) -> str:
    """What keeps something from being a batch system; nothing if it is one."""
    from hpc_launch.batch.base import BatchSystem
    from hpc_launch.batch.dialect import Dialect

    if not (isinstance(system, type) and issubclass(system, BatchSystem)):
        return "no subclass of BatchSystem"
    missing = {*system.__abstractmethods__, *({"name", "programs", "dialect"} - set(dir(system)))}
    if missing:
        return f"it lacks {', '.join(sorted(missing))}"
    return "" if isinstance(system.dialect, Dialect) else "its dialect is no Dialect"
