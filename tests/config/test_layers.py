"""Several documents as one: which value wins, and where it came from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.config.assignments import parse_assignments
from hpc_launch.config.document import Document, parse_document
from hpc_launch.config.layers import dotted, flatten, merge
from hpc_launch.config.origin import BUILT_IN, KeyPath


def merged(**texts: str) -> Document:
    return merge([parse_document(text, name) for name, text in texts.items()])


def origins(document: Document) -> dict[str, str]:
    return {dotted(path): str(origin) for path, origin in document.origins.items() if path}


def test_mappings_merge_and_everything_else_replaces() -> None:
    document = merged(
        low="a: {x: 1, y: [1, 2, 3], z: {deep: 1}}\nb: word\nc: {k: 1}\n",
        high="\na: {y: [9], z: {other: 2}}\nb: {now: mapping}\nc: word\n",
    )
    assert document.data == {
        "a": {"x": 1, "y": [9], "z": {"deep": 1, "other": 2}},
        "b": {"now": "mapping"},
        "c": "word",
    }
    assert origins(document) == {
        "a": "high:2",
        "a.x": "low:1",
        "a.y": "high:2",
        "a.y[0]": "high:2",
        "a.z": "high:2",
        "a.z.deep": "low:1",
        "a.z.other": "high:2",
        "b": "high:3",
        "b.now": "high:3",
        "c": "high:4",
    }


def test_null_is_as_if_no_layer_had_set_it() -> None:
    document = merged(low="a: {x: {deep: 1}, y: 2}\nb: 1\n", high="a: {x: null}\nb: ~\nc:\n")
    assert document.data == {"a": {"y": 2}}
    assert origins(document) == {"a": "high:1", "a.y": "low:1"}


def test_null_removes_only_what_is_below_it() -> None:
    document = merged(low="a: {x: 1}\n", middle="a: null\n", high="a: {y: 2}\n")
    assert document.data == {"a": {"y": 2}}
    assert origins(document) == {"a": "high:1", "a.y": "high:1"}


def test_null_within_a_list_stays() -> None:
    assert merged(only="a: [1, null]\n").data == {"a": [1, None]}


def test_a_missing_key_would_be_added_in_the_highest_file_not_on_the_command_line() -> None:
    profile = parse_document("workers:\n  threads: 2\n", "profile.yaml")
    document = merge([profile, parse_assignments(["workers.memory=1 GiB", "mail.to=me"])])
    assert str(document.origins[("workers",)]) == "profile.yaml:1"
    assert str(document.origins[()]) == "profile.yaml:1"
    assert str(document.origins[("workers", "memory")]) == "--set workers.memory=1 GiB"
    assert str(document.origins[("mail",)]) == "--set mail.to=me"


def test_a_layer_without_origins_can_be_the_lowest() -> None:
    built_in = Document({"a": {"b": 1}}, {(): BUILT_IN, ("a", "b"): BUILT_IN}, ())
    document = merge([built_in, parse_document("c: 1\n", "p")])
    assert document.data == {"a": {"b": 1}, "c": 1}
    assert origins(document) == {"a.b": "built-in default", "c": "p:1"}


def test_problems_of_all_layers_are_kept() -> None:
    assert [p.message for p in merged(low="a: 1\na: 2\n", high="b: !x 1\n").problems] == [
        "a is set twice, first on line 1",
        "b: the tag !x is not supported",
    ]


def test_the_layers_stay_as_they_were() -> None:
    low, high = parse_document("a: {b: [1]}\n", "low"), parse_document("a: {c: [2]}\n", "high")
    document = merge([low, high])
    document.data["a"]["b"].append(9)
    document.data["a"]["c"].append(9)
    assert (low.data, high.data) == ({"a": {"b": [1]}}, {"a": {"c": [2]}})


def test_lists_and_empty_mappings_are_leaves() -> None:
    data = {"a": {"b": 1, "c": {}}, "d": [{"e": 1}]}
    assert list(flatten(data)) == [(("a", "b"), 1), (("a", "c"), {}), (("d",), [{"e": 1}])]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (("workers", "count"), "workers.count"),
        (("qos", "debug", "jobs"), "qos.debug.jobs"),
        (("workers", "options", 2), "workers.options[2]"),
        (("mails", 0, "to"), "mails[0].to"),
        (("queues", "a b\n.c"), r"queues.'a b\n.c'"),
        ((), ""),
    ],
)
def test_a_key_path_is_one_word(path: KeyPath, words: str) -> None:
    assert dotted(path) == words


trees = st.recursive(
    st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
).filter(lambda tree: isinstance(tree, dict))


@given(st.lists(trees, min_size=1, max_size=4))
def test_every_leaf_comes_from_the_highest_layer_that_has_it(layers: list[dict[str, object]]) -> None:
    documents = [parse_document(repr(layer), str(n)) for n, layer in enumerate(layers)]
    document = merge(documents)
    highest = dict(flatten(layers[-1]))
    found = dict(flatten(document.data))
    for path, leaf in highest.items():
        if leaf != {}:
            assert found[path] == leaf
            assert document.origins[path].source == str(len(layers) - 1)
    for path, leaf in found.items():
        if leaf != {}:
            source = int(document.origins[path].source)
            assert dict(flatten(layers[source]))[path] == leaf
    assert merge([document]).data == document.data
