"""Removing runs: what is over and one's own goes, everything else stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.models.record import Ending
from hpc_launch.runs import index
from hpc_launch.runs.directory import read_record, update_record, write_record
from tests.commands import Result, environment, hpc_launch
from tests.runs.jobs import (
    NOT_QUEUED,
    NOW,
    RUNS,
    SUCCEEDS,
    Prepare,
    batch_commands,
    end,
    finished,
    record,
    squeue_line,
    start,
)

NOBODY = 65534
MOUNTS = ["unshare", "--user", "--map-root-user", "--mount", "true"]
"""Where file systems may be mounted for oneself alone."""
ENDED = Ending(outcome="succeeded", exit_code=0, source="job", decided=NOW)


def over(context: Context, run_id: str, days: int = 1) -> Path:
    """A run that ended so long ago."""
    directory = context.directory / "runs" / run_id
    directory.mkdir(parents=True, mode=0o700)
    created = datetime.now(timezone.utc) - timedelta(days=days)
    write_record(directory, record(id=run_id, outcome=ENDED, created=created))
    index.add(context, run_id, directory)
    return directory


def on_slurm(context: Context, **answers: str) -> Path:
    """A run that is not over as far as is known; Slurm's commands answer as these bash lines do."""
    directory = context.directory / "runs" / "pi-1"
    directory.mkdir(parents=True, mode=0o700)
    write_record(directory, record(id="pi-1", commands=batch_commands(context.directory, **answers)))
    index.add(context, "pi-1", directory)
    return directory


def known(context: Context) -> set[str]:
    return {entry.id for entry in index.entries(context)}


def refused(done: Result, *words: str) -> None:
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_a_run_that_is_over_is_removed_with_its_directory(prepared: Prepare, context: Context) -> None:
    directory, run_id = finished(prepared, context, SUCCEEDS)
    assert hpc_launch(context, "remove", run_id, "--dry-run").stdout == f"{run_id}\n"
    assert directory.exists() and known(context) == {run_id}
    done = hpc_launch(context, "remove", run_id, "--json")
    assert json.loads(done.stdout) == {
        "schema": 1, "dry_run": False, "removed": [{"run": run_id, "directory": str(directory)}], "kept": [],
    }  # fmt: skip
    assert not directory.exists() and known(context) == set()


def test_a_run_that_goes_on_is_not_removed_nor_any_other_beside_it(prepared: Prepare, context: Context) -> None:
    gone = over(context, "old-1")
    directory, run_id = start(prepared, context, RUNS)
    try:
        steps = (f"hpc-launch cancel {run_id}", f"hpc-launch wait {run_id}")
        refused(hpc_launch(context, "remove", "old-1", run_id), f"{run_id} goes on: ", *steps)
        refused(hpc_launch(context, "remove", "--forget", run_id), "goes on")
        done = hpc_launch(context, "remove", "--keep", "0")
        assert (done.returncode, done.stdout) == (0, "old-1\n") and f"stays: {run_id}" in done.stderr
    finally:
        end(directory)
    assert directory.exists() and not gone.exists() and known(context) == {run_id}


def test_old_runs_go_and_the_newest_stay(context: Context) -> None:
    for number, days in enumerate([90, 60, 40, 2]):
        over(context, f"run-{number}", days)
    done = hpc_launch(context, "remove", "--older-than", "30d", "--keep", "2")
    assert set(done.stdout.split()) == {"run-0", "run-1"}, done.stderr
    assert known(context) == {"run-2", "run-3"}
    assert hpc_launch(context, "remove", "--older-than", "30d").stdout == "run-2\n"


def test_links_are_deleted_and_never_followed(context: Context) -> None:
    directory, precious = over(context, "pi-1"), context.directory / "precious"
    precious.mkdir()
    (precious / "data").write_text("kept")
    os.symlink(precious, directory / "a directory")
    os.symlink(precious / "data", directory / "a file")
    (directory / "below").mkdir()
    os.symlink(precious, directory / "below" / "-rf")
    assert hpc_launch(context, "remove", "pi-1").returncode == 0
    assert not directory.exists() and (precious / "data").read_text() == "kept"


