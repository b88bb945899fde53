"""PBS Pro and OpenPBS, by `select=`. Answers, exit codes and states were recorded from a real OpenPBS 23.06."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hpc_launch.batch.account import account
from hpc_launch.batch.asking import json_of
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.client import batches
from hpc_launch.batch.command import Answer
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.pbs.answers import Fields, by_id, from_json, from_text
from hpc_launch.batch.pbs.dialect import DIALECT
from hpc_launch.batch.pbs.room import Room, hosts_of, without_room
from hpc_launch.batch.report import Told, left_out

if TYPE_CHECKING:
    from hpc_launch.batch.machine import Machine

_JOB_ID = re.compile(r"\d+(?:\[\d*\])?\.[A-Za-z][\w.-]*")
_ELEMENT = re.compile(r"\d+\[\d")
# Without history a finished job is unknown (exit code 153), with it qstat wants -x (35). Both: not in the queue.
_NOT_QUEUED = re.compile(r"unknown job id|job has finished", re.I)
# `Unknown Job Id 2[].server`, `9.server Job has finished, use -x …`: which jobs a complaint is about
_NUMBER = re.compile(r"(?<!\S)(\d+(?:\[\d*\])?)(?=[.\s]|$)")
_NO_HISTORY = re.compile("not configured to maintain job history", re.I)
MOST_LOOKED_THROUGH = 200
"""Jobs of one's own among which one is looked for by its name."""


