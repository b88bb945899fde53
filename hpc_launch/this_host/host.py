"""This host, as far as a run could use it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hpc_launch import batch, quoting
from hpc_launch.batch.environment import PLAIN_PATH
from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import printable
from hpc_launch.context import Context
from hpc_launch.models.plan import Plan
from hpc_launch.resolve import Resolved
from hpc_launch.this_host.conda import environments


@dataclass(frozen=True)
class Found:
    """Something that is missing or broken."""

    path: KeyPath
    """The key that asks for it."""
    what: str
    line: int | None = None
    """Of the key's text, counted from 1."""
    of_site: bool = False
    """Whether the site profile says it."""


@dataclass(frozen=True)
class Host:
    """A run, and the host on which its command is given."""

    resolved: Resolved
    plan: Plan
    context: Context

    def path_of(self, words: str) -> Path | None:
        """A path as this host has it; None where a variable in it is not known here, or it is not whole."""
        try:
            path = Path(quoting.expand(words, self.context.variables))
        except KeyError:
            return None
        return path if path.is_absolute() else None

    @property
    def directory(self) -> Path | None:
        """Where the workload runs."""
        return self.path_of(self.plan.workload.directory)

    @property
    def says_more(self) -> bool:
        """Whether lines that only a node runs decide which programs there are: modules, shell lines, variables."""
        environment = self.plan.environment
        lines = environment.modules or environment.setup.strip() or environment.site_setup.strip()
        return bool(lines or "PATH" in environment.variables)

    @cached_property
    def environment(self) -> Path | None:
        """The directory of the run's Python environment; None where it is not known here, or is this host's own."""
        environment = self.plan.environment
        if environment.conda:
            if "/" in environment.conda:
                return self.path_of(environment.conda)
            known = environments(self.context)
            return known.get(environment.conda) if known else None
        if environment.venv:
            return self.path_of(environment.venv)
        python = environment.python or ""
        found = self.path_of(python) if "/" in python else None
        return found.parent.parent if found else None

    @property
    def interpreter(self) -> Path | None:
        """The Python that the profile names, alone or with its virtual environment; None where it is not known here."""
        if self.environment and self.resolved.profile.environment.venv:
            return self.environment / "bin" / "python"
        python = self.resolved.profile.environment.python or ""
        if "/" in python:
            return self.path_of(self.plan.environment.python or "")
        found = shutil.which(python, path=PLAIN_PATH) if self.is_node and python else None
        return Path(found) if found else None

    @property
    def knows_programs(self) -> bool:
        """Whether a program that is not found by its name here is likely not to be found on a node either."""
        environment = self.plan.environment
        named = environment.conda or environment.venv
        return not (self.says_more or environment.container or (named and self.environment is None))

    @property
    def is_node(self) -> bool:
        """Whether jobs run on this very host."""
        return batch.get(self.plan.batch_system).of_one_host

    def lacks_as_node(self, program: str) -> bool:
        """Whether a job on this very host would not find a program: its PATH is a plain one."""
        own = [str(self.environment / "bin")] if self.environment else []
        path = os.pathsep.join([*own, PLAIN_PATH])
        return self.is_node and not self.says_more and shutil.which(program, path=path) is None

    def only_here(self, program: str) -> str:
        """What to say of a program that only the user's PATH leads to; empty: jobs here find it, or nobody knows."""
        found = shutil.which(program, path=self.context.environment.get("PATH", os.defpath))
        if not found or not self.knows_programs or not self.lacks_as_node(program):
            return ""
        return f"jobs do not have your PATH, which alone leads to {printable(program)}: write {printable(found)}"

    def has_program(self, word: str) -> bool:
        """Whether there is such a program on PATH, or in the run's Python environment."""
        own = [str(self.environment / "bin")] if self.environment else []
        path = os.pathsep.join([*own, self.context.environment.get("PATH", os.defpath)])
        return shutil.which(word, path=path) is not None
