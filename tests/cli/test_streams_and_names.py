"""Streams that are closed or full, names that are no text, files without an end: a sentence, or nothing at all."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from hpc_launch.context import Context
from tests.commands import command, environment, user_of_this_process
from tests.commands import ended as ended_inside
from tests.conftest import LEAST

ON = ("--site", "local")
COMMANDS = (
    ("render", "p.yaml", *ON, "--output", "out"),
    ("render", "p.yaml", *ON, "--json"),
    ("render", "nope.yaml"),
    ("status", "nope", "--json"),
    ("nonsense",),
)
"""What writes files, results, errors, both and talk: each ends in its own way."""
Ended = tuple[int, bytes, bytes]


def ended(context: Context, words: Sequence[str | bytes], redirections: str = "", **variables: Any) -> Ended:
    """Run it with the shell's redirections; gives its code, stdout and stderr."""
    shell = ["bash", "-c", f'exec "$@" {redirections}', "bash", *command(), *words]
    told = subprocess.run(
        shell, env={**environment(context), **variables}, cwd=context.directory, capture_output=True, timeout=60
    )
    return told.returncode, told.stdout, told.stderr


@pytest.fixture
def here(context: Context) -> Context:
    """The user, with a profile."""
    (context.directory / "p.yaml").write_text(LEAST)
    context.home.mkdir()
    return context


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_what_nobody_hears_changes_no_code_and_what_cannot_be_written_is_said(
    here: Context, words: Sequence[str]
) -> None:
    code, out, err = ended(here, words)
    files = written(here)
    assert ended(here, words, "<&- >&- 2>&-") == (code, b"", b"")
    if err:
        assert ended(here, words, "2>&-") == (code, out, b"")
        assert ended(here, words, "2>/dev/full") == (code, out, b"")
        assert without_reader(here, words, "2") == (code, out, b"")
    if out:
        assert ended(here, words, ">&-") == (code, b"", err)
        assert without_reader(here, words, "1") == (code, b"", err)
        full = ended(here, words, ">/dev/full")
        assert full[:2] == (2, b"") and b"No space left" in full[2] and b"Traceback" not in full[2]
    assert written(here) == files


def written(here: Context) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (here.directory / "out").rglob("*") if file.is_file()}


def without_reader(context: Context, words: Sequence[str], stream: str) -> Ended:
    """As `ended`, with one stream a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    told = subprocess.run(
        ["bash", "-c", f'exec "$@" {stream}>&{writer}', "bash", *command(), *words],
        env=environment(context), cwd=context.directory, capture_output=True, timeout=60, pass_fds=[writer],
    )  # fmt: skip
    os.close(writer)
    return told.returncode, told.stdout, told.stderr


def in_this_process(words: Sequence[str | bytes], encoding: str = "utf-8") -> Ended:
    """As `ended`, of the current directory and environment, on streams of this encoding."""
    return ended_inside([os.fsdecode(word) for word in words], encoding)


@pytest.fixture
def inside(here: Context) -> Iterator[Context]:
    """That user is the one of this process."""
    with user_of_this_process(here.directory, environment(here)):
        yield here


NAMES = (b"\xff", "ä".encode("latin-1"), "日本".encode("euc-jp"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_names_that_are_not_utf8_end_in_a_sentence_and_good_json(
    inside: Context, monkeypatch: pytest.MonkeyPatch, name: bytes, encoding: str
) -> None:
    odd = os.fsdecode(name)
    (inside.directory / odd).mkdir()
    for profile in (inside.directory / odd / "p.yaml", inside.directory / f"{odd}.yaml"):
        profile.write_text(LEAST)
    monkeypatch.setenv("ODD", odd)
    monkeypatch.setenv("HOME", str(inside.home / odd))
    for words, code in (
        (["render", name + b"/p.yaml", *ON], 2),
        (["check", name + b"/p.yaml", *ON], 2),
        (["submit", "p.yaml", *ON, "--run-dir", name + b"r"], 2),
        (["submit", "p.yaml", *ON], 2),
        (["submit", name + b".yaml", *ON], 2),
        (["render", name], 3),
        (["render", "p.yaml", *ON, "--set", b"account=" + name], 2),
        (["render", "p.yaml", "--site", name], 3),
        (["status", name], 2),
        (["cancel", b"./" + name], 2),
        (["site", "show", name], 3),
        (["list"], 0),
    ):
        plain, as_json = (in_this_process([*words, *more], encoding) for more in ([], ["--json"]))
        for told in (plain, as_json):
            assert (told[0], b"Traceback" in told[2]) == (code, False), (words, told)
        assert isinstance(json.loads(as_json[1].decode(encoding)), dict), (words, as_json)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_what_a_terminal_cannot_show_is_good_json_all_the_same(here: Context, encoding: str) -> None:
    words = ["render", "p.yaml", *ON, "--json", "--set", "workload.command=[ä, 🦆]"]
    code, out, _ = ended(here, words, PYTHONIOENCODING=encoding)
    files = json.loads(out.decode(encoding))["files"]
    assert code == 0 and "ä 🦆" in files["workload.sh"].replace("'", ""), files["workload.sh"]


def test_what_a_command_prints_is_a_profile_and_kept_with_the_run(here: Context) -> None:
    code, out, err = ended(here, ["render", "/dev/stdin", *ON, "--json"], "< <(cat p.yaml)")
    assert code == 0 and json.loads(out)["files"]["profile.yaml"] == LEAST, err


def test_what_is_no_file_or_has_no_end_is_refused_at_once(inside: Context) -> None:
    (inside.directory / "loop").symlink_to("loop")
    (inside.directory / "directory").mkdir()
    with (inside.directory / "huge").open("wb") as huge:
        huge.truncate(2**40)
    for name in ("loop", "directory", "huge", "/dev/zero", "/dev/null", "/dev/full", "p.yaml/x", "x" * 5000):
        path = name if name.startswith("/") else f"./{name}"
        for words in (["render", path, *ON], ["render", "p.yaml", "--site", path], ["site", "check", path]):
            assert in_this_process(words)[0] == 3, words
    os.mkfifo("pipe")
    for words in (["render", "pipe", *ON], ["site", "check", "./pipe"]):
        code, _, err = ended(inside, words)
        assert (code, b"this is a named pipe, not a file" in err) == (3, True), err
    code, _, err = ended(inside, ["render", "/dev/stdin", *ON], "< <(yes)")
    assert code == 3 and b"larger than 1 MiB" in err
