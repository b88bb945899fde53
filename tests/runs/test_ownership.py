"""What is somebody else's, or may be written by others, is no run of ours: nothing that it says is done."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.errors import UsageError
from hpc_launch.models.record import Record
from hpc_launch.runs import index
from hpc_launch.runs.directory import read_record, update_record, write_record
from hpc_launch.runs.status import bring_up_to_date
from tests.commands import Result, hpc_launch
from tests.runs.jobs import batch_commands, record, squeue_line

NOBODY = 65534
TINY = "site: local\nname: tiny\nworkers: {count: 1, memory: 100 MB}\nworkload: {command: x}\n"
COMMANDS = {
    "status": ["status"],
    "watch": ["status", "--watch"],
    "wait": ["wait"],
    "logs": ["logs"],
    "follow": ["logs", "--follow"],
    "cancel": ["cancel"],
}
"""Every command that takes a run."""


@pytest.fixture
def run(context: Context) -> Path:
    """A run on Slurm whose own words for Slurm's commands leave a file `obeyed`, beside the run directory."""
    directory = context.directory / "a place" / "pi-1"
    directory.mkdir(parents=True, mode=0o700)
    (directory / "logs").mkdir()
    (directory / "logs" / "workload.log").write_text("printed\n")
    obey = f'touch "{context.directory}/obeyed"; '
    commands = batch_commands(directory, status=obey + squeue_line("PENDING"), cancel=obey, history=obey)
    write_record(directory, record(id="pi-1", commands=commands))
    index.add(context, "pi-1", directory)
    return directory


def obeyed(context: Context) -> bool:
    return (context.directory / "obeyed").exists()


