"""YAML as people write it, and what is said where it is not."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpc_launch.config.document import A_SITE_PROFILE, LARGEST_FILE, Document, load_document, load_text, parse_document
from hpc_launch.config.origin import KeyPath
from hpc_launch.errors import InvalidConfiguration, Problem


def refused(text: str) -> Problem:
    with pytest.raises(InvalidConfiguration) as caught:
        parse_document(text, "profile.yaml")
    (problem,) = caught.value.problems
    return problem


def line_of(document: Document, *path: str | int) -> int | None:
    return document.origins[path].line


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("12:00:00", "12:00:00"),
        ("48:00:00", "48:00:00"),
        ("1:30", "1:30"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("0755", "0755"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("2026-11-22", "2026-11-22"),
        ("3.10", "3.10"),
        ("1e5", "1e5"),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("=", "="),
        ("nUll", "nUll"),
        ("tRue", "tRue"),
        ("60 GiB", "60 GiB"),
        ("\u0661\u0662", "\u0661\u0662"),
        ("99999999999999999999", "99999999999999999999"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("'~'", "~"),
        ("''", ""),
        ("!!str 5", "5"),
        ("! 5", "5"),
        ("0", 0),
        ("-0", 0),
        ("+7", 7),
        ("-12", -12),
        ("0.5", 0.5),
        ("-1.25", -1.25),
        ("!!float 3.10", 3.1),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("[a, 1, ~]", ["a", 1, None]),
        ("{on: off, 1: x}", {"on": "off", "1": "x"}),
    ],
)
def test_a_word_means_what_it_looks_like(word: str, value: object) -> None:
    if word == "-":
        word = "'-'"
    document = parse_document(f"key: {word}\n", "profile.yaml")
    found = document.data["key"]
    assert (found, type(found)) == (value, type(value))
    assert document.problems == ()


@pytest.mark.parametrize("word", [".inf", ".nan", "1e999", "-1e999"])
def test_a_number_that_no_computer_has_is_none(word: str) -> None:
    (problem,) = parse_document(f"key: 1\nother: !!float {word}\n", "p.yaml").problems
    assert str(problem).startswith(f"p.yaml:2: other: '{word}' is not what its tag !!float says")


def test_a_block_is_text_whatever_it_holds() -> None:
    assert parse_document("setup: |\n  12\n", "p").data == {"setup": "12\n"}


def test_keys_are_their_text_as_written() -> None:
    document = parse_document("on: 1\n2: 2\ntrue: 3\nnull: 4\n1.50: 5\n'a b': 6\n", "p")
    assert list(document.data) == ["on", "2", "true", "null", "1.50", "a b"]


def test_every_value_knows_its_line() -> None:
    text = "# comment\n\nname: é\nworkers:\n  count:\n    6\n  options: [a,\n    b]\n  mails:\n  - x: 1\n  - y\n"
    document = parse_document(text, "profile.yaml")
    lines = {path: origin.line for path, origin in document.origins.items()}
    assert lines == {
        (): 3,
        ("name",): 3,
        ("workers",): 4,
        ("workers", "count"): 6,
        ("workers", "options"): 7,
        ("workers", "options", 0): 7,
        ("workers", "options", 1): 8,
        ("workers", "mails"): 9,
        ("workers", "mails", 0): 10,
        ("workers", "mails", 0, "x"): 10,
        ("workers", "mails", 1): 11,
    }
    assert str(document.origins[("workers", "count")]) == "profile.yaml:6"
    assert document.origins[("name",)].text == "name: é"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_with_every_line_end(end: str) -> None:
    document = parse_document(f"a: 1{end}# x{end}{end}b: 2{end}", "p")
    assert (line_of(document, "b"), document.origins[("b",)].text) == (4, "b: 2")


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert parse_document("\ufeffa: 1\n", "p").data == {"a": 1}


def test_all_that_can_be_gone_on_from_is_told_at_once() -> None:
    text = (
        "a: 1\nb: {c: 1, c: 2}\na: 2\n1: x\n'1': y\n<<: {d: 1}\n"
        "e: !!python/object/apply:os.system [ls]\nf: !secret x\n[g]: 1\n'': 2\n"
    )
    document = parse_document(text, "p.yaml")
    told = [(p.origin.line if p.origin else None, p.message) for p in document.problems]
    assert told == [
        (2, "b.c is set twice, first on line 2"),
        (3, "a is set twice, first on line 1"),
        (5, "1 is set twice, first on line 4"),
        (6, "the merge key << is not supported"),
        (7, "e: the tag !!python/object/apply:os.system is not supported"),
        (8, "f: the tag !secret is not supported"),
        (9, "a key must be a word, not a list or a mapping"),
        (10, "a key is empty"),
    ]
    assert document.data == {"a": 1, "b": {"c": 1}, "1": "x", "e": ["ls"], "f": "x"}


def test_a_tag_that_the_value_belies_is_a_problem() -> None:
    (problem,) = parse_document("a: !!int six\n", "p").problems
    assert "'six' is not what its tag !!int says" in problem.message


def test_a_second_document_is_a_problem() -> None:
    document = parse_document("a: 1\n---\nb: 2\n", "p")
    (problem,) = document.problems
    assert (document.data, str(problem.origin)) == ({"a": 1}, "p:2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "expected keys with values (`key: value`), found a list"),
        ("hello\n", "expected keys with values (`key: value`), found 'hello'"),
        ("", "this file is empty"),
        ("# only a comment\n", "this file is empty"),
        ("---\n", "this file is empty"),
    ],
)
def test_what_is_no_mapping_is_a_problem(text: str, message: str) -> None:
    document = parse_document(text, "p")
    assert (document.data, [p.message for p in document.problems]) == ({}, [message])
    assert document.origins.keys() == {()}


def test_an_empty_file_is_none_where_it_may_be_empty() -> None:
    document = parse_document("# walltime: 1h\n", "config.yaml", may_be_empty=True)
    assert (document.data, document.problems) == ({}, ())


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a:\n\tb: 1\n", 2, "a tab is used for indentation"),
        ("a:\n  b: 1\n\tc: 2\n", 3, "a tab is used for indentation"),
        ("a:\n  b: 1\n c: 2\n", 3, "does not continue the mapping above"),
        ("a: 1\n  b: 2\n", 2, "a ':' where no key can stand"),
        ("a: x: y\n", 1, "a ':' where no key can stand"),
        ("a: 1\nb\nc: 2\n", 2, "a key without ':'"),
        ("a:\n  b 1\n  c: 2\n", 2, "a key without ':'"),
        ("a:\n  b 1\n\n  c 2\n  d: 2\n", 2, "a key without ':'"),
        ("a: 1\nb:2\nc: 2\n", 2, "a key without ':'"),
        ("a\nb: 2\n", 1, "a key without ':'"),
        ("a: 'x y\n  z' b: 2\n", 2, "does not continue the mapping above"),
        ("a: 1\nb: [1,\nc: 2\n", 2, "the [ opened here is never closed"),
        ("a: 1\nb: {c: 1\n", 2, "the { opened here is never closed"),
        ("a: 1\nb: 'x\nc: 2\n", 2, "the quote opened here is never closed"),
        ("a: 1\nb: @x\n", 2, "a value cannot begin with '@'"),
        ("a: 1\nb: `x`\n", 2, "a value cannot begin with '`'"),
        ("a: %x\n", 1, "a value cannot begin with '%'"),
        ("a: *.nc\n", 1, "a value cannot begin with *"),
        ("a: *nc\n", 1, "*nc refers to an anchor &nc that is not set above"),
        ("a: - b\n", 1, "a list cannot begin on the line of its key"),
        ("- a\nb: 1\n", 2, "does not continue the list above"),
        ('a: "\\d"\n', 1, "a \\ in double quotes that means nothing"),
        ("a: !x!y z\n", 1, "this is not YAML (found undefined tag handle"),
        ("a: &x [*x]\n", 1, "*x stands inside what it refers to"),
    ],
)
def test_a_syntax_error_is_told_in_plain_words_with_its_line(text: str, line: int, words: str) -> None:
    problem = refused(text)
    assert words in problem.message
    assert problem.origin is not None
    assert (problem.origin.line, problem.origin.text) == (line, text.splitlines()[line - 1])


def test_aliases_are_expanded() -> None:
    document = parse_document("a: &x {b: [1]}\nc: *x\n", "p")
    assert document.data == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert (line_of(document, "c"), line_of(document, "c", "b", 0)) == (2, 1)
    document.data["c"]["b"].append(2)
    assert document.data["a"] == {"b": [1]}


def test_a_billion_laughs_end_early() -> None:
    bomb = "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert "more than 20000 values" in refused(bomb).message


def test_aliases_do_not_reach_deeper_than_brackets() -> None:
    chain = "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200))
    assert "50 levels" in refused(chain).message


@pytest.mark.parametrize("text", ["a: " + "[" * 100_000 + "]" * 100_000, "- " * 100_000 + "x"])
def test_deep_nesting_is_refused_and_does_not_crash(text: str) -> None:
    problem = refused(text)
    assert problem.message == "nested deeper than 50 levels"
    assert len(str(problem)) < 1000


def test_control_characters_are_refused_and_not_shown_as_they_are() -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        parse_document("a: 1\nb: \x00\x1b[31m\nc: 2\nd: x\u2028y\n", "p")
    assert [str(problem.origin) for problem in caught.value.problems] == ["p:2", "p:4"]
    told = str(caught.value)
    assert "U+0000" in told
    assert "\\x1b[31m" in told
    assert not {"\x00", "\x1b", "\u2028"} & set(told)


def test_hostile_texts_come_through_unchanged() -> None:
    text = "a: \"$(rm -rf ~) `x` 'q' \\n é ☃ 😀\"\nb: $(touch x); echo #no comment\n"
    assert parse_document(text, "p").data == {
        "a": "$(rm -rf ~) `x` 'q' \n é ☃ 😀",
        "b": "$(touch x); echo",
    }


def test_a_file_is_named_as_the_user_named_it(tmp_path: Path) -> None:
    file = tmp_path / "my $(touch x) profile é.yaml"
    file.write_text("count: 6\n", encoding="utf-8")
    assert str(load_document(file).origins[("count",)]) == f"{file}:1"
    assert str(load_document(file, "profile.yaml").origins[("count",)]) == "profile.yaml:1"


def test_a_line_end_in_a_file_name_does_not_break_a_message(tmp_path: Path) -> None:
    file = tmp_path / "a\nb.yaml"
    file.write_text("a: [")
    with pytest.raises(InvalidConfiguration) as caught:
        load_document(file)
    assert "a\\nb.yaml" in str(caught.value)


def unloadable(file: Path) -> str:
    with pytest.raises(InvalidConfiguration) as caught:
        load_document(file, "shown.yaml")
    assert str(caught.value).startswith("shown.yaml")
    return str(caught.value)


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").touch()
    (tmp_path / "other.txt").touch()
    told = unloadable(tmp_path / "profil.yml")
    assert "there is no such file" in told
    assert f"did you mean {tmp_path / 'profile.yaml'}?" in told
    assert unloadable(tmp_path / "nosuch.yaml").endswith(f"\n    did you mean {tmp_path / 'profile.yaml'}?")
    (tmp_path / "profile.yaml").unlink()
    assert unloadable(tmp_path / "nosuch.yaml").endswith("\n    name a file")
    assert f"nor is there a directory {tmp_path / 'none'}" in unloadable(tmp_path / "none" / "x.yaml")


def test_a_directory_names_the_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").touch()
    told = unloadable(tmp_path)
    assert "this is a directory" in told
    assert f"did you mean {tmp_path / 'profile.yaml'}?" in told


def test_a_directory_tells_which_file_in_it_is_what(tmp_path: Path) -> None:
    (tmp_path / "a-machine.yaml").write_text("name: x\nbatch_system: slurm\n")
    (tmp_path / "broken.yaml").write_bytes(b"\xff\n")
    (tmp_path / "values.yaml").write_text("a: 1\nb: |\n  workload: x\n")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "did you mean" in unloadable(tmp_path)
    assert f"did you mean {tmp_path / 'a-machine.yaml'} (a site profile)?" in unloadable(tmp_path)
    (tmp_path / "run.yaml").write_text("name: x\nworkload:\n  command: x\n")
    both = f"{tmp_path / 'run.yaml'} (a profile) or {tmp_path / 'a-machine.yaml'} (a site profile)"
    assert f"did you mean {both}?" in unloadable(tmp_path)


def test_profiles_are_offered_first_of_all_profile_yaml(tmp_path: Path) -> None:
    (tmp_path / "laptop.yaml").write_text("batch_system: local\n")
    for name in ("profile.yaml", "container.yaml"):
        (tmp_path / name).write_text("workload: none\n")
    meant = re.findall(r"([\w.]+) \(", unloadable(tmp_path / "nosuch.yaml"))
    assert meant == ["profile.yaml", "container.yaml", "laptop.yaml"]
    with pytest.raises(InvalidConfiguration) as caught:
        load_text(tmp_path, "a directory", A_SITE_PROFILE)
    assert f"did you mean {tmp_path}/laptop.yaml (a site profile), " in str(caught.value)


def test_of_files_with_one_stem_the_profile_is_meant(tmp_path: Path) -> None:
    for name in ("squares.yaml", "squares.py", "squares.txt"):
        (tmp_path / name).touch()
    assert unloadable(tmp_path / "square.yaml").endswith(f"did you mean {tmp_path / 'squares.yaml'}?")


def test_what_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("a: 1\nb: é\n".encode("latin-1"))
    told = unloadable(file)
    assert told.startswith("shown.yaml:2: not UTF-8")
    assert "b: \\xe9" in told
    file.write_bytes("a: 1\n".encode("utf-16"))
    assert unloadable(file).startswith("shown.yaml:1: not UTF-8")


def test_a_file_of_more_than_a_mebibyte_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_text("#" * LARGEST_FILE)
    assert load_document(file, may_be_empty=True).problems == ()
    file.write_text("#" * (LARGEST_FILE + 1))
    assert "larger than 1 MiB" in unloadable(file)


def test_what_may_have_no_end_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to("pipe.yaml")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.yaml"))
    kinds = {"pipe.yaml": "a named pipe", "link.yaml": "a named pipe", "socket.yaml": "a socket"}
    for name, kind in kinds.items():
        assert f"this is {kind}, not a file" in unloadable(tmp_path / name)
    assert "this is a device, not a file" in unloadable(Path("/dev/zero"))


def test_what_a_shell_has_opened_is_read() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "w") as stream:
        stream.write("a: 1\n")
        stream.close()
        assert load_document(Path(f"/dev/fd/{reading}")).data == {"a": 1}


@pytest.mark.parametrize("target", ["/nonexistent", "nowhere.yaml", "\x1b[2J"])
def test_a_link_to_nowhere_is_told_as_one(tmp_path: Path, target: str) -> None:
    (tmp_path / "profile.yaml").symlink_to(target)
    told = unloadable(tmp_path / "profile.yaml")
    assert "this is a symbolic link to " in told and ", which is not there" in told
    assert "did you mean" not in told and "\x1b" not in told


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    file.touch(mode=0o000)
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may read everything: be somebody else
    try:
        assert "cannot be read: Permission denied" in unloadable(file)
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    assert "cannot be read" in unloadable(tmp_path / name)


def test_a_file_in_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be read: Not a directory" in unloadable(tmp_path / "file" / "x.yaml")


def paths_of(value: Any, at: KeyPath = ()) -> set[KeyPath]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {at}.union(*(paths_of(inner, (*at, step)) for step, inner in below))


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff\u2028\u2029\ufffe\uffff"))
leaves = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | texts
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts.filter(bool), inner), max_leaves=20)


@given(st.dictionaries(texts.filter(bool), values, min_size=1))
def test_what_was_written_is_read_back_with_a_line_for_every_value(data: dict[str, Any]) -> None:
    # JSON with quoted texts is YAML that leaves nothing to interpretation
    document = parse_document(json.dumps(data, ensure_ascii=False, indent=1), "p")
    assert document.data == data
    assert document.origins.keys() == paths_of(data)
    assert all(origin.line is not None for origin in document.origins.values())


@given(st.text() | st.text("ab:-[]{}&*!|>'\" \n\t#%@,?", max_size=60))
def test_no_text_ends_in_anything_but_a_document_or_problems(text: str) -> None:
    try:
        document = parse_document(text, "p")
    except InvalidConfiguration as error:
        assert error.problems
        assert all(problem.origin for problem in error.problems)
    else:
        assert () in document.origins
