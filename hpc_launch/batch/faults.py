"""What is wrong, and how it is told; and what can go wrong when a batch system is asked.

The whole program's faults begin here, for this package imports nothing of it: see `hpc_launch.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, TypeVar

SomeProblem = TypeVar("SomeProblem", bound="Problem")


class Origin(Protocol):
    """Where something stands: `hpc_launch.config.origin.Origin`."""

    @property
    def source(self) -> str: ...
    @property
    def line(self) -> int | None: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what, where, and what to do about it."""

    message: str
    origin: Origin | None = None
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.origin}: " if self.origin else ""
        shown = f"\n    {self.origin.text.strip()}" if self.origin and self.origin.text.strip() else ""
        hint = "".join(f"\n    {line}" for line in self.hint.splitlines())
        return f"{where}{self.message}{shown}{hint}"

    def also(self: SomeProblem, hint: str) -> SomeProblem:
        """The same with one more hint, on a line of its own; nothing is added where it is empty."""
        return replace(self, hint="\n".join(filter(None, (self.hint, hint))))


class HpcLaunchError(Exception):
    """A fault that ends the program with a message and without a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: Sequence[Problem] = [Problem(p) if isinstance(p, str) else p for p in problems]
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def sentence(self) -> str:
        """What is wrong, on one line, without what to do about it."""
        lines = [line.strip() for problem in self.problems for line in problem.message.splitlines()]
        return "; ".join(filter(None, lines)).replace(":; ", ": ")

    @property
    def hint(self) -> str:
        """What to do about it, on one line."""
        return "; ".join(line for problem in self.problems for line in problem.hint.splitlines())


class InvalidConfiguration(HpcLaunchError):
    """A profile or a site profile is wrong; carries all that is wrong with it at once."""

    exit_code = 3


class BatchSystemError(HpcLaunchError):
    """The batch system refused, did not answer, or answered what nobody understands."""

    exit_code = 5


class Refused(BatchSystemError):
    """The batch system said no, in its own words. Nothing was done."""


class NoAnswer(BatchSystemError):
    """No answer, or none that can be understood. What was asked for may have been done all the same."""


class NotStarted(NoAnswer):
    """The command could not even be started. Nothing was done, and asking again on this host is of no use."""

    exit_code = 6


class NotConfigured(NotStarted):
    """The command is here, and does not know of which machine it is. Nothing was done."""
