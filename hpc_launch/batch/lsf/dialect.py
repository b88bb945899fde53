"""LSF's words: the manual page of bsub."""

from __future__ import annotations

from hpc_launch.batch.dialect import MPIEXEC, Dialect, Launcher

DIALECT = Dialect(
    submit_directory="$LS_SUBCWD",  # where that is missing, the job starts in /tmp
    job_id="${LSB_JOBID-}",
    job_name="${LSB_JOBNAME-}",  # of an array `NAME[3]` or `NAME[1-4]`
    node_launchers=(Launcher("blaunch", needs_hosts=True), Launcher("jsrun")),
    mpi_launchers=(MPIEXEC,),
    submit_variables=("LSB_",),
    memory_directives=("per-node", "per-slot", "omit"),  # per-slot: RESOURCE_RESERVE_PER_TASK (lsb.params(5))
    memory_units=("KB", "MB", "GB", "TB"),  # of bare numbers, the site's LSF_UNIT_FOR_LIMITS (lsf.conf(5))
    optional=("-rn", "units"),  # neither is known to OpenLava; units behind the number of rusage[mem=…]: LSF 10.1
    unused=("qos",),
    whole_options=True,
    between_queues=" ",
    said={
        "workers.count": ("-n",),
        "walltime": ("-W",),
        "queue": ("-q",),
        "account": ("-P",),
        "reservation": ("-U",),
        "begin": ("-b",),
        "mail.to": ("-u",),
        "mail.on": ("-B", "-N"),
        "requeue of the site profile": ("-r",),
        "": ("-R", "-o"),
    },
    instead={"constraint": ("-R",), "name": ("-J",), "workload.directory": ("-cwd",)},
    reserved=("-oo", "-eo", "-e", "-wa", "-wt", "-Is", "-Ip", "-I", "-w", "-K", "-H", "-L"),
    mail_on={"begin": ("-B",), "end": ("-N",)},
    gpu_options=("-gpu",),
    constraint_pattern=r"[^\[\]]+",  # it stands in select[…], and must not end it
    constraint_within=r"select\[([^\[\]]+)\]",
    constraint_words="a select expression without [ and ]",
    array_index="LSB_JOBINDEX",
    first_index=1,
    gives_hosts=True,
    stdin=True,
    tells_all_processes=True,
)
