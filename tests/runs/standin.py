"""A batch system's commands as one program, with a queue of their own, that can fail at any call of `submit`.

Run as `sbatch`, `qstat` …: the name tells which command it is, `kind` beside it which batch system. `calls` holds the
names of the jobs that were submitted, or tried to be; `plan` what is to happen at which call, `2 KILL before`:

- `KILL`, `TERM`, `HUP`, `INT`: this signal for the process that called, `before` the job is taken or `after`;
- `refuse`: the batch system says no; `silence`: it takes nothing, and says nothing that could be understood;
- `full`: the job is taken, and from then on no file of the process that called can grow, as on a full disk.

Jobs only ever wait. It imports as little as it can: every answer is a process.
"""

import os
import resource
import sys
import time

FREE = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
REFUSED = {
    "slurm": "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy",
    "pbs": "qsub: would exceed limit on jobs in queue workq",
    "sge": "Unable to run job: job rejected: you have too many jobs",
    "lsf": "User has reached the per-user job limit. Job not submitted.",
}


def read(name: str) -> list[str]:
    try:
        with open(os.path.join(HERE, name)) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def write(name: str, lines: list[str]) -> None:
    with open(os.path.join(HERE, name), "w") as file:
        file.writelines(f"{line}\n" for line in lines)


def value(*options: str) -> str | None:
    """What follows one of these options on the command line, or stands in it behind `=`."""
    for number, word in enumerate(sys.argv):
        if word in options:
            return sys.argv[number + 1]
        for option in options:
            if word.startswith(option + "="):
                return word[len(option) + 1 :]
    return None


def queue() -> dict[str, str]:
    """Id → name."""
    return {job: name for job, name in (line.split() for line in read("queue"))}


def submit(kind: str) -> None:
    name = value("--job-name", "-N", "-J") or ""
    calls = [*read("calls"), name]
    write("calls", calls)
    plan = {int(number): (what, when) for number, what, when in (line.split() for line in read("plan"))}
    what, when = plan.get(len(calls), ("", ""))
    if what == "refuse":
        sys.exit(REFUSED[kind])
    if what == "silence":
        sys.exit("communication failure, try again")
    if what in ("KILL", "TERM", "HUP", "INT") and when == "before":
        hurt(what)
    job = f"{len(calls) + 6}" + (".server" if kind == "pbs" else "")
    write("queue", [*read("queue"), f"{job} {name}"])
    if what == "full":
        resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (0, FREE))
    elif what:
        hurt(what)
    print(f"Job <{job}> is submitted to queue <normal>." if kind == "lsf" else job)


def hurt(what: str) -> None:
    import signal

    os.kill(os.getppid(), signal.Signals["SIG" + what])
    if what != "KILL":
        time.sleep(30)  # it is ended by the process that called
    sys.exit(1)


def cancel(ids: list[str]) -> None:
    write("cancelled", [*read("cancelled"), *(job for job in ids if job in queue())])
    write("queue", [f"{job} {name}" for job, name in queue().items() if job not in ids])
    for job in ids:
        told = {"sge": f"user has registered the job {job} for deletion", "lsf": f"Job <{job}> is being terminated"}
        if words := told.get(read("kind")[0]):
            print(words)


def ids_on_the_line() -> list[str]:
    words = [part for word in sys.argv[1:] for part in word.replace("=", ",").split(",")]
    return [word for word in dict.fromkeys(words) if word.partition(".")[0].isdecimal()]


def squeue() -> None:
    asked = ids_on_the_line() if value("--jobs") else None
    for job, name in queue().items():
        if asked is None and value("--name") in (name, None):
            print(job, name)
        elif job in (asked or []):
            print(f"{job:24}{'PENDING':16}{'0':12}{'':200}Priority")
    if asked and "," not in (value("--jobs") or "") and asked[0] not in queue():
        sys.exit("slurm_load_jobs error: Invalid job id specified")


def qstat_of_pbs() -> None:
    if "-x" in sys.argv:
        print("PBS is not configured to maintain job history")
        return
    known = {job: queue()[job] for job in ids_on_the_line() if job in queue()}
    jobs = ", ".join(f'"{job}": {{"job_state": "Q"}}' for job in known)
    if "json" in sys.argv:
        print(f'{{"pbs_version": "23", "Jobs": {{{jobs}}}}}' if jobs else '{"pbs_version": "23"}')
    else:
        for job, name in known.items():
            print(f"Job Id: {job}\n    Job_Name = {name}\n    job_state = Q\n")
    if unknown := [job for job in ids_on_the_line() if job not in queue()]:
        sys.exit("\n".join(f"qstat: Unknown Job Id {job}" for job in unknown))


def qselect() -> None:
    if "-x" in sys.argv:
        sys.exit("PBS is not configured to maintain job history")
    print("\n".join(job for job, name in queue().items() if value("-N") in (name, None)))


def qstat_of_grid_engine() -> None:
    if asked := value("-j"):
        found = [job for job, name in queue().items() if job in asked.split(",") or name == asked]
        print("\n".join(f"job_number:     {job}" for job in found))
        sys.exit(None if found else f"Following jobs do not exist: \n{asked.replace(',', ', ')}")
    rows = "".join(
        f"<job_list><JB_job_number>{job}</JB_job_number><JB_name>{name}</JB_name><state>qw</state></job_list>"
        for job, name in queue().items()
    )
    print(f'<?xml version="1.0"?><job_info><queue_info>{rows}</queue_info></job_info>')


def bjobs() -> None:
    wanted, found = value("-J"), False
    for job, name in queue().items():
        if wanted == name or (wanted is None and job in ids_on_the_line()):
            print(f"{job}|0|PEND|-|-|-|{name}|-")
            found = True
    if not found:
        sys.exit(f"Job <{wanted or ' '.join(ids_on_the_line())}> is not found")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FREE, FREE))  # see `full`
    (kind,), command = read("kind"), os.path.basename(sys.argv[0])
    if command in ("sbatch", "qsub", "bsub"):
        submit(kind)
    elif command in ("scancel", "qdel", "bkill"):
        if "--state=RUNNING" not in sys.argv:
            cancel(ids_on_the_line())
    elif command == "qstat":
        (qstat_of_pbs if kind == "pbs" else qstat_of_grid_engine)()
    elif command == "sacct":
        sys.exit("Slurm accounting storage is disabled")
    elif command == "qacct":
        sys.exit(f"error: job name {value('-j')} not found")
    elif command == "lsid":
        print("My cluster name is big")
    else:
        {"squeue": squeue, "qselect": qselect, "bjobs": bjobs}[command]()


if __name__ == "__main__":
    main()
