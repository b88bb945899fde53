"""The kinds of values that profiles and site profiles hold, each with what is allowed in it."""

import datetime
import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from hpc_launch import quoting, units
from hpc_launch.config.wording import as_word, shown_value
from hpc_launch.models.base import Json, Matching, Without, whole, without

CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
"""Not in a text: control characters, and whatever else ends a line."""
CONTROL_IN_LINES = r"[\x00-\x08\x0b-\x1f\x7f]"
"""Not in shell lines, which have tabs and line ends."""
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


def text(value: Any) -> str:
    """One line of text, as written."""
    word = _word(value)
    if control := re.search(CONTROL, word):
        raise ValueError(f"control characters are not allowed here, found {control.group()!r}")
    return word


def _word(value: Any) -> str:
    # Numbers and switches are what YAML made of a word; the user wrote a word (`conda: 3.11`, `account: 2026`).
    if (word := as_word(value)) is None:
        raise ValueError(f"expected text, got {shown_value(value)}")
    return word


def argument(value: Any) -> str:
    """A word of a command, of any number of lines."""
    return _lines(_word(value))


def shell_lines(value: Any) -> str:
    """Shell lines, as written."""
    if not isinstance(value, str):
        raise ValueError(f"expected shell lines, got {shown_value(value)}")
    return _lines(value)


def _lines(value: str) -> str:
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


def moment(value: str) -> str:
    """One that the calendar has."""
    try:
        datetime.datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"there is no such time: {value!r}") from None
    return value


def regular_expression(value: str) -> str:
    """One that Python understands."""
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


def first_and_last(ports: str) -> tuple[int, int]:
    """Of `FIRST-LAST`."""
    first, last = map(int, ports.split("-"))
    return first, last


def ports(value: str) -> str:
    """Two that there are, the smaller one first."""
    first, last = first_and_last(value)
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"{value!r} are no ports: the first of them, a - and the last, from 1 to 65535")
    return value


def seconds_or_auto(value: Any) -> int | str:
    """Seconds of a duration, or `auto`."""
    return value if value == "auto" else units.parse_walltime(value)


def share_as_written(value: Fraction) -> str:
    """`5%`."""
    return f"{float(value * 100):g}%"


def threshold(value: Any) -> Fraction | Literal[False]:
    """A share of a worker's memory, or false."""
    if value is False:
        return False
    if not (share := units.parse_fraction(value)):
        raise ValueError("0 is no threshold: a share such as 60%, or false for none")
    return share


def _only(pattern: str, allowed: str) -> Matching:
    return Matching(pattern, f"{{value!r}} is not allowed here: {allowed}")


_TEXT: Json = {"type": ["string", "number"], **without(CONTROL)}
_NOT_NOTHING = {"pattern": "[1-9]"}
"""Memory and durations of nothing are refused."""
_DURATION = {
    "type": "string",
    "pattern": whole(units.WALLTIME),
    "allOf": [_NOT_NOTHING],
    "examples": ["12:00:00", "1-12:00:00", "90m", "2h30m"],
}
_MEMORY = {
    "type": "string",
    "pattern": whole(units.MEMORY),
    "allOf": [_NOT_NOTHING],
    "examples": ["60 GiB", "1.5 TB"],
}
_SHARE = {
    "type": ["string", "number"],
    "minimum": 0,
    "exclusiveMaximum": 1,
    "pattern": whole(units.SHARE),
    "examples": ["5%", 0.05],
}
_NUMBER = {"type": ["number", "string"], "pattern": r"^[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$"}
"""Written 0.10, a number keeps its text (config.reading.resolved)."""

