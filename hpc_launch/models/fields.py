"""The kinds of values that profiles and site profiles hold, each with what is allowed in it."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, Literal

from hpc_launch import units
from hpc_launch.config.wording import shown_value
from hpc_launch.models.schema import After, Before


def _text(value: Any) -> str:
    # Numbers and switches are what YAML made of a word; the user wrote a word (`conda: 3.11`, `account: 2026`).
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"expected text, got {shown_value(value)}")
    text = str(value)
    if control := re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text):
        raise ValueError(f"control characters are not allowed here, found {control.group()!r}")
    return text


def _lines(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected shell lines, got {shown_value(value)}")
    if control := re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value):
        raise ValueError(
            f"control characters are not allowed here, found {control.group()!r}"
            + (" (the file has Windows line ends: save it with Unix ones)" if control.group() == "\r" else "")
        )
    return value


def _matching(pattern: str, allowed: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} is not allowed here: {allowed}")
        return value

    return check


def _path(value: str) -> str:
    if not value.strip():
        raise ValueError("expected a path, got nothing")
    if value.startswith("~") and value != "~" and not value.startswith("~/"):
        raise ValueError(f"{value!r}: other users' homes are not looked up; write the whole path")
    return value


def _on_a_node(value: str) -> str:
    if value != "auto" and not value.startswith(("/", "$", "~")):
        raise ValueError(f"{value!r} is relative, which means nothing on a node: start it with / or a variable")
    return value


def _own_name(value: str) -> str:
    if value.startswith("HPC_LAUNCH_"):
        raise ValueError(f"{value!r}: names that begin with HPC_LAUNCH_ are the program's own")
    return value


Text = Annotated[str, Before(_text)]
"""One line of text without control characters."""
ShellLines = Annotated[str, Before(_lines)]
"""Shell lines, passed on as they are."""
Word = Annotated[
    Text,
    After(
        _matching(
            r"[A-Za-z0-9_][A-Za-z0-9_.,:+@%=\-]*",
            "letters, digits and _ . , : + @ % = - (it becomes a directive)",
        )
    ),
]
"""A value of a directive: PBS and LSF choke on blanks, `#` and quotes (facts recorded in docs/contracts.md)."""
Module = Annotated[Text, After(_matching(r"[A-Za-z0-9_][A-Za-z0-9_.+/@=\-]*", "letters, digits and _ . + / @ = -"))]
"""An environment module, such as `gcc/12.2`."""
Expression = Annotated[
    Text,
    After(
        _matching(r"[A-Za-z0-9_.,:+@%=&|()\[\]!*<>\-]+", "letters, digits and _ . , : + @ % = & | ( ) [ ] ! * < > -")
    ),
]
"""A constraint: Slurm joins features with & and |."""
Name = Annotated[
    Text,
    After(
        _matching(
            r"[A-Za-z][A-Za-z0-9_.\-]{0,63}",
            "a letter, then up to 63 letters, digits, _ . - (it becomes the job's name)",
        )
    ),
]
"""A name of a run or a site: Grid Engine wants a letter first (sge_types manual page)."""
EnvironmentName = Annotated[
    Text,
    After(_matching(r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and _, not starting with a digit")),
    After(_own_name),
]
PathText = Annotated[Text, After(_path)]
"""A path; $NAME and ${NAME} in it are expanded on the node that uses it, nothing else is."""
NodePath = Annotated[PathText, After(_on_a_node)]
"""A path on a node, or `auto`."""
ResourceName = Annotated[Text, After(_matching(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", "letters, digits and _ . -"))]
"""A resource of Dask's workers."""
Directive = Annotated[Text, After(_matching(r"-[^#]*", "one option that starts with -, without #"))]
"""One further directive, such as `--licenses=matlab:1`."""
Seconds = Annotated[int, Before(units.parse_walltime)]
"""A duration; held in seconds."""
Bytes = Annotated[int, Before(units.parse_memory)]
"""An amount of memory; held in bytes."""
Share = Annotated[Fraction, Before(units.parse_fraction)]
"""A share such as `5%`."""
Auto = Literal["auto"]
Switch = bool
Whole = int


def _known_word(word: str, parse: Callable[[Any], int]) -> Callable[[Any], Any]:
    return lambda value: value if value == word else parse(value)


SecondsOrAuto = Annotated[int | Auto, Before(_known_word("auto", units.parse_walltime))]
