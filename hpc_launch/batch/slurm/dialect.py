"""Slurm's words: the manual page of sbatch."""

from __future__ import annotations

from hpc_launch.batch.dialect import Dialect, Launcher

SRUN = (Launcher("srun", variables=("SLURM_", "SRUN_")),)

TRES = ("--tres-per-node", "--tres-per-task", "--tres-per-job", "--tres-per-socket")

DIALECT = Dialect(
    submit_directory="$SLURM_SUBMIT_DIR",
    job_id="${SLURM_JOB_ID-}",
    job_name="${SLURM_JOB_NAME-}",
    node_launchers=SRUN,
    mpi_launchers=SRUN,
    submit_variables=("SBATCH_",),
    memory_directives=("per-node", "per-cpu", "per-gpu", "omit"),
    between_queues=",",
    said={
        "workers.count": ("--nodes", "-N"),
        "workers.cores": ("--cpus-per-task", "-c"),
        "workers.memory": ("--mem",),
        "walltime": ("--time", "-t"),
        "queue": ("--partition", "-p"),
        "account": ("--account", "-A"),
        "qos": ("--qos", "-q"),
        "constraint": ("--constraint", "-C"),
        "reservation": ("--reservation",),
        "begin": ("--begin", "-b"),
        "mail.to": ("--mail-user",),
        "mail.on": ("--mail-type",),
        "requeue of the site profile": ("--requeue", "--no-requeue"),
        "": ("--ntasks-per-node", "--output", "-o", "--open-mode"),
    },
    instead={
        "workers.count": ("--ntasks", "-n"),
        "workers.memory": ("--mem-per-cpu", "--mem-per-gpu"),
        "walltime": ("--time-min",),
        "name": ("--job-name", "-J"),
        "workload.directory": ("--chdir", "-D"),
        "environment.variables": ("--export",),
    },
    reserved=(
        *("--error", "-e", "--signal", "--array", "-a", "--dependency", "-d", "--parsable", "--wrap", "--wait", "-W"),
        *("--clusters", "-M", "--test-only", "--ntasks-per-core", "--ntasks-per-socket"),
    ),
    mail_on={"begin": ("BEGIN", "ALL"), "end": ("END", "ALL"), "fail": ("FAIL", "ALL")},
    gpu_options=("--gpus", "-G", "--gres", *(f"--gpus-per-{what}" for what in ("node", "task", "socket")), *TRES),
    joined=("--gres",),  # sbatch(1) takes the last one, and says nothing
    array_index="SLURM_ARRAY_TASK_ID",  # an index must stay below MaxArraySize, so each array counts from 0
)
