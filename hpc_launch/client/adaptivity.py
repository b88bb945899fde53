"""What `adapt` gives: the bounds that were asked for. The run's keeper does the rest."""

from __future__ import annotations

from typing import Any

from hpc_launch.runs.scale import Target


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
