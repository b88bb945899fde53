"""What a user is told about values that the model does not take."""

# No `from __future__ import annotations`: pydantic reads the annotations of the models below.

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, model_validator

from hpc_launch.config.assignments import parse_assignments
from hpc_launch.config.document import parse_document
from hpc_launch.config.layers import merge
from hpc_launch.config.validation import validate
from hpc_launch.errors import Problem
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Site


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _even(value: Any) -> int:
    if not isinstance(value, int) or value % 2:
        raise ValueError(f"{value!r} is odd: use an even number")
    return value


def _lines(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected shell lines, got {value!r}")
    return value


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Launcher(Strict):
    name: str
    options: list[str] = []


class Machine(Strict):
    address: str
    ports: list[int] = []
    name: str = ""


class Queue(Strict):
    cores: Annotated[StrictInt, Field(ge=1)] | None = None
    launcher: str | Launcher = "srun"


class Workers(Strict):
    count: Annotated[StrictInt, Field(ge=1)] = Field(description="worker processes")
    threads: StrictInt | Literal["auto"] = "auto"
    spill: StrictBool | Literal["auto"] = "auto"
    lifetime: Annotated[int, BeforeValidator(_even)] | Literal["none"] = "none"
    options: list[str] = []
    share: float = 0.0
    minimum: StrictInt = 1

    @model_validator(mode="after")
    def _reachable(self) -> "Workers":
        if self.minimum > self.count:
            raise ValueError(f"minimum {self.minimum} is more than count {self.count}")
        return self


class Model(Strict):
    schema_: Literal[1] = Field(1, alias="schema")
    layout: Literal["single-job", "job-array"] = "single-job"
    colour: Colour = Colour.RED
    name: Annotated[str, Field(pattern="^[a-z]+$", max_length=9)] = "x"
    workers: Workers = Workers(count=1)
    queues: dict[Annotated[str, Field(pattern="^[a-z]+$")], Queue] = {}
    hosts: list[Launcher | Machine] = []
    command: list[str] | Annotated[str, BeforeValidator(_lines)] = "true"
    words: Annotated[list[str], Field(min_length=1)] | Annotated[str, BeforeValidator(_lines)] = "true"


def problems(text: str) -> list[Problem]:
    return validate(Model, parse_document(text, "p.yaml"))[1]


def told(text: str) -> str:
    (problem,) = problems(text)
    return str(problem)


def test_a_good_document_becomes_the_model() -> None:
    model, wrong = validate(Model, parse_document("schema: 1\nworkers: {count: 6, threads: auto}\n", "p"))
    assert wrong == []
    assert model is not None
    assert model.workers.count == 6


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("schema: 2", "schema: expected 1, got 2"),
        ("layout: mpi", "layout: expected 'single-job' or 'job-array', got 'mpi'"),
        ("colour: blue", "colour: expected 'red' or 'green', got 'blue'"),
        ("name: 5", "name: expected text, got 5"),
        ("name: A B", "name: expected text that matches ^[a-z]+$, got 'A B'"),
        ("workers: 5", "workers: expected a mapping, got 5"),
        ("workers: [count]", "workers: expected a mapping, got a list"),
        ("workers: {count: six}", "workers.count: expected a whole number, got 'six'"),
        ("workers: {count: 1.5}", "workers.count: expected a whole number, got 1.5"),
        ("workers: {count: true}", "workers.count: expected a whole number, got true"),
        ("workers: {count: 0}", "workers.count: expected at least 1, got 0"),
        ("workers: {count: 1, share: x}", "workers.share: expected a number, got 'x'"),
        (
            "workers: {count: 1, threads: six}",
            "workers.threads: expected a whole number or 'auto', got 'six'",
        ),
        ("workers: {count: 1, spill: no}", "workers.spill: expected true, false or 'auto', got 'no'"),
        ("workers: {count: 1, lifetime: 3}", "workers.lifetime: 3 is odd: use an even number"),
        ("workers: {count: 1, minimum: 2}", "workers: minimum 2 is more than count 1"),
        ("workers: {count: 1, options: a}", "workers.options: expected a list, got 'a'"),
        ("workers: {count: 1, options: [a, {b: 1}]}", "workers.options[1]: expected text, got a mapping"),
        ("workers: {count: 1, options: [a, ~]}", "workers.options[1]: expected text, got null"),
        ("queues: {short: {cores: many}}", "queues.short.cores: expected a whole number, got 'many'"),
        ("queues: {SHORT: {}}", "the name of queues.SHORT: expected text that matches ^[a-z]+$, got 'SHORT'"),
        ("queues: {short: {launcher: 5}}", "queues.short.launcher: expected text or a mapping, got 5"),
        ("queues: {a: {launcher: {name: [x]}}}", "queues.a.launcher.name: expected text, got a list"),
        ("hosts: [{address: x, ports: [a]}]", "hosts[0].ports[0]: expected a whole number, got 'a'"),
        ("hosts: [x]", "hosts[0]: expected a mapping, got 'x'"),
        ("command: 5", "command: expected a list or shell lines, got 5"),
        ("command: [python, 5]", "command[1]: expected text, got 5"),
        ("words: []", "words: expected a list of at least 1, got an empty list"),
        ("words: {}", "words: expected a list or shell lines, got an empty mapping"),
    ],
)
def test_one_wrong_value_is_one_problem_in_plain_words(line: str, message: str) -> None:
    assert told(line).splitlines()[0] == f"p.yaml:1: {message}"


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("layout: singel-job", "did you mean single-job?"),
        ("layout: Job_Array", "did you mean job-array?"),
        ("workers: {count: 1, threads: atuo}", "did you mean auto?"),
        ("workers: {count: 1, spill: no}", "did you mean false?"),
        ("workers: {count: 1, lifetime: 3}", "also allowed: 'none'"),
        ("name: 5", "a number or true and false need quotes to be text: '5'"),
        ("workers: {count: 1, options: gcc/12.2}", "write [gcc/12.2]"),
        ("workers: {count: 1, options: --nice 5}", "write [--nice, 5], or [--nice 5] if that is one"),
        ("workers: {count: 1, options: '--x \"a b\" ]'}", "write [--x, a b, ']'], or ['--x \"a b\" ]'] if that is one"),
        ('workers: {count: 1, options: "it\'s, a [b]: #c"}', "write ['it''s, a [b]: #c'] if that is one"),
        ("workers: {count: 1, options: 'a: b'}", "write ['a:', b], or ['a: b'] if that is one"),
        ("workers: {count: 1, options: 5}", "write [5]"),
        ("workers: {count: 1, options: true}", "write ['true']"),
        ("queues: A=1", "write {A: 1}"),
        ("queues: A = 1", "write {A: 1}"),
        ("queues: A=1 B=2", "write {A: 1, B: 2}"),
        ("queues: \"A='x, y' B=z\"", "write {A: 'x, y', B: z}"),
        ("workers: 4", "write its keys, {key: value}: count, lifetime, minimum, options, share, spill, threads"),
        ("hosts: [x]", "write its keys, {key: value}: address, name, options, ports"),
        ("workers: {cuont: 1}", "did you mean workers.count?"),
        ("workers: {threads: 1}", "add count: worker processes"),
        ("threads: 2", "did you mean workers.threads?"),
        ("shcema: 1", "did you mean schema?"),
        ("zzz: 1", "allowed here: colour, command, hosts, layout, name, queues, schema, words, workers"),
        ("queues: {short: {core: 1}}", "did you mean queues.short.cores? allowed here: cores, launcher"),
        ("queues: {a: {launcher: {name: x, opts: []}}}", "did you mean queues.a.launcher.options?"),
        ("hosts: [{address: x, prots: []}]", "did you mean hosts[0].ports?"),
    ],
)
def test_the_next_step_is_told(line: str, advice: str) -> None:
    assert any(advice in problem.hint for problem in problems(line))


