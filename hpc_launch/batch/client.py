"""The asking of a batch system's commands, and what their answers are worth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from hpc_launch.batch.command import Answer, run, shown
from hpc_launch.batch.dialect import Dialect
from hpc_launch.batch.faults import InvalidConfiguration, NoAnswer, NotConfigured, Problem, Refused
from hpc_launch.batch.report import JobReport, Told

IDS_PER_CALL = 50
"""sacct hangs with hundreds of ids in one call (Parsl#3814); Parsl asks for so many at a time."""

NEVER = re.compile(r"(?!)")


class Client:
    """The commands of one kind of batch system, and the words by which their answers are judged."""

    name: ClassVar[str]
    """As in a site profile."""
    programs: ClassVar[Mapping[str, tuple[str, ...]]]
    """Purpose (`submit`, `status`, `cancel` …) → the command for it. A site may have its own."""
    dialect: ClassVar[Dialect]
    """What it can say, and how."""
    needed: ClassVar[tuple[str, ...]] = ()
    """Environment variables that its clients cannot do without."""
    refusal: ClassVar[re.Pattern[str]] = NEVER
    """By these words of a command that failed it is known that the batch system said no."""
    unreachable: ClassVar[re.Pattern[str]] = NEVER
    """By these, that it did not get to say anything, or was not heard. They count for more."""
    unconfigured: ClassVar[re.Pattern[str]] = NEVER
    """By these, that its commands have no configuration on this host: nothing was sent to anybody. They count most."""
    lists: ClassVar[Sequence[tuple[str, str]]] = ()
    """Words of a refusal → the command that lists what there is in place of what was asked for."""
    harmless: ClassVar[re.Pattern[str]] = NEVER
    """Lines with which a cancel tells that a job ends, or that it is over already (with which it may fail)."""
    cancel_speaks: ClassVar[bool] = False
    """Whether a cancel that was heard always says something `harmless`: then its good end alone is no answer."""
    of_one_host: ClassVar[bool] = False
    """Whether a job can be seen on no other host than that on which it was submitted."""
    chatter: ClassVar[re.Pattern[str]] = NEVER
    """Beginnings of lines in answers that say nothing of a job."""
    naming: ClassVar[re.Pattern[str]] = NEVER
    """What the `cluster` command says of the machine's name, which is the first group."""
    timeout: float = 30.0
    """Seconds that a command may take."""

    def __init__(self, commands: Mapping[str, Sequence[str]] | None = None, stdin: bool | None = None) -> None:
        given = {purpose: tuple(words) for purpose, words in (commands or {}).items() if words}
        if unheard := sorted(given.keys() - self.programs.keys()):
            allowed = ", ".join(self.programs) or "none"
            raise InvalidConfiguration(f"commands: {self.name} has none for {', '.join(unheard)}; allowed: {allowed}")
        self.commands: Mapping[str, tuple[str, ...]] = {**self.programs, **given}
        self.stdin = self.dialect.stdin and stdin is not False

    def ask(self, purpose: str, *more: str, timeout: float | None = None) -> Answer:
        """Run the command for a purpose, with more words.

        Raises:
            NoAnswer: it could not be started, took too long, or printed without end.
        """
        return run([*self.commands[purpose], *more], timeout=timeout or self.timeout, needed=self.needed)

    def call_off(
        self, ids: Sequence[str], *options: str, purpose: str = "cancel", harmless: re.Pattern[str] = NEVER
    ) -> None:
        """Run the cancel command (or that for another purpose) for all the ids; with further harmless lines."""
        for some in batches(ids):
            self.checked(self.ask(purpose, *options, *some), harmless)

    def checked(self, answer: Answer, harmless: re.Pattern[str] = NEVER) -> Answer:
        """The answer of a cancel, if its command did not fail, or only since jobs are over already."""
        # all of them: of an array there may be a line for each element
        lines = [line for line in f"{answer.stderr}\n{answer.stdout}".splitlines() if line.strip()]
        unheard = [line for line in lines if not (self.harmless.search(line) or harmless.search(line))]
        if answer.returncode == 0 and (len(unheard) < len(lines) or not self.cancel_speaks):
            return answer
        if lines and not unheard:
            return answer
        raise self.fault(replace(answer, stdout="", stderr="\n".join(unheard)), certain=answer.returncode != 0)

    def fault(self, answer: Answer, *, certain: bool) -> Refused | NoAnswer:
        """The fault that a bad answer is: a refusal only if the batch system said so for certain."""
        said = f" It said:\n{answer.words}" if answer.words else " It said nothing."
        command = f"`{shown(answer.command)}`"
        if self.unconfigured.search(answer.words):
            hint = f"Is this a login host of the machine, and are the variables set that {self.name} needs there?"
            return NotConfigured(Problem(f"{command} has no configuration on this host.{said}", hint=hint))
        if certain and self.refusal.search(answer.words) and not self.unreachable.search(answer.words):
            return Refused(Problem(f"{self.name} refused {command}.{said}", hint=self._where_listed(answer.words)))
        how = f"failed with {answer.returncode}" if answer.returncode else "gave an answer that is not understood"
        return NoAnswer(Problem(f"{command} {how}.{said}", hint="Try again; the batch system may be busy or down."))

    def _where_listed(self, words: str) -> str:
        found = next((command for part, command in self.lists if re.search(part, words, re.I)), "")
        return found and f"`{found}` lists what there is."

    def lines(self, answer: Answer) -> list[str]:
        """The lines of an answer that say something."""
        return [line for line in answer.stdout.splitlines() if line.strip() and not self.chatter.match(line)]

    def told(self, answer: Answer, read: Callable[[str], tuple[str, JobReport] | None]) -> Told:
        """What the lines of an answer tell; each that `read` does not understand is a reason for doubt."""
        rows = [read(line) for line in self.lines(answer)]
        sound = answer.returncode == 0 and None not in rows and "error" not in answer.stderr.lower()
        doubt = "" if sound else str(self.fault(answer, certain=False))
        return Told(dict(row for row in rows if row), doubt)


def batches(ids: Sequence[str]) -> Iterator[list[str]]:
    """The ids, each once, so many at a time that a command can take them."""
    once = list(dict.fromkeys(ids))
    for start in range(0, len(once), IDS_PER_CALL):
        yield once[start : start + IDS_PER_CALL]
