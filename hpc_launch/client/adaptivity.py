"""What `adapt` gives: the bounds that were asked for. The run's keeper does the rest."""

from __future__ import annotations

from typing import Any

from hpc_launch.runs.directory import CONTROL
from hpc_launch.runs.scale import WISH, Target
from hpc_launch.runs.submissions import read_document


class Adaptivity:
    """Read by Dask's widget and by dask-labextension in place of their own `Adaptive`."""

    periodic_callback = True
    """Whoever looks for one wants to know whether it is on."""

    def __init__(self, cluster: Any, target: Target) -> None:
        self.cluster = cluster
        self.minimum, self.maximum = target.minimum, target.maximum

    def stop(self) -> None:
        """Keep the workers that are there now."""
        if self.periodic_callback:
            self.periodic_callback = False
            self.cluster.scale(len(self.cluster.scheduler_info["workers"]))

    def __repr__(self) -> str:
        return f"Adaptivity(minimum={self.minimum}, maximum={self.maximum})"


def wished(cluster: Any) -> Adaptivity | None:
    """What somebody has asked for already of the run that a cluster object takes up."""
    groups = (read_document(cluster.directory / CONTROL / WISH) or {}).get("groups", {})
    bounds = [each for each in groups.values() if "minimum" in each]
    return Adaptivity(cluster, Target(minimum=bounds[0]["minimum"], maximum=bounds[0]["maximum"])) if bounds else None
