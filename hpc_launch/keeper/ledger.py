"""All submissions of the run: a file for each, `pool/NUMBER.json`, which is there before the batch system is asked."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hpc_launch.keeper import disk, reading
from hpc_launch.keeper.actions import Submit
from hpc_launch.keeper.reading import UNREADABLE, Document
from hpc_launch.keeper.values import Run, Submission


class Ledger:
    def __init__(self, directory: Path, run: Run) -> None:
        self.directory, self.run = directory, run
        self.submissions: dict[int, Submission] = {}
        self.documents: dict[int, Document] = {}
        self.highest = 0

    def read(self) -> None:
        """What others have written since; of what is complete nothing changes but by our own hand. Raises OSError."""
        known, first = self._number_of_complete(), not self.submissions
        files = {int(path.stem): path for path in self.directory.iterdir() if _is_submission(path)}
        seen = max((path.stat().st_mtime for path in files.values()), default=0.0) if first else time.time()
        for number, path in files.items():
            self.highest = max(self.highest, number)
            if number not in self.submissions or not _is_complete(self.submissions[number]):
                self._read_submission(number, path, min(seen, time.time()))
        if self._number_of_complete() > known and not first:
            self._wait_anew()

    def _read_submission(self, number: int, path: Path, seen: float) -> None:
        """Raises OSError where nothing is known of it yet: its elements would be submitted again.

        `seen`: when it was there; of all that were there before this keeper, when the last of them was written.
        """
        try:
            self._keep(number, disk.load(path), seen)
        except UNREADABLE as fault:
            if number not in self.submissions:
                raise OSError(f"{path} cannot be read just now: {fault}") from fault

    def add(self, wanted: Submit, now: float) -> Submission:
        """Write down a submission that is about to be made. Raises FileExistsError if somebody else did so just now."""
        number = self.highest + 1
        first = max((each.first + each.size for each in self.submissions.values()), default=0)
        suffix = f"-{number}" if number > 1 else ""
        submission = Submission(
            number,
            wanted.group,
            first,
            wanted.size,
            wanted.workers,
            f"{self.run.name}-{wanted.group}{suffix}",
            wanted.size if wanted.size > 1 else None,
            asked=now,
        )
        others = {"per_node": self.run.groups[wanted.group].per_node, "submitted": None, "by": "keeper"}
        document = reading.submission_document(submission, others)
        disk.create(self._path(number), document)
        self._keep(number, document, now)
        self.highest = number
        return submission

    def answered(self, submission: Submission, job_id: str, now: float) -> None:
        """The batch system has taken it, under this id."""
        self._write(replace(submission, job_id=job_id, refused=None), submitted=now)

    def refused(self, submission: Submission, why: str) -> None:
        """There is no such job."""
        self._write(replace(submission, refused=why))

    def note_unwanted(self, numbers: Iterable[int]) -> None:
        """Write down that these elements are not wanted any more."""
        numbers = set(numbers)
        for submission in list(self.submissions.values()):
            some = numbers.intersection(submission.numbers)
            if not some <= submission.called_off:
                self._write(replace(submission, called_off=submission.called_off | some))

    def log(self, submission: Submission) -> str:
        """Where its jobs write, below the run directory and without suffix."""
        suffix = f"-{submission.number}" if submission.number > 1 else ""
        return f"logs/{self.run.groups[submission.group].file.removesuffix('.sh')}{suffix}-job"

    def _number_of_complete(self) -> int:
        return sum(map(_is_complete, self.submissions.values()))

    def _wait_anew(self) -> None:
        """Somebody submits one after the other just now: the others may still come."""
        for number, submission in self.submissions.items():
            if not _is_complete(submission):
                self.submissions[number] = replace(submission, asked=time.time())

    def _write(self, submission: Submission, **others: float) -> None:
        document = reading.submission_document(submission, {**self.documents[submission.number], **others})
        disk.replace(self._path(submission.number), document)
        self._keep(submission.number, document, submission.asked)

    def _keep(self, number: int, document: Document, seen: float) -> None:
        seen = self.submissions[number].asked if number in self.submissions else seen
        self.submissions[number], self.documents[number] = reading.submission_from(document, seen), document

    def _path(self, number: int) -> Path:
        return self.directory / f"{number}.json"


def _is_submission(path: Path) -> bool:
    return path.suffix == ".json" and path.stem.isdecimal()


def _is_complete(submission: Submission) -> bool:
    return submission.job_id is not None or submission.refused is not None