def test_an_unknown_key_and_a_missing_one_are_both_told() -> None:
    found = problems("workers:\n  cuont: 6\n")
    assert [str(problem).splitlines()[0] for problem in found] == [
        "p.yaml:1: workers.count is missing",
        "p.yaml:2: workers.cuont is not a known key",
    ]


def test_a_problem_shows_the_line() -> None:
    assert told("workers:\n  count: six # a lot\n").splitlines()[1] == "    count: six # a lot"


def test_a_missing_top_level_key_shows_no_line_that_is_not_at_fault() -> None:
    class Needy(Strict):
        name: str
        site: str

    (problem,) = validate(Needy, parse_document("# comment\nname: x\n", "p.yaml"))[1]
    assert str(problem) == "p.yaml:2: site is missing"


def test_all_problems_are_told_in_the_order_of_the_lines() -> None:
    text = "zzz: 1\nname: 5\nname: y\nlayout: x\nworkers:\n  spill: 2\n  count: x\nqueues: {s: {core: 1}}\n"
    found = problems(text)
    assert [problem.origin.line if problem.origin else None for problem in found] == [1, 2, 3, 4, 6, 7, 8]


def test_the_document_s_own_problems_are_told_although_the_model_is_good() -> None:
    model, found = validate(Model, parse_document("name: a\nname: b\n", "p"))
    assert model is not None
    assert [problem.message for problem in found] == ["name is set twice, first on line 1"]


def test_each_value_is_blamed_on_the_layer_that_set_it() -> None:
    site = parse_document("workers: {count: 1, spill: 5}\n", "site.yaml")
    profile = parse_document("\nlayout: x\n", "profile.yaml")
    found = validate(Model, merge([site, profile, parse_assignments(["workers.threads=x"])]))[1]
    assert {str(problem.origin) for problem in found} == {
        "site.yaml:1",
        "profile.yaml:2",
        "--set workers.threads=x",
    }


def test_a_key_named_like_a_type_is_a_key() -> None:
    (problem,) = problems("workers: {count: 1, int: 2}")
    assert problem.message == "workers.int is not a known key"


def test_a_hostile_key_is_shown_harmlessly() -> None:
    (problem,) = problems('"a\\nb\\e[31m $(x)": 1\n')
    assert problem.message == r"'a\nb\x1b[31m $(x)' is not a known key"


