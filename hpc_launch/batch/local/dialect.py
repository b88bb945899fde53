"""No batch system: nobody is asked for anything, but for worker jobs to wait their turn."""

from __future__ import annotations

from hpc_launch.batch.dialect import HERE, MPIEXEC, Dialect

DIALECT = Dialect(
    submit_directory="$PWD",
    job_id="${HPC_LAUNCH_LOCAL_JOB:-$$}",
    job_name="$1",  # the script's own argument
    node_launchers=(HERE,),
    mpi_launchers=(MPIEXEC,),
    memory_directives=("per-node", "omit"),
    has_queues=False,
    array_index="HPC_LAUNCH_LOCAL_INDEX",
)
