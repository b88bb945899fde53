"""check ends as submit would: with the same exit code and the same words, and nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.context import Context
from tests.commands import hpc_launch
from tests.conftest import SITES

LINES = (SITES / "testcluster.yaml").read_text().splitlines(keepends=True)
SLURM = "".join(line for line in LINES if not line.startswith(("detect:", "storage:")))
"""It may be anywhere, also here."""
PROFILE = "workers: {count: 1, memory: 1 GiB}\nworkload: {command: [/bin/true]}\nwalltime: 10m\n"


def no_commands(context: Context, site: Path) -> None:
    site.write_text(SLURM + "commands: {submit: [sbatch-of-another-host]}\n")


def runs_in_a_file(context: Context, site: Path) -> None:
    (context.directory / "file").write_text("")
    site.write_text(SLURM + f"storage: {{runs: {context.directory}/file/runs}}\n")


def runs_without_a_variable(context: Context, site: Path) -> None:
    site.write_text(SLURM + "storage: {runs: $NOBODY_SET_THIS/runs}\n")


def state_in_a_file(context: Context, site: Path) -> None:
    (context.home / ".local").mkdir(parents=True)
    (context.home / ".local" / "state").write_text("")


def retired(context: Context, site: Path) -> None:
    site.write_text(SLURM + "status: retired\n")


def retired_with_accounts(context: Context, site: Path) -> None:
    """Of a machine that is no more nobody has to hear that it wants an account."""
    site.write_text("".join(line for line in LINES if not line.startswith(("account:", "detect:", "storage:"))))
    site.write_text(site.read_text() + "account: required\nstatus: retired\n")


def sbatch_refuses(context: Context, site: Path) -> None:
    command(context, site, "echo 'sbatch: error: Batch job submission failed: Invalid account' >&2; exit 1")


def command(context: Context, site: Path, line: str) -> None:
    program = context.directory / "sbatch"
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)
    site.write_text(SLURM + f"commands: {{submit: [{program}]}}\n")


@pytest.mark.parametrize(("make", "words"), [
    (no_commands, "the command `sbatch-of-another-host` was not found"),
    (runs_in_a_file, "cannot make the run directory"),
    (runs_without_a_variable, "storage.runs: $NOBODY_SET_THIS is not set"),
    (state_in_a_file, "set XDG_STATE_HOME to name another place"),
    (retired, "is retired and takes no jobs"),
    (retired_with_accounts, "is retired and takes no jobs\n    status: retired\n"),
    (sbatch_refuses, "Invalid account"),
])  # fmt: skip
def test_check_ends_as_submit_would(context: Context, make: Callable[[Context, Path], None], words: str) -> None:
    site = context.directory / "site.yaml"
    site.write_text(SLURM)
    (context.directory / "p.yaml").write_text(PROFILE)
    make(context, site)
    before = {*context.directory.rglob("*")}
    checked = hpc_launch(context, "check", "p.yaml", "--site", "./site.yaml")
    assert {*context.directory.rglob("*")} == before
    submitted = hpc_launch(context, "submit", "p.yaml", "--site", "./site.yaml")
    assert words in checked.stderr and words in submitted.stderr
    assert checked.returncode == submitted.returncode != 0