def test_a_long_value_is_cut() -> None:
    (problem,) = problems(f"layout: {'x' * 5000}\n")
    assert len(str(problem)) < 500


def written(form: str) -> list[str]:
    model, wrong = validate(Model, parse_document(f"workers: {{count: 1, options: {form}}}\n", "p"))
    assert model is not None and wrong == []
    return model.workers.options


def advised(text: str) -> str:
    quoted = "'" + text.replace("'", "''") + "'"
    (problem,) = problems(f"command: [x]\nworkers: {{count: 1, options: {quoted}}}\n")
    return problem.hint.removeprefix("write ")


@pytest.mark.parametrize(
    "word", ["gcc", "it's", "#c", "[x", "{", "&a", "*a", "a,b", "%x", "@x", "`x", "-", "null", "no", '"a', "a\\b"]
)
def test_what_is_advised_for_a_list_can_be_written(word: str) -> None:
    assert written(advised(word)) == [word]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("--nice x", ["--nice", "x"]),
        ("a: b", ["a:", "b"]),
        ("! x", ["!", "x"]),
        ("- x", ["-", "x"]),
        ("--preload 'my file.py' null", ["--preload", "my file.py", "null"]),
        ("{a, b}  ]", ["{a,", "b}", "]"]),
    ],
)
def test_of_text_with_blanks_both_that_it_may_be_can_be_written(text: str, words: list[str]) -> None:
    several, one = advised(text).removesuffix(" if that is one").split(", or ")
    assert (written(several), written(one)) == (words, [text])


def test_text_that_is_no_shell_words_is_one_if_anything() -> None:
    assert written(advised("it's a b").removesuffix(" if that is one")) == ["it's a b"]


@pytest.mark.parametrize("value", ["{a: b}", "~", "'\\x1b[31m'", "{}"])
def test_where_nobody_knows_what_was_meant_nothing_is_made_up(value: str) -> None:
    assert all("\x1b" not in problem.hint for problem in problems(f"workers: {{count: 1, options: {value}}}"))


@pytest.mark.parametrize(
    ("hints", "shown"), [(["b"], "a\n    b"), (["a", "b"], "a\n    a\n    b"), ([""], "a"), (["", "b"], "a\n    b")]
)
def test_one_more_hint_stands_on_a_line_of_its_own(hints: list[str], shown: str) -> None:
    problem = Problem("a")
    for hint in hints:
        problem = problem.also(hint)
    assert str(problem) == shown


def test_a_mapping_that_is_missing_is_shown_with_the_keys_that_it_needs() -> None:
    _, found = validate(Profile, parse_document("name: x\nworkers: {count: 1}\n", "p.yaml"))
    assert [each.hint for each in found] == [
        "add workload: {command: …} (command: a list: run as it is; a string: a bash command line), or none"
    ]


def test_the_name_of_a_variable_is_told_once() -> None:
    text = "workers: {count: 1}\nworkload: {command: x}\nenvironment: {variables: {HPC_LAUNCH_NODE: 1}}\n"
    _, (only,) = validate(Profile, parse_document(text, "p.yaml"))
    where, _, why = only.message.partition(": ")
    assert where == "the name of environment.variables.HPC_LAUNCH_NODE"
    assert why == "names that begin with HPC_LAUNCH_ are the program's own: choose another"


def test_of_a_document_that_is_not_whole_nothing_is_missing() -> None:
    document = parse_document("name: x\nlaunchers: {node: {options: [a]}}\ntitel: x\n", "x.yaml")
    _, problems = validate(Site, document)
    assert [each.message for each in problems if "missing" in each.message] == [
        *("batch_system is missing", "queues is missing", "launchers.node.name is missing")
    ]
    site, left = validate(Site, document, whole=False)
    assert site is None and [each.message for each in left] == ["titel is not a known key"]


@pytest.mark.parametrize(("text", "line", "key"), [
    ("workers:\n  count 6\n", 2, "workers.count"),
    ("workers:\n  count=6\n", 2, "workers.count"),
    ("workers:\n  count:6\n", 2, "workers.count"),
    ("queues:\n  short\n", 2, None),
    ("workers: countless\n", 1, None),
])  # fmt: skip
def test_a_key_without_a_colon_is_told_at_its_line(text: str, line: int, key: str | None) -> None:
    [problem] = problems(text)
    assert problem.origin is not None and problem.origin.line == line
    assert (problem.message == f"{key}: a key without ':'") == (key is not None), problem.message


def test_an_unknown_key_is_one_also_where_it_is_null() -> None:
    merged = merge([parse_document("workers: {count: 1}\n", "low"), parse_document("workers: {cout: null}\n", "high")])
    [problem] = validate(Model, merged)[1]
    assert str(problem).startswith("high:1: workers.cout is not a known key")
    known = merge(
        [parse_document("workers: {count: 1, threads: 2}\n", "low"), parse_document("workers: {threads: }", "h")]
    )
    assert validate(Model, known)[1] == []
