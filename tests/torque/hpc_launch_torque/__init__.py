"""Torque, for hpc-launch. Options, answers and exit codes: the manual pages and the source of Torque 6.1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.dialect import MPIEXEC, Dialect, Launcher
from hpc_launch.batch.report import JobReport, JobStatus, Told

JOB_ID = re.compile(r"\d+(\[\d*\])?\.[A-Za-z][\w.-]*")
NOT_THERE = re.compile("Unknown Job Id|Unknown Array ID|nonexistent job id", re.I)
STATES = {
    "E": JobStatus.ENDING,
    "H": JobStatus.HELD,
    "Q": JobStatus.QUEUED,
    "R": JobStatus.RUNNING,
    "S": JobStatus.SUSPENDED,
    "T": JobStatus.QUEUED,  # on its way to another server
    "W": JobStatus.QUEUED,  # for its earliest start
}
OWN_CODES = {-10: JobStatus.OUT_OF_MEMORY, -11: JobStatus.TIMEOUT}
"""Exit statuses that are Torque's, not the job's (JOB_EXEC_OVERLIMIT_… in pbs_job.h); PBS Pro has others."""
TERMINATED = 256 + 15
"""Exit status of a job whose shell was ended by TERM: that is how qdel begins."""


DIALECT = Dialect(
    submit_directory="$PBS_O_WORKDIR",  # the job starts in the home directory
    job_id="${PBS_JOBID-}",
    job_name="${PBS_JOBNAME-}",
    node_launchers=(Launcher("pbsdsh-unique"), Launcher("pbsdsh")),
    mpi_launchers=(MPIEXEC,),
    memory_directives=("per-node", "omit"),
    unused=("qos", "reservation"),  # its schedulers have words for them, each one another
    said={  # of -l only these
        "workers.count": ("-l nodes",),
        "workers.memory": ("-l mem",),
        "walltime": ("-l walltime",),
        "queue": ("-q",),
        "account": ("-A",),
        "mail.to": ("-M",),
        "mail.on": ("-m",),
        "constraint": (),  # in -l nodes
        "": ("-j", "-o", "-r"),
    },
    mail_on={"begin": ("b",), "end": ("e",), "fail": ("a",)},
    instead={"name": ("-N",), "environment.variables": ("-V", "-v")},
    reserved=(
        *("-l procs", "-l ncpus", "-l pmem", "-l vmem", "-l pvmem", "-e", "-k", "-t", "-I", "-x", "-C", "-S"),
        *("-d", "-D", "-w", "-z", "-W depend"),
    ),
    array_index="PBS_ARRAYID",
    gives_hosts=True,
    tells_all_processes=True,
)


class Torque(BatchSystem):
    name = "torque"
    dialect = DIALECT
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "submit": ("qsub",),
        "status": ("qstat",),
        "cancel": ("qdel",),
        "signal": ("qsig",),
    }
    needed = ("PBS_DEFAULT",)  # the server, where it is not in Torque's own file
    refusal = re.compile(r"^(qsub|qdel|qsig): ", re.M)
    unreachable = re.compile("connect|timed out|end of file|protocol error|communication|authenticate", re.I)
    harmless = re.compile(f"{NOT_THERE.pattern}|Request invalid for state of job", re.I)

    def submit_command(
        self, file: str, job_name: str, array: int | None = None, after: str | None = None, log: str | None = None
    ) -> list[str]:
        # The manual page allows 15 characters of a name, qsub itself 256. Torque itself writes `-3` behind the path of
        # the log for element 3 of an array.
        waits = ["-W", f"depend=after:{after}"] if after else []
        several = ["-t", f"0-{array - 1}"] if array and array > 1 else []
        output = ["-o", f"{log}.log"] if log else []
        return [*self.commands["submit"], "-N", job_name, *several, *output, *waits, file]

    def job_id(self, text: str) -> str | None:
        found = [line.strip() for line in text.splitlines() if JOB_ID.fullmatch(line.strip())]
        return found[-1] if found else None

    def queued(self, ids: Sequence[str]) -> Told:
        # With -t the elements of an array; jobs that are over stay for a while (the server's keep_completed).
        answer = self.ask("status", "-f", "-t", *ids)
        asked = {job.partition(".")[0]: job for job in ids}  # the server's part may be written shorter
        told = {asked.get(job.partition(".")[0], job): report(fields) for job, fields in jobs(answer.stdout).items()}
        complaints = [line for line in answer.stderr.splitlines() if line.strip()]
        if not all(map(NOT_THERE.search, complaints)) or (answer.returncode and not complaints) or not answer.words:
            return Told(told, str(self.fault(answer, certain=False)))
        # Gone is only what it says itself that it does not know. An array is there before its elements are: then
        # nothing at all is said of it.
        return Told(told, denied=frozenset(job for job in ids if any(job in line.split() for line in complaints)))

    def find(self, job_name: str, since: float) -> list[str]:
        # Not with qselect: the elements of an array have names of their own.
        answer = self.ask("status", "-f")
        known = jobs(answer.stdout)
        if answer.returncode or (answer.stdout.strip() and not known):
            raise self.fault(answer, certain=False)
        return [job for job, fields in known.items() if fields.get("Job_Name") == job_name]

    def interrupt(self, ids: Sequence[str]) -> None:
        self.call_off(ids, "-s", "TERM", purpose="signal")


def jobs(text: str) -> dict[str, dict[str, str]]:
    """Id → attributes, as `qstat -f` prints them; a line goes on in one that begins with a tab."""
    blocks = re.split(r"^Job Id: *", text.replace("\n\t", ""), flags=re.M)[1:]
    pairs = ([line.partition(" = ") for line in block.splitlines()] for block in blocks)
    return {rows[0][0].strip(): {key.strip(): value for key, _, value in rows[1:]} for rows in pairs}


def report(fields: Mapping[str, str]) -> JobReport:
    """What the attributes of a job, or of an element of an array, say."""
    letter, given = fields.get("job_state", ""), fields.get("exit_status", "")
    nodes = ",".join(dict.fromkeys(part.partition("/")[0] for part in fields.get("exec_host", "").split("+") if part))
    if letter != "C":
        status = STATES.get(letter, JobStatus.UNKNOWN)
        why = (
            "it waits for another job" if status is JobStatus.HELD and "depend" in fields else fields.get("comment", "")
        )
        return JobReport(status, letter or "no job_state", "" if status is JobStatus.RUNNING else why, nodes=nodes)
    raw = f"C, exit_status {given or 'none'}"
    if not re.fullmatch(r"-?\d{1,9}", given):  # called off before it ran, or nobody knows
        return JobReport(JobStatus.GONE, raw, nodes=nodes)
    code = int(given)
    if code < 0:
        return JobReport(OWN_CODES.get(code, JobStatus.FAILED), raw, nodes=nodes)
    over = {0: JobStatus.COMPLETED, TERMINATED: JobStatus.CANCELLED}.get(code, JobStatus.FAILED)
    return JobReport(over, raw, exit_code=code - 128 if code > 256 else code, nodes=nodes)
