"""Who writes a profile with the words of another program is told ours."""

from __future__ import annotations

import pytest

from hpc_launch.config.document import parse_document
from hpc_launch.config.keys import advice_on_unknown, keys_of, models_at
from hpc_launch.config.other_words import OURS
from hpc_launch.config.validation import validate
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Site


@pytest.mark.parametrize("word", OURS)
def test_each_is_answered_with_keys_that_exist(word: str) -> None:
    model = Site if word == "partitions" else Profile
    advice = advice_on_unknown(model, (word,))
    told = advice[len("did you mean ") : advice.index("?")].split(" and ")
    assert set(told) <= set(OURS[word]), advice
    for name in told:
        *parent, key = name.split(".")
        assert any(key in keys_of(model) for model in models_at(model, tuple(parent)))


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (("Partition",), "queue"),
        (("N-Workers",), "workers.count"),
        (("workers", "n_workers"), "workers.count"),
        (("workers", "processes"), "workers.per_node and workers.count"),
        (("scheduler", "ncpus"), "scheduler.cores"),
        (("ncpus",), "workers.cores"),
        (("workers", "partition"), "workers.queue"),
        (("workload", "script"), "workload.command"),
        (("environment", "env"), "environment.variables"),
    ],
)
def test_the_key_beside_it_is_meant_where_there_is_one(path: tuple[str, ...], meant: str) -> None:
    assert f"did you mean {meant}?" in advice_on_unknown(Profile, path)


def test_the_line_is_told_with_it() -> None:
    text = "partition: gpu\nworkers: {count: 1}\nworkload: {command: x}\n"
    problem = next(each for each in validate(Profile, parse_document(text, "p.yaml"))[1] if "partition" in each.message)
    assert problem.origin is not None and problem.origin.line == 1 and "did you mean queue?" in problem.hint
