"""Finding a run by what a person types."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.errors import UsageError
from hpc_launch.runs import index

ONE, TWO = "pi-20261122-120000-aaaaaa", "pi-20261122-130000-bbbbbb"


def run(context: Context, run_id: str) -> Path:
    directory = context.directory / "runs" / run_id
    directory.mkdir(parents=True)
    (directory / "run.json").write_text("{}")
    time.sleep(0.02)  # the clock of a file system is coarse
    index.add(context, run_id, directory)
    return directory


def test_a_run_is_found_by_its_id_a_beginning_of_it_and_its_directory(context: Context) -> None:
    one, two = run(context, ONE), run(context, TWO)
    assert index.find(context, ONE) == one
    assert index.find(context, "pi-20261122-13") == two
    assert index.find(context, str(one)) == one
    assert index.find(context, f"runs/{ONE}") == one
    assert index.find(replace(context, directory=one), ".") == one


def test_without_words_it_is_the_latest(context: Context) -> None:
    run(context, "z-20261122-120000-aaaaaa")
    later = run(context, "a-20261122-120001-bbbbbb")
    assert index.find(context) == later


def test_an_id_that_is_the_beginning_of_another_is_meant_itself(context: Context) -> None:
    short = run(context, "pi")
    run(context, "pi-2")
    assert index.find(context, "pi") == short


def test_a_name_is_the_latest_run_of_that_name(context: Context) -> None:
    latest = [run(context, run_id) for run_id in (ONE, TWO)][-1]
    run(context, "pi-fine-20261122-140000-cccccc")
    assert index.find(context, "pi") == latest
    with pytest.raises(UsageError, match="Did you mean pi"):
        index.find(context, "pj")
    with pytest.raises(UsageError, match="may mean 3 runs"):
        index.find_entry(context, "pi")


def test_several_that_begin_alike_are_listed(context: Context) -> None:
    run(context, ONE), run(context, TWO)
    with pytest.raises(UsageError) as told:
        index.find(context, "pi-")
    assert ONE in str(told.value) and TWO in str(told.value)


@pytest.mark.parametrize("words", ["", "po-20261122-120000-aaaaaa", "no/such", "/", "~", "$(touch x)", "\n"])
def test_what_is_no_run_is_said_with_the_next_step(context: Context, words: str) -> None:
    run(context, ONE)
    with pytest.raises(UsageError, match="hpc-launch list"):
        index.find(context, words)


def test_a_near_match_is_named(context: Context) -> None:
    run(context, ONE)
    with pytest.raises(UsageError, match=ONE):
        index.find(context, ONE.replace("pi", "po"))


def test_before_the_first_run_the_next_step_is_submit(context: Context) -> None:
    with pytest.raises(UsageError, match="hpc-launch submit"):
        index.find(context)


def test_a_deleted_run_directory_is_said(context: Context) -> None:
    directory = run(context, ONE)
    (directory / "run.json").unlink()
    directory.rmdir()
    with pytest.raises(UsageError, match="is gone"):
        index.find(context, ONE)
    assert [entry.there for entry in index.entries(context)] == [False]


def test_a_latest_run_that_is_gone_is_said_and_the_next_is_named(context: Context) -> None:
    run(context, ONE)
    lost = [run(context, run_id) for run_id in (TWO, "pi-20261122-140000-cccccc")]
    for directory in lost:
        (directory / "run.json").unlink()
        directory.rmdir()
    with pytest.raises(UsageError) as told:
        index.find(context)
    assert "is gone" in str(told.value) and lost[-1].name in str(told.value) and ONE in str(told.value)


def test_strange_files_in_the_index_do_no_harm(context: Context) -> None:
    one = run(context, ONE)
    (context.state / "runs" / "a file").write_text("")
    os.symlink("loop", context.state / "runs" / "loop")
    assert index.find(context, ONE) == one
    assert {entry.id for entry in index.entries(context)} == {ONE, "loop"}
