"""Whatever a user wrote reaches the shell as they meant it: asked of bash itself."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpc_launch import quoting
from tests.conftest import TIMES

PRINTABLE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)


def shell(line: str, **environment: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        env={"LC_ALL": "C.UTF-8", **environment},
        check=True,
        timeout=10,
    )
    return done.stdout.decode()


@settings(max_examples=40 * TIMES, deadline=None)
@given(values=st.lists(PRINTABLE, min_size=1, max_size=4))
def test_words_are_taken_literally(values: list[str]) -> None:
    assert shell(f"printf '%s\\0' {quoting.words(values)}").split("\0")[:-1] == values


def test_a_program_of_several_lines_is_one_word() -> None:
    program = "if x:\n\tprint(\"it's\", '$HOME')\n\n# end\n"
    assert shell(f"printf '%s\\0' {quoting.words(['-c', program, ''])}").split("\0")[:-1] == ["-c", program, ""]


@settings(max_examples=60 * TIMES, deadline=None)
@given(before=PRINTABLE, after=PRINTABLE)
def test_in_a_path_only_variables_are_expanded(before: str, after: str) -> None:
    before, after = before.replace("$", "").lstrip("~"), after.replace("$", "")
    for variable in ("$SCRATCH/", "${SCRATCH}"):
        expected = f"{before}/fast disk{variable.removeprefix('$SCRATCH').removeprefix('${SCRATCH}')}{after}"
        assert shell(f"printf %s {quoting.path(before + variable + after)}", SCRATCH="/fast disk") == expected


@pytest.mark.parametrize(
    "value",
    ["$(touch x)", "`id`", "$((1+1))", "${x:-y}", 'a"b', "it's", "a\\", "$1", "$", "*", "a;b", "~root"],
)
def test_nothing_else_that_a_shell_would_act_on_is(value: str) -> None:
    assert shell(f"printf %s {quoting.path(value)}") == value
    assert shell(f"printf %s {quoting.path('$HOME/' + value)}", HOME="/h") == f"/h/{value}"


def test_a_leading_tilde_is_the_home_directory() -> None:
    assert shell(f"printf %s {quoting.path('~/a b')}", HOME="/home/user") == "/home/user/a b"


@settings(max_examples=40 * TIMES, deadline=None)
@given(before=PRINTABLE, after=PRINTABLE)
def test_a_value_has_dollars_of_its_own_and_what_is_not_set_is_nothing(before: str, after: str) -> None:
    before, after = before.lstrip("~"), after.replace("`", "")
    written = before.replace("$", "$$").replace("`", "") + "$A${B}$MISSING" + ":" + after.replace("$", "$$")
    assert re.fullmatch(quoting.A_VALUE, written)
    expected = before.replace("`", "") + "a$B`c`:" + after
    assert shell(f"set -u; printf %s {quoting.value(written)}", A="a$B", B="`c`") == expected


@pytest.mark.parametrize("value", ["$(touch x)", "`id`", "$((1+1))", "${x:-y}", "$1", "a$", "$ {A}", "${A", "$$$"])
def test_what_else_a_shell_acts_on_is_no_value(value: str) -> None:
    assert not re.fullmatch(quoting.A_VALUE, value)


@pytest.mark.parametrize("value", ["$(x)", "`id`", "$((1))", "${x:-y}", "$1", "a$", "$$", "a/$HOME/$$", "${A"])
def test_what_else_a_shell_acts_on_is_no_path(value: str) -> None:
    assert re.search(quoting.NOT_IN_A_PATH, value)
    assert not re.search(quoting.NOT_IN_A_PATH, "/a b/$HOME/${A}x/{a}")


def test_expanding_here_is_the_same_as_expanding_there() -> None:
    for value in ("$A/${B}x", "~/runs", "plain", "$A$A"):
        environment = {"A": "/a a", "B": "b$A", "HOME": "/home/user"}
        assert quoting.expand(value, environment) == shell(f"printf %s {quoting.path(value)}", **environment)
    with pytest.raises(KeyError, match="MISSING"):
        quoting.expand("${MISSING}/x", {})
