"""Every fault that is told to the user, one class and one exit code for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from hpc_launch.config.origin import Origin

SomeProblem = TypeVar("SomeProblem", bound="Problem")


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


class UsageError(HpcLaunchError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class InvalidConfiguration(HpcLaunchError):
    """A profile or a site profile is wrong; carries all that is wrong with it at once."""

    exit_code = 3


class DoesNotFit(HpcLaunchError):
    """The request is larger than the site allows, or the site takes none."""

    exit_code = 4


class BatchSystemError(HpcLaunchError):
    """The batch system refused, did not answer, or answered what nobody understands."""

    exit_code = 5
