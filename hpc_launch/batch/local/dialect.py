"""No batch system: there is nobody to ask for anything."""

from __future__ import annotations

from hpc_launch.batch.dialect import HERE, MPIEXEC, Dialect

DIALECT = Dialect(
    submit_directory="$PWD",
    job_id="$$",
    job_name="$1",  # the script's own argument
    node_launchers=(HERE,),
    mpi_launchers=(MPIEXEC,),
    memory_directives=("per-node", "omit"),
    has_queues=False,
)