class Pbs(BatchSystem):
    name = "pbs"
    dialect = DIALECT
    programs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "submit": ("qsub",),
        "status": ("qstat",),
        "cancel": ("qdel",),
        "find": ("qselect",),
    }
    needed = ("PBS_CONF_FILE", "PBS_SERVER")
    refusal = re.compile(r"^(?:qsub|qdel): ", re.M)
    unreachable = re.compile(
        "cannot connect|connection (?:refused|reset|timed out)|timed out|errno=150(?:10|31)|communication|"
        "end of file|no route|authentication|munge|temporarily|try again|not responding|server is shutting down",
        re.I,
    )
    # OpenPBS 23 (pbs_loadconf.c, cnt2server.c), where there is no pbs.conf
    unconfigured = re.compile("^pbsconf error: |^No default server name", re.I | re.M)
    lists: ClassVar[Sequence[tuple[str, str]]] = (
        ("unknown queue", "qstat -Q"),
        ("access to queue|unauthorized", "qstat -Qf"),
        ("unknown resource", "pbsnodes -a"),
    )
    harmless = re.compile("unknown job id|job has finished|request invalid for (?:finished|state of) job", re.I)

    _hosts: Room | None = None

    def submit_command(
        self, file: str, job_name: str, array: int | None = None, after: str | None = None, log: str | None = None
    ) -> list[str]:
        # The name on the command line wins over the script's. Never afterok: the exit status of an array is that of
        # the element that ended last.
        waits = ["-W", f"depend=after:{after}"] if after else []
        # An array can always be run again, whatever is said (PBS Professional User's Guide, job arrays), and must not
        # be submitted with `-r n`.
        several = ["-J", f"0-{array - 1}", "-r", "y"] if array and array > 1 else []
        output = ["-o", f"{log}{'-^array_index^' if several else ''}.log"] if log else []
        return [*self.commands["submit"], "-N", job_name, *several, *output, *waits, file]

    def job_id(self, text: str) -> str | None:
        # `1.server`, of an array `0[].server`, on a line of its own; sites print greetings around it
        found = [line.strip() for line in text.splitlines() if _JOB_ID.fullmatch(line.strip())]
        return found[-1] if found else None

    def queued(self, ids: Sequence[str]) -> Told:
        # An array counts its elements itself. With -t each of them takes two kilobytes, a thousand a while.
        return self._asked(ids, *(["-t"] if any(map(_ELEMENT.match, ids)) else []))

    def finished(self, ids: Sequence[str]) -> Told:
        return self._asked(ids, "-x", "-t")

    def find(self, job_name: str, since: float) -> list[str]:
        one = ("-u", account().name, "-N", job_name)
        answer = self.ask("find", "-x", *one)
        if _NO_HISTORY.search(answer.words):
            answer = self.ask("find", *one)
        return self._selected(answer) or self._named(job_name)

    def interrupt(self, ids: Sequence[str]) -> None:
        # qdel sends TERM to every process of a job, and KILL some ten seconds later (kill_delay): the job has to end in
        # that time. A qsig would reach the login shell above the script alone, whose end is that of the whole job.
        self.call_off(ids)

    def survey(self) -> Machine:
        from hpc_launch.batch.pbs.survey import survey

        return survey(self)

    def _room(self) -> Room:
        """What each host has in all; asked once, for that does not change while somebody waits."""
        if self._hosts is None:
            try:
                self._hosts = hosts_of(json_of(self, "pbsnodes", "-a", "-F", "json"))
            except NoAnswer:
                self._hosts = {}
        return self._hosts

    def _selected(self, answer: Answer) -> list[str]:
        found = [line.strip() for line in self.lines(answer)]
        if answer.returncode or not all(_JOB_ID.fullmatch(job) for job in found):
            raise self.fault(answer, certain=False)
        return found

    def _named(self, job_name: str) -> list[str]:
        """The same asked otherwise, since a qselect that says nothing may have left something out.

        From all of one's own jobs that are not over, or the newest of very many.
        """
        mine = sorted(self._selected(self.ask("find", "-u", account().name)), key=_number)[-MOST_LOOKED_THROUGH:]
        found: list[str] = []
        for some in batches(mine):
            answer = self.ask("status", "-f", *some)
            jobs = from_text(answer.stdout)
            told = self._told_by(answer, jobs, some)
            if told.doubt or any(left_out(job, told, None) for job in some):
                raise self.fault(answer, certain=False)
            found += [job for job, fields in (jobs or {}).items() if fields.get("Job_Name") == job_name]
        return found

    def _asked(self, ids: Sequence[str], *options: str) -> Told:
        """What qstat tells of these jobs; with -x of finished ones too, with -t of the elements of arrays."""
        answer = self.ask("status", *options, "-f", "-F", "json", *ids)
        if "-x" in options and _NO_HISTORY.search(answer.words):
            return Told({}, denied=frozenset(ids))
        jobs = from_json(answer.stdout)
        # Variables of a job can make it invalid (openpbs issues 1255, 2541).
        told = Told({}) if jobs is None else self._told_by(answer, jobs, ids)
        # And an OpenPBS of 2026 answers for the first id alone, without a word of the others; as text for all.
        rest = [job for job in ids if left_out(job, told, None)]
        if told.doubt or not rest:
            return told
        answer = self.ask("status", *options, "-f", *rest)
        more = self._told_by(answer, from_text(answer.stdout), rest)
        return Told({**told.reports, **more.reports}, more.doubt, told.denied | more.denied)

    def _told_by(self, answer: Answer, jobs: Mapping[str, Fields] | None, ids: Sequence[str]) -> Told:
        if jobs is None or not _only_missing(answer):
            return Told(by_id(jobs or {}, ids), str(self.fault(answer, certain=False)))
        jobs = without_room(jobs, self._room)
        named = {number for line in answer.stderr.splitlines() for number in _NUMBER.findall(line)}
        return Told(by_id(jobs, ids), denied=frozenset(job for job in ids if job.partition(".")[0] in named))


def _number(job: str) -> int:
    return int(re.split(r"[\[.]", job)[0])


def _only_missing(answer: Answer) -> bool:
    """Whether all that the command complains about is that it does not know some of the jobs (any more)."""
    complaints = [line for line in answer.stderr.splitlines() if line.strip()]
    if not answer.words:  # it has no silent answer to a question for jobs
        return False
    return all(_NOT_QUEUED.search(line) for line in complaints) and (answer.returncode == 0 or bool(complaints))
