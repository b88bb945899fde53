"""How our modules log inside the programs of Dask."""

from __future__ import annotations

import logging

log = logging.getLogger("distributed.hpc_launch")  # Dask shows what its own loggers say
