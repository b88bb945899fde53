"""The kinds of values that profiles and site profiles hold, each with what is allowed in it."""

import datetime
import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from hpc_launch import units
from hpc_launch.config.wording import as_word, shown_value
from hpc_launch.models.schema import After, Before, Matching, Without

CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
"""Not in a text: control characters, and whatever else ends a line."""
CONTROL_IN_LINES = r"[\x00-\x08\x0b-\x1f\x7f]"
"""Not in shell lines, which have tabs and line ends."""
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def text(value: Any) -> str:
    """One line of text, as written."""
    # Numbers and switches are what YAML made of a word; the user wrote a word (`conda: 3.11`, `account: 2026`).
    if (word := as_word(value)) is None:
        raise ValueError(f"expected text, got {shown_value(value)}")
    if control := re.search(CONTROL, word):
        raise ValueError(f"control characters are not allowed here, found {control.group()!r}")
    return word


def shell_lines(value: Any) -> str:
    """Shell lines, as written."""
    if not isinstance(value, str):
        raise ValueError(f"expected shell lines, got {shown_value(value)}")
    if control := re.search(CONTROL_IN_LINES, value):
        raise ValueError(
            f"control characters are not allowed here, found {control.group()!r}"
            + (" (the file has Windows line ends: save it with Unix ones)" if control.group() == "\r" else "")
        )
    return value


def date(value: Any) -> datetime.date:
    """The day that is written."""
    try:
        # Python 3.11 and newer take other forms too.
        return datetime.date.fromisoformat(value if re.fullmatch(DATE, value) else "")
    except (TypeError, ValueError):
        raise ValueError(f"expected a date such as 2026-11-22, got {value!r}") from None


def regular_expression(value: str) -> str:
    """One that Python understands."""
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


def ports(value: str) -> str:
    """Two that there are, the smaller one first."""
    first, last = map(int, value.split("-"))
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"{value!r} are no ports: the first of them, a - and the last, from 1 to 65535")
    return value


def named(value: Any) -> Any:
    """A mapping with a `name`, or that name in its place."""
    return {"name": value} if isinstance(value, str) else value


def _only(pattern: str, allowed: str) -> Matching:
    return Matching(pattern, f"{{value!r}} is not allowed here: {allowed}")


Text = Annotated[str, Before(text)]
"""One line of text without control characters."""
ShellLines = Annotated[str, Before(shell_lines)]
"""Shell lines, passed on as they are."""
Word = Annotated[
    Text,
    _only(
        r"[A-Za-z0-9_][A-Za-z0-9_.,:+@%=\-]*",
        "letters, digits and _ . , : + @ % = - (it becomes a directive)",
    ),
]
"""A value of a directive: PBS and LSF choke on blanks, `#` and quotes (facts recorded in docs/contracts.md)."""
Module = Annotated[Text, _only(r"[A-Za-z0-9_][A-Za-z0-9_.+/@=\-]*", "letters, digits and _ . + / @ = -")]
"""An environment module, such as `gcc/12.2`."""
Expression = Annotated[
    Text,
    _only(r"[A-Za-z0-9_.,:+@%=&|()\[\]!*<>\-]+", "letters, digits and _ . , : + @ % = & | ( ) [ ] ! * < > -"),
]
"""A constraint: Slurm joins features with & and |."""
Name = Annotated[
    Text,
    _only(
        r"[A-Za-z][A-Za-z0-9_.\-]{0,63}",
        "a letter, then up to 63 letters, digits, _ . - (it becomes the job's name)",
    ),
]
"""A name of a run or a site: Grid Engine wants a letter first (sge_types manual page)."""
EnvironmentName = Annotated[
    Text,
    _only(r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and _, not starting with a digit"),
    Without(r"^HPC_LAUNCH_", "names that begin with HPC_LAUNCH_ are the program's own: choose another"),
]
PathText = Annotated[
    Text,
    Without(r"^\s*$", "expected a path, got nothing"),
    Without(r"^~[^/]", "{value!r}: other users' homes are not looked up; write the whole path"),
]
"""A path; $NAME and ${NAME} in it are expanded on the node that uses it, nothing else is."""
NodePath = Annotated[
    PathText,
    Matching(r"(auto|[/$~].*)", "{value!r} is relative, which means nothing on a node: start it with / or a variable"),
]
"""A path on a node, or `auto`."""
ResourceName = Annotated[Text, _only(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", "letters, digits and _ . -")]
"""A resource of Dask's workers."""
Directive = Annotated[Text, _only(r"--?[A-Za-z@][^#]*", "one option that starts with - and a letter, without #")]
"""One further directive, such as `--licenses=matlab:1`."""
Ports = Annotated[
    Text, Matching(r"[0-9]{1,5}-[0-9]{1,5}", "expected ports such as 50000-55000, got {value!r}"), After(ports)
]
"""The first and the last of some."""
RegularExpression = Annotated[Text, After(regular_expression)]
Date = Annotated[datetime.date, Before(date)]
Seconds = Annotated[int, Before(units.parse_walltime)]
"""A duration; held in seconds."""
Bytes = Annotated[int, Before(units.parse_memory)]
"""An amount of memory; held in bytes."""
Share = Annotated[Fraction, Before(units.parse_fraction)]
"""A share such as `5%`."""
Auto = Literal["auto"]
Switch = bool
Whole = int
SecondsOrAuto = Annotated[int | Auto, Before(units.parse_walltime, but_for="auto")]
