"""The words of PBS Pro and OpenPBS: the manual pages of qsub and pbs_resources."""

from __future__ import annotations

from hpc_launch.batch.dialect import MPIEXEC, Dialect, Launcher

RESOURCE = (
    r"(?!(?i:ncpus|mem|mpiprocs|ompthreads|place|select|nodes|walltime)=)[A-Za-z][A-Za-z0-9_-]*=[A-Za-z0-9_.@%-]+"
)

DIALECT = Dialect(
    submit_directory="$PBS_O_WORKDIR",  # the job starts in the home directory
    job_id="${PBS_JOBID-}",
    job_name="${PBS_JOBNAME-}",
    node_launchers=(Launcher("pbsdsh"),),
    mpi_launchers=(MPIEXEC,),
    submit_variables=("PBS_",),
    memory_directives=("per-node", "omit"),
    requests=("chunks", "totals", "nodes"),  # -l select, -l ncpus and mem, -l nodes=N:ppn=C
    unused=("qos",),
    said={  # of -l only these
        "workers.count": ("-l select",),
        "walltime": ("-l walltime",),
        "queue": ("-q",),
        "account": ("-A",),
        "begin": ("-a",),
        "mail.to": ("-M",),
        "mail.on": ("-m",),
        **{"constraint": (), "reservation": ()},  # in -l select, as -q
        "requeue of the site profile": ("-r",),
        "": ("-l place", "-j", "-o", "-k"),
    },
    instead={
        "workers.count": ("-l nodes",),
        "workers.cores": ("-l ncpus",),
        "workers.memory": ("-l mem",),
        "name": ("-N",),
        "environment.variables": ("-V", "-v"),
    },
    reserved=("-e", "-J", "-I", "-C", "-S", "-z", "-W depend", "-W block", "-W sandbox"),
    mail_on={"begin": ("b",), "end": ("e",), "fail": ("a",)},
    gpu_options=("-l ngpus", "-l gpus", "-l naccelerators"),
    # It stands among the resources of the chunk: `+` would begin another chunk, a comma another resource of the job.
    constraint_pattern=f"{RESOURCE}(?::{RESOURCE})*",
    constraint_words="NAME=VALUE, or several joined by `:` (cpu_type=milan:bigmem=True);"
    " not ncpus, mem, mpiprocs or ompthreads: the workers decide those;"
    " nor place, select, nodes or walltime: these are of the whole job",
    array_index="PBS_ARRAY_INDEX",
    gives_hosts=True,
    tells_all_processes=True,
)