def test_a_run_directory_that_is_a_link_stays(context: Context) -> None:
    directory = over(context, "pi-1")
    elsewhere = directory.rename(context.directory / "elsewhere")
    os.symlink(elsewhere, directory)
    refused(hpc_launch(context, "remove", "pi-1"), "symbolic link")
    assert read_record(elsewhere).id == "pi-1" and known(context) == {"pi-1"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give something away")
@pytest.mark.parametrize("what", [".", "below/theirs"])
def test_what_holds_anything_of_others_stays(context: Context, what: str) -> None:
    directory = over(context, "pi-1")
    (directory / "below").mkdir()
    (directory / "below" / "theirs").write_text("theirs")
    os.chown(directory / what, NOBODY, NOBODY)
    refused(hpc_launch(context, "remove", "pi-1"), "belongs to nobody" if what == "." else "is not yours")
    assert (directory / "below" / "theirs").exists() and (directory / "run.json").exists()


def test_jobs_of_a_run_that_is_over_must_have_been_called_off(context: Context) -> None:
    directory = over(context, "pi-1")
    fails = batch_commands(context.directory, cancel="echo no answer >&2; exit 1")
    job = replace(record().jobs[0], name="workers", role="workers", job_id="37")
    update_record(directory, lambda one: replace(one, jobs=(*one.jobs, job), commands=fails))
    refused(hpc_launch(context, "remove", "pi-1"), "jobs of it may live", "hpc-launch cancel pi-1")
    assert directory.exists()


def test_a_run_whose_batch_system_never_answers_can_be_forgotten(context: Context) -> None:
    directory = on_slurm(context, status="echo 'Unable to contact slurm controller' >&2; exit 1", history="exit 1")
    not_known = "whether pi-1 is over is not known: slurm: "
    refused(hpc_launch(context, "remove", "pi-1"), not_known, "Unable to contact", "remove --forget pi-1")
    done = hpc_launch(context, "remove", "--forget", "pi-1")
    assert (done.returncode, done.stdout) == (0, "pi-1\n") and "may live: 36" in done.stderr
    assert known(context) == set() and read_record(directory).id == "pi-1"


def test_so_can_one_that_has_told_its_end_where_nobody_says_that_its_jobs_are_over(context: Context) -> None:
    directory = on_slurm(context, status="exit 1", history="exit 1")
    (directory / "state" / "1").mkdir(parents=True)
    (directory / "state" / "attempt").write_text("1\n")
    (directory / "state" / "1" / "outcome").write_text("cancelled 1 by hand\n")
    (directory / "state" / "1" / "events").write_text("1 started c1 7\n2 ending\n3 ended\n")
    refused(hpc_launch(context, "remove", "pi-1"), "remove --forget pi-1")
    done = hpc_launch(context, "remove", "--forget", "pi-1")
    assert (done.returncode, done.stdout) == (0, "pi-1\n") and "may live: 36" in done.stderr


def test_a_run_that_is_over_but_may_still_tell_otherwise_is_waited_for(context: Context) -> None:
    """`cancel` would do nothing: it takes the run to be over."""
    directory = on_slurm(context, status=NOT_QUEUED)
    refused(hpc_launch(context, "remove", "pi-1"), "seems to be over (launch-failed)", "hpc-launch wait pi-1")
    assert "over already" in hpc_launch(context, "cancel", "pi-1").stderr and directory.exists()


def test_a_run_that_waits_in_the_queue_is_not_forgotten(context: Context) -> None:
    on_slurm(context, status=squeue_line("PENDING"))
    refused(hpc_launch(context, "remove", "--forget", "pi-1"), "goes on", "hpc-launch cancel pi-1")
    assert known(context) == {"pi-1"}


@pytest.mark.parametrize("words", [["pi-1"], ["--forget", "pi-1"]])
def test_an_entry_whose_directory_is_gone_can_be_removed(context: Context, words: list[str]) -> None:
    over(context, "pi-1").rename(context.directory / "moved")
    done = hpc_launch(context, "remove", *words)
    assert (done.returncode, done.stdout) == (0, "pi-1\n")
    assert done.stderr == "pi-1: the run directory is gone; whether jobs still run, the batch system alone knows\n"
    assert known(context) == set() and (context.directory / "moved" / "run.json").exists()


def test_what_cannot_be_seen_is_not_gone(context: Context) -> None:
    """A file system that is not mounted on this host: the run may go on."""
    over(context, "pi-1").parent.rename(context.directory / "elsewhere")
    refused(hpc_launch(context, "remove", "pi-1"), "cannot be seen from here", "hpc-launch remove --forget pi-1")
    done = hpc_launch(context, "remove", "--keep", "0")
    assert (done.returncode, done.stdout) == (0, "") and "cannot be seen from here" in done.stderr
    assert known(context) == {"pi-1"}
    done = hpc_launch(context, "remove", "--forget", "pi-1")
    assert (done.returncode, done.stdout) == (0, "pi-1\n") and "nothing is known of its jobs" in done.stderr
    assert known(context) == set()


def test_what_stood_on_a_file_system_that_is_not_mounted_is_not_gone(context: Context) -> None:
    """Its mount point is there, as an empty directory: the run may go on."""
    runs = over(context, "pi-1").parent
    runs.rename(context.directory / "on the file system")
    runs.mkdir()
    refused(hpc_launch(context, "remove", "pi-1"), "cannot be seen from here", "hpc-launch remove --forget pi-1")
    (runs / "something else").mkdir()
    assert hpc_launch(context, "remove", "--keep", "0").stdout == "" and known(context) == {"pi-1"}
    assert "cannot be seen from here" in hpc_launch(context, "list").stdout
    assert hpc_launch(context, "remove", "--forget", "pi-1").returncode == 0
    assert known(context) == set() == set(os.listdir(context.state / "parents"))


def test_a_run_of_an_earlier_version_is_gone_if_others_are_there(context: Context) -> None:
    """Those did not keep which directory it was made in."""
    runs = over(context, "pi-1").parent
    shutil.rmtree(context.state / "parents")
    (runs / "pi-1").rename(context.directory / "elsewhere")
    refused(hpc_launch(context, "remove", "pi-1"), "cannot be seen from here")
    (runs / "pi-2").mkdir()
    assert hpc_launch(context, "remove", "pi-1").returncode == 0 and known(context) == set()


@pytest.mark.skipif(subprocess.run(MOUNTS, check=False, capture_output=True).returncode != 0, reason="may not mount")
def test_a_real_file_system_that_is_unmounted_takes_no_run_with_it(context: Context) -> None:
    scratch = context.directory / "scratch"
    scratch.mkdir()
    made = "import sys, pathlib, hpc_launch.context as c, hpc_launch.runs.index as i; "
    made += "i.add(c.current(), 'pi-1', pathlib.Path(sys.argv[1]))"
    words = 'mount -t tmpfs none scratch && mkdir -m 700 scratch/pi-1 && "$1" -c "$2" "$PWD/scratch/pi-1" && '
    words += 'umount scratch && "$1" -m hpc_launch remove pi-1'
    done = subprocess.run(
        [*MOUNTS[:-1], "bash", "-c", words, "bash", sys.executable, made],
        cwd=context.directory,
        env=environment(context),
        text=True,
        capture_output=True,
        check=False,
    )
    refused(done, "cannot be seen from here", "hpc-launch remove --forget pi-1")
    assert known(context) == {"pi-1"}


def test_what_a_dangling_link_leads_to_is_not_gone(context: Context) -> None:
    directory = over(context, "pi-1")
    directory.rename(context.directory / "elsewhere")
    os.symlink(context.directory / "not mounted" / "pi-1", directory)
    refused(hpc_launch(context, "remove", "pi-1"), "cannot be seen from here")


@pytest.mark.parametrize("words", [[], ["pi-1", "--keep", "1"], ["--forget", "--keep", "1"], ["--older-than", "soon"]])
def test_words_that_do_not_say_which_runs_are_refused(context: Context, words: list[str]) -> None:
    over(context, "pi-1")
    refused(hpc_launch(context, "remove", *words))
    assert known(context) == {"pi-1"}
