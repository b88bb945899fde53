"""What is asked for by an object's words: dask-jobqueue's, the keys of a profile, a file, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpc_launch.client import jobqueue
from hpc_launch.client.request import prepared
from hpc_launch.context import Context
from hpc_launch.errors import HpcLaunchError, InvalidConfiguration, UsageError
from hpc_launch.prepare import Prepared


def asked(context: Context, profile: str | None = None, **words: Any) -> Prepared:
    return prepared(profile, "testcluster", words, context)


def origin(found: Prepared, *path: str) -> str:
    return str(found.resolved.origin(*path))


def test_nothing_is_a_standing_cluster_that_begins_without_workers(context: Context) -> None:
    found = asked(context)
    assert (found.plan.layout, found.plan.workers_wanted, found.plan.stands) == ("job-array", 0, True)
    assert found.plan.name == "cluster" and [job.role for job in found.plan.jobs] == ["scheduler"]


def test_of_each_group_there_are_none_at_first(context: Context) -> None:
    found = asked(context, workers={"memory": "1 GiB", "groups": {"cpu": {}, "fat": {"memory": "4 GiB", "count": 1}}})
    assert {name: group.count for name, group in found.plan.groups.items()} == {"cpu": 0, "fat": 1}


def test_the_site_and_the_user_have_their_defaults_above_that(context: Context) -> None:
    context.configuration.mkdir(parents=True)
    (context.configuration / "config.yaml").write_text("name: mine\nworkers: {count: 2, memory: 1 GiB}\n")
    found = asked(context)
    assert (found.plan.name, found.plan.workers_wanted) == ("mine", 2)


def test_a_job_asks_for_the_memory_that_was_said_and_its_workers_get_their_part(context: Context) -> None:
    found = asked(context, cores=4, processes=2, memory="4 GiB")
    [job] = found.plan.on_demand
    [group] = found.plan.groups.values()
    assert (group.per_node, group.threads, job.cores_per_node) == (2, 2, 4)
    assert job.memory_bytes_per_node == 4 * 2**30
    assert 2 * group.memory_bytes == pytest.approx(0.95 * 4 * 2**30, abs=2)
    assert origin(found, "workers", "memory") == "HPCCluster(memory='4 GiB')"
    assert origin(found, "workers", "threads") == "HPCCluster(cores=4)"


def test_the_other_words_of_a_job(context: Context) -> None:
    found = asked(
        context,
        n_workers=3,
        job_name="pi",
        walltime="00:30:00",
        interface="eth0",
        local_directory="$TMPDIR",
        job_extra_directives=["--licenses=a:1"],
        job_script_prologue=["ulimit -n 65535", "true"],
        worker_extra_args=["--preload warm_up.py"],
        python="/opt/python",
    )
    profile = found.resolved.profile
    assert (profile.name, profile.walltime, profile.workers.count) == ("pi", 1800, 3)
    assert profile.workers.interface == profile.scheduler.interface == "eth0"
    assert profile.directives == ["--licenses=a:1"]
    assert profile.environment.setup == "ulimit -n 65535\ntrue"
    assert profile.workers.options == ["--preload", "warm_up.py"]
    assert profile.environment.python == "/opt/python"


def test_keys_win_over_the_file_whose_workload_is_not_run(context: Context) -> None:
    text = "name: pi\nworkers: {count: 2, memory: 1 GiB}\nworkload: {command: [python, work.py]}\n"
    (context.directory / "profile.yaml").write_text(text)
    found = asked(context, "profile.yaml", workers={"count": 4})
    assert (found.plan.name, found.plan.workers_wanted, found.plan.stands) == ("pi", 4, True)
    assert found.plan.layout == "job-array"
    assert found.rendered.files["profile.yaml"] == text
    assert origin(found, "workers", "count") == "HPCCluster(workers.count=4)"


def test_without_a_file_the_run_keeps_a_profile_that_says_the_same(context: Context) -> None:
    found = asked(context, cores=4, processes=2, memory="4 GiB", workers={"resources": {"slots": 1}})
    (context.directory / "again.yaml").write_text(found.rendered.files["profile.yaml"])
    again = prepared("again.yaml", None, {}, context)
    assert again.plan == found.plan


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"workers": {"cout": 3}}, "HPCCluster(workers.cout=3): workers.cout is not a known key"),
        ({"memory": "120G"}, "HPCCluster(memory='120G'): '120G' is ambiguous"),
        ({"cores": 0}, "HPCCluster(cores=0): expected a whole number"),
        ({"walltime": "12:30"}, "HPCCluster(walltime='12:30'): walltime: '12:30' is ambiguous"),
        ({"python": "apptainer exec image python"}, "names an interpreter, not a command"),
        ({"queue": "nosuch"}, "nosuch"),
        ({"worker_extra_args": "--name 'a"}, 'HPCCluster(worker_extra_args="--name \'a"): No closing quotation'),
        ({"job_extra_directives": 3}, "HPCCluster(job_extra_directives=3): expected a text, or a list of texts"),
        ({"account": object()}, "cannot be the value of a key"),
    ],
)
def test_what_is_wrong_is_told_with_the_word_that_said_it(context: Context, words: dict[str, Any], said: str) -> None:
    with pytest.raises(HpcLaunchError) as refused:
        asked(context, **words)
    assert said in str(refused.value)


def test_one_text_in_place_of_a_list_is_one_of_it_and_none_is_as_if_nothing_was_said(context: Context) -> None:
    found = asked(context, memory="1 GiB", job_extra_directives="--exclusive", worker_extra_args="--preload 'a b'")
    assert found.resolved.profile.directives == ["--exclusive"]
    assert found.resolved.profile.workers.options == ["--preload", "a b"]
    nothing = asked(context, memory="1 GiB", job_extra_directives=None, job_script_prologue=None, python=None)
    assert nothing.plan == asked(context, memory="1 GiB").plan


@pytest.mark.parametrize("word", jobqueue.IN_OUR_WORDS)
def test_a_word_that_has_another_here_is_answered_with_it(context: Context, word: str) -> None:
    with pytest.raises(UsageError, match=f"{word}= has no use here\n    .") as refused:
        asked(context, **{word: "x"})
    assert jobqueue.IN_OUR_WORDS[word] in str(refused.value)


def test_a_file_that_is_not_there_is_told(context: Context) -> None:
    with pytest.raises(InvalidConfiguration, match="no such file"):
        asked(context, str(Path("nofile.yaml")))
