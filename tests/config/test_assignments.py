"""The --set options of a command line."""

from __future__ import annotations

import pytest

from hpc_launch.config.assignments import parse_assignments
from hpc_launch.config.document import parse_document
from hpc_launch.config.layers import merge
from hpc_launch.errors import UsageError


def refused(*words: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse_assignments(words)
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "data"),
    [
        ("walltime=12:00:00", {"walltime": "12:00:00"}),
        ("workers.count=24", {"workers": {"count": 24}}),
        ("workers.resources={a: 1}", {"workers": {"resources": {"a": 1}}}),
        ("workload.command=[python, x.py, --a=b]", {"workload": {"command": ["python", "x.py", "--a=b"]}}),
        ("qos=null", {"qos": None}),
        ("qos=", {"qos": None}),
        ("name=''", {"name": ""}),
        ("name='#1'", {"name": "#1"}),
        ("name=$(touch x) é", {"name": "$(touch x) é"}),
        ("security=none", {"security": "none"}),
        ("environment.variables={A.B: 'x=y'}", {"environment": {"variables": {"A.B": "x=y"}}}),
    ],
)
def test_a_value_is_read_as_in_a_file(word: str, data: dict[str, object]) -> None:
    assert parse_assignments([word]).data == data


def test_every_value_tells_which_option_set_it() -> None:
    document = parse_assignments(["workers.count=24", "workers.resources={a: [1]}"])
    assert {path: str(origin) for path, origin in document.origins.items()} == {
        (): "--set",
        ("workers",): "--set workers.count=24",
        ("workers", "count"): "--set workers.count=24",
        ("workers", "resources"): "--set workers.resources={a: [1]}",
        ("workers", "resources", "a"): "--set workers.resources={a: [1]}",
        ("workers", "resources", "a", 0): "--set workers.resources={a: [1]}",
    }
    assert all(origin.line is None for origin in document.origins.values())


def test_later_options_win() -> None:
    document = parse_assignments(["a=[1, 2]", "a=[3]", "b.c=1", "b={d: 2}", "b.c=5", "e.f=1", "e=null"])
    assert document.data == {"a": [3], "b": {"d": 2, "c": 5}, "e": None}
    told = {path: str(origin) for path, origin in document.origins.items() if path}
    assert told == {
        ("a",): "--set a=[3]",
        ("a", 0): "--set a=[3]",
        ("b",): "--set b={d: 2}",
        ("b", "c"): "--set b.c=5",
        ("b", "d"): "--set b={d: 2}",
        ("e",): "--set e=null",
    }


def test_null_removes_what_a_file_set() -> None:
    profile = parse_document("queue: short\nworkers: {count: 1, memory: 1 GiB}\n", "profile.yaml")
    document = merge([profile, parse_assignments(["queue=null", "workers.memory=null"])])
    assert document.data == {"workers": {"count": 1}}


@pytest.mark.parametrize("second", ["a.b=2", "a={b: 2}"])
@pytest.mark.parametrize("first", ["a=1", "a=null", "a=[1]"])
def test_a_plain_value_cannot_have_keys_too(first: str, second: str) -> None:
    assert "a was set to a plain value by an earlier --set" in refused(first, second)


@pytest.mark.parametrize("word", ["workers.count", "=5", ".a=1", "a.=1", "a..b=1", "a b=1", "a\nb=1", "'a'=1", ""])
def test_what_is_no_assignment_is_refused_with_an_example(word: str) -> None:
    assert "for example: --set workers.count=24" in refused(word)


def test_one_item_of_a_list_cannot_be_set() -> None:
    assert "set the whole list" in refused("workers.options[0]=x")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("a=[1", "the [ opened here is never closed"),
        ("a=#1", "the value is a YAML comment"),
        ("a={b: 1, b: 2}", "b is set twice"),
        ("a=!x 1", "the tag !x is not supported"),
        ("a=\x1b[31m", "control character"),
    ],
)
def test_a_value_that_cannot_be_read_is_wrong_usage(word: str, told: str) -> None:
    message = refused(word)
    assert told in message
    assert message.replace("\n", "").isprintable()


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse_assignments(["a", "b=1", "c=["])
    assert len(caught.value.problems) == 2
    assert caught.value.exit_code == 2