Auto = Literal["auto"]
Switch = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Positive = Annotated[Whole, Field(ge=1)]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False), WithJsonSchema({**_NUMBER, "exclusiveMinimum": 0})]
"""A number of a resource."""
Text = Annotated[str, BeforeValidator(text), WithJsonSchema(_TEXT)]
"""One line of text without control characters."""
Argument = Annotated[
    str, BeforeValidator(argument), WithJsonSchema({"type": ["string", "number"], **without(CONTROL_IN_LINES)})
]
"""A word of a command, which may hold tabs and line ends: the scripts that say it are no directives."""
ShellLines = Annotated[
    str, BeforeValidator(shell_lines), WithJsonSchema({"type": "string", **without(CONTROL_IN_LINES)})
]
"""Shell lines, passed on as they are."""
Word = Annotated[
    Text,
    _only(
        r"[A-Za-z0-9_][A-Za-z0-9_.,:+@%=\-]*",
        "letters, digits and _ . , : + @ % = - (it becomes a directive)",
    ),
]
"""A value of a directive: PBS and LSF choke on blanks, `#` and quotes (facts recorded in docs/contracts.md)."""
NO_COMMA = Without(",", "{value!r}: a comma stands between queues, and in no name of one")
QueueName = Annotated[Word, NO_COMMA]
Module = Annotated[Text, _only(r"[A-Za-z0-9_][A-Za-z0-9_.+/@=\-]*", "letters, digits and _ . + / @ = -")]
"""An environment module, such as `gcc/12.2`."""
Import = Annotated[
    Text,
    _only(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*", "the name of a Python module, such as scipy.signal"),
    Without(
        r"^(torch|tensorflow|jax|cupy|rmm|cudf|cuml|cugraph|pycuda)(\.|$)",
        "{value!r} may take hold of a GPU, and what has hold of one must not be forked: leave it to the tasks",
    ),
]
"""A Python module that a process imports of which workers are forks."""
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
GroupName = Annotated[
    Text,
    _only(
        r"[A-Za-z][A-Za-z0-9_]{0,31}",
        "a letter, then up to 31 letters, digits and _ (it becomes part of a job's name)",
    ),
    Without(r"^(scheduler|workers)$", "{value!r} is what a job is called in every run: choose another"),
]
"""A name of a group of workers: behind a - a job's name ends with the number of its submission."""
EnvironmentName = Annotated[
    Text,
    _only(r"[A-Za-z_][A-Za-z0-9_]*", "letters, digits and _, not starting with a digit"),
    Without(r"^HPC_LAUNCH_", "names that begin with HPC_LAUNCH_ are the program's own: choose another"),
]
EnvironmentValue = Annotated[
    Text,
    Matching(
        quoting.A_VALUE,
        "{value!r}: $NAME and ${{NAME}} are expanded, and $$ is a dollar; what else a shell acts on belongs in"
        " environment.setup, in a line `export NAME=…`",
    ),
]
"""Of an environment variable: $NAME and ${NAME} in it are expanded on the node, $$ is a dollar."""
PathText = Annotated[
    Text,
    Without(r"^\s*$", "expected a path, got nothing"),
    Without(r"^~[^/]", "{value!r}: other users' homes are not looked up; write the whole path"),
    Without(
        quoting.NOT_IN_A_PATH,
        "{value!r}: in a path $NAME and ${{NAME}} are expanded, nothing else that a shell acts on: set a variable in"
        " environment.setup, `export NAME=…`, and write $NAME",
    ),
]
"""A path; $NAME and ${NAME} in it are expanded on the node that uses it, nothing else is."""
NodePath = Annotated[
    PathText,
    Matching(r"(auto|[/$~].*)", "{value!r} is relative, which means nothing on a node: start it with / or a variable"),
]
"""A path on a node, or `auto`."""
HostName = Annotated[Text, _only(r"[A-Za-z0-9_][A-Za-z0-9_.@:\-]*", "a host as ssh knows it: NAME or USER@NAME")]
"""A host, for ssh."""
ResourceName = Annotated[Text, _only(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", "letters, digits and _ . -")]
"""A resource of Dask's workers."""
Directive = Annotated[Text, _only(r"--?[A-Za-z@][^#]*", "one option that starts with - and a letter, without #")]
"""One further directive, such as `--licenses=matlab:1`."""
Ports = Annotated[
    Text, Matching(r"[0-9]{1,5}-[0-9]{1,5}", "expected ports such as 50000-55000, got {value!r}"), AfterValidator(ports)
]
"""The first and the last of some."""
RegularExpression = Annotated[Text, AfterValidator(regular_expression), WithJsonSchema({**_TEXT, "format": "regex"})]
Date = Annotated[
    datetime.date,
    BeforeValidator(date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": whole(DATE)}),
]
Moment = Annotated[
    Text,
    Matching(f"{DATE}T[0-9]{{2}}:[0-9]{{2}}", "expected a date and a time such as 2026-12-01T22:00, got {value!r}"),
    AfterValidator(moment),
]
"""A date and a time, to the minute."""
Seconds = Annotated[int, BeforeValidator(units.parse_walltime), WithJsonSchema(_DURATION)]
"""A duration; held in seconds."""
SecondsOrAuto = Annotated[
    int | Auto, BeforeValidator(seconds_or_auto), WithJsonSchema({"anyOf": [{"const": "auto"}, _DURATION]})
]
Bytes = Annotated[
    int, BeforeValidator(units.parse_memory), PlainSerializer(units.exact_memory), WithJsonSchema(_MEMORY)
]
"""An amount of memory; held in bytes."""
Share = Annotated[
    Fraction, BeforeValidator(units.parse_fraction), PlainSerializer(share_as_written), WithJsonSchema(_SHARE)
]
"""A share such as `5%`."""
Threshold = Annotated[
    Fraction | Literal[False],
    BeforeValidator(threshold),
    PlainSerializer(lambda value: value and share_as_written(value)),
    WithJsonSchema({"anyOf": [{"const": False}, {**_SHARE, "exclusiveMinimum": 0, "allOf": [_NOT_NOTHING]}]}),
]
"""A share of a worker's memory, or `false`."""
