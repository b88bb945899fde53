"""Grid Engine's words: the manual pages of qsub, sge_pe and queue_conf."""

from __future__ import annotations

from hpc_launch.batch.dialect import MPIEXEC, Dialect, Launcher

DIALECT = Dialect(
    submit_directory="$PWD",  # -cwd: the job starts where it was submitted
    job_id="${JOB_ID-}",
    job_name="${JOB_NAME-}",
    node_launchers=(Launcher("qrsh", needs_hosts=True),),
    mpi_launchers=(MPIEXEC,),
    submit_variables=("SGE_",),
    memory_directives=("per-slot", "omit"),
    memory_resource=True,
    unused=("qos", "constraint"),
    whole_options=True,
    between_queues=",",
    said={  # of -l only this
        "workers.count": ("-pe",),
        "walltime": ("-l h_rt",),
        "queue": ("-q",),
        "account": ("-P",),
        "reservation": ("-ar",),
        "begin": ("-a",),
        "mail.to": ("-M",),
        "mail.on": ("-m",),
        "requeue of the site profile": ("-r",),
        "": ("-cwd", "-S", "-j", "-o", "-notify"),
    },
    instead={"workload.directory": ("-wd",), "name": ("-N",), "environment.variables": ("-V",)},
    reserved=("-e", "-terse", "-t", "-tc", "-hold_jid", "-hold_jid_ad", "-sync", "-b", "-C", "-@"),
    mail_on={"begin": ("b",), "end": ("e",), "fail": ("a",)},
    gpu_options=("-l gpu", "-l gpus", "-l ngpus"),
    parallel_environments=True,
    array_index="SGE_TASK_ID",
    first_index=1,
    holds_jobs=True,  # a job cannot wait for another one to start, only to end
    gives_hosts=True,
    exit_codes_taken=(99, 100),  # requeue, error
)
