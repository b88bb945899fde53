"""Slurm, from 17.11 on. What its commands answer was recorded from a real 22.05: tests/batch/answers/."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.command import Answer, run
from hpc_launch.batch.faults import NotStarted
from hpc_launch.batch.report import Told
from hpc_launch.batch.slurm.answers import FIELDS, ID, expanded, from_sacct, from_squeue
from hpc_launch.batch.slurm.dialect import DIALECT
from hpc_launch.batch.slurm.states import ACCOUNTS

if TYPE_CHECKING:
    from hpc_launch.batch.machine import Machine

HISTORY = ("-n", "-P", "-X")  # no header, fields apart, no steps
_JOB_ID = re.compile(r"(?:sbatch:\s*)?(?:Submitted batch job\s+)?([1-9]\d*)(?:;[\w.-]+|\s+on cluster \S+)?", re.I)
_NO_SUCH_JOB = re.compile("Invalid job id specified", re.I)


class Slurm(BatchSystem):
    name = "slurm"
    dialect = DIALECT
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "submit": ("sbatch",),
        "status": ("squeue",),
        "cancel": ("scancel",),
        "history": ("sacct",),
        "cluster": ("scontrol", "show", "config"),
    }
    needed = ("SLURM_CONF",)
    refusal = re.compile(
        r"^(?:sbatch|scancel): (?:error|fatal):|^allocation failure:|unrecognized option|invalid option", re.M
    )
    unreachable = re.compile(
        "unable to contact|timed out|zero bytes were transmitted|message receive failure|communication|"
        "connection (?:refused|reset)|authentication|munge|unexpected message|standby mode|"
        "configuration source|temporarily un|try again|not responding",
        re.I,
    )
    # Where the configuration comes from slurmctld, or its host from DNS, neither may be there just now.
    unconfigured = re.compile(
        r"\A(?!.*(?:unable to contact|host name lookup failure|timed out)).*"
        r"(?:could not establish a configuration source|unable to process configuration file)",
        re.I | re.S,
    )
    submit_timeout = 90.0  # for a configuration file that is not there sbatch itself looks for a minute
    chatter = re.compile("CLUSTER: ")  # where a site's command holds --clusters
    naming = re.compile(r"^ClusterName\s*=\s*(\S+)", re.M)
    lists: ClassVar[Sequence[tuple[str, str]]] = (
        ("invalid account|invalid qos|qos.*not (?:valid|permitted)", ACCOUNTS),
        ("partition", "sinfo -s"),
        ("reservation", "scontrol show reservation"),
        ("feature", "sinfo -o '%P %f'"),
    )
    harmless = re.compile("Invalid job id specified|already completing or completed", re.I)

    def submit_command(
        self, file: str, job_name: str, array: int | None = None, after: str | None = None, log: str | None = None
    ) -> list[str]:
        # The name on the command line wins over the script's. `after` alone: the other job has started, or was
        # cancelled (sbatch(1), --dependency).
        waits = [f"--dependency=after:{after}"] if after else []
        several = [f"--array=0-{array - 1}"] if array and array > 1 else []
        output = [f"--output={log}{'-%a' if several else ''}.log"] if log else []
        return [*self.commands["submit"], "--parsable", f"--job-name={job_name}", *several, *output, *waits, file]

    def rehearse(self, directory: Path, file: str) -> str:
        command = [*self.commands["submit"], "--test-only", file]
        answer = run(command, directory=directory, timeout=self.timeout, needed=self.needed)
        found = re.search(r"to start at (\S+)", answer.words)
        if found and answer.returncode == 0:
            return f"as things stand it would start at {found[1].replace('T', ' ')}"
        raise self.fault(answer, certain=answer.returncode != 0)

    def job_id(self, text: str) -> str | None:
        # `36`, `36;cluster`, `Submitted batch job 36`, on a line of its own; sites print greetings around it
        found = [match for line in text.splitlines() if (match := _JOB_ID.fullmatch(line.strip()))]
        plain = [match for match in found if "submitted" in match[0].lower()]
        return (plain or found)[-1][1] if found else None

    def element_id(self, array: str, index: int) -> str:
        return f"{array}_{index}"

    def queued(self, ids: Sequence[str]) -> Told:
        # A single id that squeue does not know (any more) is an error to it, one given twice is not.
        return self.told(self._squeue([*ids, *ids] if len(ids) == 1 else ids), from_squeue)

    def asked_again(self, ids: Sequence[str]) -> Told:
        # Of several ids squeue passes over those that it does not know (any more). Alone each is an error to it.
        return self.one_by_one(self._alone, ids)

    def _alone(self, ids: Sequence[str]) -> Told:
        answer = self._squeue(ids)
        if answer.returncode and _NO_SUCH_JOB.search(answer.stderr) and not self.lines(answer):
            return Told({}, denied=frozenset(ids))
        return self.told(answer, from_squeue)

    def _squeue(self, ids: Sequence[str]) -> Answer:
        shape = ",".join(f"{field}:{width}" for field, width in FIELDS.items())
        return self.ask(
            "status", "--noheader", "--states=all", "--array", f"--jobs={','.join(ids)}", f"--Format={shape}"
        )

    def finished(self, ids: Sequence[str]) -> Told:
        fields = "JobID,State,ExitCode,NodeList"
        try:
            answer = self.ask("history", *HISTORY, "-o", fields, f"--jobs={','.join(ids)}")
        except NotStarted:
            return Told({}, denied=frozenset(ids))
        if _no_accounting(answer.words):
            return Told({}, denied=frozenset(ids))
        told = self.told(answer, from_sacct)
        # It says nothing of what it does not know; the queue has denied these jobs before.
        return Told(expanded(told.reports), told.doubt, frozenset(ids))

    def find(self, job_name: str, since: float) -> list[str]:
        me = str(os.geteuid())
        one = (f"--user={me}", f"--name={job_name}")
        answer = self.ask("status", "--noheader", "--states=all", *one, "--format=%i %j")
        if found := self._named(answer, job_name):
            return found
        # It passes over what it does not find. Before that counts, all of one's own are asked for.
        answer = self.ask("status", "--noheader", "--states=all", f"--user={me}", "--format=%i %j")
        if found := self._named(answer, job_name):
            return found
        minutes = max(0, int(time.time() - since) // 60) + 10  # relative: no time zone can come between
        start = f"now-{minutes}minutes"
        try:
            answer = self.ask("history", *HISTORY, "--delimiter= ", "-o", "JobID,JobName", "-S", start, *one)
        except NotStarted:
            return []
        return [] if _no_accounting(answer.words) else self._named(answer, job_name)

    def interrupt(self, ids: Sequence[str]) -> None:
        # A plain scancel sends TERM to the steps, but to the batch shell KILL only. With a queued job this
        # command would try again for a minute and a half, hence --state.
        self.call_off(ids, "--batch", "--signal=TERM", "--state=RUNNING")

    def withdraw(self, ids: Sequence[str]) -> None:
        self.call_off(ids, "--state=PENDING")
        self.interrupt(ids)

    def survey(self) -> Machine:
        from hpc_launch.batch.slurm.survey import survey

        return survey(self)

    def _named(self, answer: Answer, job_name: str) -> list[str]:
        """The ids in lines of id and name; an array's own for its elements."""
        rows = [line.strip().partition(" ") for line in self.lines(answer)]
        if answer.returncode or not all(ID.fullmatch(job) for job, _, _ in rows):
            raise self.fault(answer, certain=False)
        return list(dict.fromkeys(job.partition("_")[0] for job, _, name in rows if name.strip() == job_name))


def _no_accounting(words: str) -> bool:
    return "accounting storage is disabled" in words.lower()