def give_away(directory: Path) -> None:
    """The directory itself is nobody's from now on; what is in it stays ours."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    os.chown(directory, NOBODY, NOBODY)


def refused(context: Context, done: Result, *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "is refused" in done.stderr and all(word in done.stderr for word in words), done.stderr
    assert done.stdout == "" and not obeyed(context)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_acts_on_what_belongs_to_somebody_else(context: Context, run: Path, command: str) -> None:
    give_away(run)
    before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
    done = hpc_launch(context, *COMMANDS[command], "pi-1")
    refused(context, done, str(run), "belongs to nobody", "hpc-launch list")
    assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_acts_on_what_others_may_write(context: Context, run: Path, command: str) -> None:
    run.chmod(0o770)
    refused(context, hpc_launch(context, *COMMANDS[command], "pi-1"), "mode 0770", f"chmod go-w '{run}'")


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o1777, 0o2775])
@pytest.mark.parametrize("name", ["pi", "a place/pi-1/", None])
def test_however_it_is_named_and_whoever_may_write_it(context: Context, run: Path, name: str | None, mode: int) -> None:
    run.chmod(mode)
    with pytest.raises(UsageError, match=f"is refused: others may write it .mode {mode:04o}"):
        index.find(context, name)


def test_the_next_step_that_is_told_works(context: Context, run: Path) -> None:
    run.chmod(0o777)
    told = hpc_launch(context, "status", "pi-1").stderr
    assert os.system(told[told.index("chmod go-w") :].splitlines()[0]) == 0
    done = hpc_launch(context, "status", "pi-1")
    assert done.returncode == 0 and "queued" in done.stdout and obeyed(context)


@pytest.mark.parametrize("mode", [0o755, 0o500])
def test_what_others_may_only_read_is_a_run(context: Context, run: Path, mode: int) -> None:
    run.chmod(mode)
    assert hpc_launch(context, "status", "pi-1").returncode == 0 and obeyed(context)


@pytest.mark.parametrize("command", ["status", "cancel"])
@pytest.mark.parametrize("foreign", [True, False])
def test_a_record_that_others_may_have_written_is_none_either(
    context: Context, run: Path, command: str, foreign: bool
) -> None:
    give_away(run / "run.json") if foreign else (run / "run.json").chmod(0o664)
    done = hpc_launch(context, *COMMANDS[command], "pi-1")
    refused(context, done, str(run / "run.json"), "belongs to nobody" if foreign else "chmod go-w")


def test_a_link_is_followed_and_whose_it_is_does_not_count(context: Context, run: Path) -> None:
    link = context.directory / "link"
    link.symlink_to(run)
    if os.geteuid() == 0:
        os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
        os.chown(run.parent, NOBODY, NOBODY)
    run.parent.chmod(0o777)
    assert hpc_launch(context, "status", "link").returncode == 0
    run.chmod(0o770)
    assert hpc_launch(context, "status", "link").returncode == 2


def test_what_was_opened_is_what_is_read_wherever_the_name_leads_by_then(context: Context, run: Path) -> None:
    """A change under way goes to the directory that was looked at, or nowhere."""
    strange = context.directory / "strange"
    shutil.copytree(run, strange)
    strange.chmod(0o777)
    link = context.directory / "link"
    link.symlink_to(run)

    def meanwhile(old: Record) -> Record:
        link.unlink()
        link.symlink_to(strange)
        return replace(old, refused="changed")

    with pytest.raises(UsageError, match="is refused"):
        update_record(link, meanwhile)
    assert "changed" not in (strange / "run.json").read_text()
    assert read_record(run).refused is None


def test_a_key_of_a_directory_that_became_somebody_elses_is_left_alone(context: Context, run: Path) -> None:
    from hpc_launch import security

    (run / "tls").mkdir()
    (run / "tls" / "key.pem").write_text("key")
    run.chmod(0o777)
    security.remove(run / "tls")
    assert (run / "tls" / "key.pem").exists()
    run.chmod(0o700)
    security.remove(run / "tls")
    assert not (run / "tls").exists()


def test_list_shows_it_as_refused_and_goes_on(context: Context, run: Path) -> None:
    own = context.directory / "own"
    own.mkdir(mode=0o700)
    write_record(own, record(id="pi-2", commands=batch_commands(own, status=squeue_line("PENDING"))))
    index.add(context, "pi-2", own)
    run.chmod(0o770)
    shown, told = hpc_launch(context, "list"), json.loads(hpc_launch(context, "list", "--json").stdout)
    lines = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
    assert shown.returncode == 0 and not obeyed(context)
    assert lines["pi-1"] == "refused: others may write it" and lines["pi-2"].startswith("queued")
    assert {one["run"]: one["state"] for one in told["runs"]} == {"pi-1": "refused", "pi-2": "queued"}
    [entry] = [one for one in told["runs"] if one["run"] == "pi-1"]
    assert "mode 0770" in entry["reason"] and entry["directory"] == str(run) and entry["outcome"] is None
    give_away(run)
    run.chmod(0o700)
    shown = hpc_launch(context, "list")
    assert "refused: it belongs to nobody" in shown.stdout and not obeyed(context)


@pytest.mark.parametrize("mode", [0o777, 0o700])
def test_submit_does_not_take_over_somebody_elses_directory(context: Context, mode: int) -> None:
    (context.directory / "profile.yaml").write_text(TINY)
    theirs = context.directory / "theirs"
    theirs.mkdir()
    theirs.chmod(mode)
    give_away(theirs)
    done = hpc_launch(context, "submit", "profile.yaml", "--run-dir", "theirs")
    assert done.returncode == 2 and "theirs belongs to nobody" in done.stderr and "leave out --run-dir" in done.stderr
    assert os.listdir(theirs) == [] and theirs.stat().st_mode & 0o7777 == mode
    assert index.entries(context) == []


def test_submit_makes_its_own_empty_directory_private_and_leaves_a_full_one_as_it_is(context: Context) -> None:
    (context.directory / "profile.yaml").write_text(TINY)
    full, empty = context.directory / "full", context.directory / "empty"
    for directory in (full, empty):
        directory.mkdir()
        directory.chmod(0o777)
    (full / "thesis.tex").write_text("")
    refused = hpc_launch(context, "submit", "profile.yaml", "--run-dir", "full")
    assert refused.returncode == 2 and full.stat().st_mode & 0o777 == 0o777
    done = hpc_launch(context, "submit", "profile.yaml", "--run-dir", "empty")
    assert done.returncode == 0 and empty.stat().st_mode & 0o777 == 0o700
    assert hpc_launch(context, "cancel", done.stdout.strip()).returncode == 0
    assert bring_up_to_date(empty).standing.over
