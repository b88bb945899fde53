"""The JSON Schemas agree with what the program itself takes and refuses."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic_core import ValidationError

from hpc_launch.config.document import Document, load_document, parse_document
from hpc_launch.config.layers import merge
from hpc_launch.models.base import Model
from hpc_launch.models.fields import date
from hpc_launch.models.profile import Profile, Workers
from hpc_launch.models.site import Queue, Site
from hpc_launch.schema import profile_schema, site_schema
from tests.conftest import ROOT, TIMES

Json = dict[str, Any]
SCHEMAS = {"profile": profile_schema(), "site": site_schema()}
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}

EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
PROFILES = [
    *(file for file in EXAMPLES if "\nworkload:" in file.read_text(encoding="utf-8")),
    *(ROOT / "benchmarks").glob("*.yaml"),
]
SITES = [
    *(file for place in ("site_profiles", "tests/site", "tests/torque") for file in (ROOT / place).glob("*.yaml")),
    *(file for file in EXAMPLES if file not in PROFILES),
]


def complaints(kind: str, data: Any) -> list[str]:
    """What the schema has against a document."""
    return [f"{error.json_path}: {error.message}" for error in VALIDATORS[kind].iter_errors(data)]


def loads(kind: str, data: Json) -> bool:
    """Whether the program takes it: as the only layer, or as the whole site profile."""
    model: type[Model] = Profile if kind == "profile" else Site
    try:
        model.model_validate(merge([Document(data, {}, ())]).data if kind == "profile" else data)
    except ValidationError:
        return False
    return True


def relative(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_each_is_a_schema_of_the_draft_it_names(kind: str) -> None:
    assert SCHEMAS[kind]["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMAS[kind])
    assert json.loads(json.dumps(SCHEMAS[kind])) == SCHEMAS[kind]


def patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from patterns(inner)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_editors_can_read_the_patterns(kind: str) -> None:
    """As JavaScript with its flag `u` does: an escape without need is an error, and much of Python is not known."""
    found = set(patterns(SCHEMAS[kind]))
    assert len(found) > 8
    for pattern in found:
        rest = re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|[sSdDwW]|[-^$\\.*+?()\[\]{}|/])", "", pattern)
        assert "\\" not in rest, pattern
        assert not re.search(r"\(\?(?![:=!])|[*+?}][+]", rest), pattern


# What the project itself has


def test_there_are_documents_to_try() -> None:
    assert len(PROFILES) >= 11 and len(SITES) >= 18


@pytest.mark.parametrize("file", PROFILES, ids=relative)
def test_every_profile_of_the_project_is_valid(file: Path) -> None:
    assert complaints("profile", load_document(file).data) == []


@pytest.mark.parametrize("file", SITES, ids=relative)
def test_every_site_profile_of_the_project_is_valid(file: Path) -> None:
    assert complaints("site", load_document(file).data) == []


def blocks() -> list[Any]:
    """The documents in the documentation."""
    blocks = []
    for file in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        found = re.findall(r"^```yaml\n(.*?)^```$", file.read_text(encoding="utf-8"), re.M | re.S)
        for number, text in enumerate(found):
            blocks.append(pytest.param(text, id=f"{file.name}-{number}"))
    return blocks


@pytest.mark.parametrize("text", blocks())
def test_every_document_in_the_documentation_is_valid(text: str) -> None:
    kind = "profile" if text.startswith("# profile.yaml") else "site"
    assert complaints(kind, parse_document(text, "docs").data) == []


# Value for value

LEAST: dict[str, Json] = {
    "profile": {"workers": {"count": 2}, "workload": {"command": ["true"]}},
    "site": {"name": "s", "batch_system": "slurm", "queues": {"short": {}}},
}
VALUES: list[Any] = [
    *(None, True, False, 0, 1, 2, -1, -5, 1_000_001, 0.05, 0.5, -0.5, 1.5, 99.5),
    *("", " ", "x", "a b", "auto", "true", "none", "tls", "mpi", "short", "gcc/12.2", "a&b|c", "HPC_LAUNCH_X", "ü"),
    *("a\nb", "a\tb", "a\x00b", "a\x7fb", "a\u2028b", "a\r\n", "$(id)", "'", '"', "#SBATCH x", "--mem=1#", "-A x"),
    *("60 GiB", "60 GB", "60GB", "60", "60G", "0 GB", "0.0 GB", "1.5 TiB", "60 gb", " 60 GB", "60  GB", "-1 GB"),
    *("12:00:00", "1-12:00:00", "00:00:00", "12:30", "90m", "2h30m", "0s", "1d12h", "30m2h", "1:2:3", "90"),
    *("5%", "100%", "99.9 %", "0.05", "1", "1.0", "5 % ", "1e-3", "0%", "-5%"),
    *("/scratch", "$TMPDIR", "~", "~/x", "~other", "relative/x", "./x", "/a b"),
    *("2026-11-22", "2026-11-22T08:00", "2026-11-22 08:00", "22.11.2026", "50000-55000", "50000"),
    *([], ["x"], [""], ["a\nb"], [1], [None], [["x"]], ["end"], ["mpi", "mpi"], ["-x"]),
    *([{"name": "a", "contact": "b"}], [{"name": "a"}], {"name": "srun"}, {"image": "a.sif"}, {"to": "a@b.c"}),
    *({}, {"x": 1}, {"x": "1"}, {"x": "0.10"}, {"x": None}, {"x": {}}, {"a b": "c"}, {"HPC_LAUNCH_A": "b"}),
    *({"cores": 4}, {"cores": "4"}, {"short": {"cores": 8, "corse": 8}}),
]  # fmt: skip


def paths(model: type[Model], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each key of a model and of those in it."""
    for name, field in model.model_fields.items():
        path = (*above, field.alias or name)
        yield path
        if isinstance(field.annotation, type) and issubclass(field.annotation, Model):
            yield from paths(field.annotation, path)
    if model is Site:
        yield from paths(Queue, ("queues", "short"))


def with_value(kind: str, path: tuple[str, ...], value: Any) -> Json:
    """The least document with one more key."""
    data = deepcopy(LEAST[kind])
    place = data
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    return data


def is_stricter(kind: str, path: tuple[str, ...], value: Any) -> bool:
    """Where the schema may refuse what the program lets pass, since it is nothing or is not used."""
    nothing = kind == "profile" and value == {"x": None}  # merging has taken the unknown key away
    return nothing or (path == ("schema",) and value is True) or path == ("defaults",)


KEYS = [("profile", path) for path in paths(Profile)] + [("site", path) for path in paths(Site)]
PARTS = sorted({(kind, path[0]) for kind, path in KEYS})


@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_it_takes_and_refuses_for_each_key_what_the_program_does(kind: str, part: str) -> None:
    taken_wrongly, refused_wrongly = [], []
    for path in [path for each, path in KEYS if (each, path[0]) == (kind, part)]:
        for value in VALUES:
            data = with_value(kind, path, value)
            takes, against = loads(kind, data), complaints(kind, data)
            if not takes and not against and path != ("detect", "hostname"):
                taken_wrongly.append((path, value))
            if takes and against and not is_stricter(kind, path, value):
                refused_wrongly.append((path, value, against))
    assert (taken_wrongly, refused_wrongly) == ([], [])


WRITTEN: list[tuple[str, str, list[Any], list[Any]]] = [
    ("profile", "walltime", ["12:00:00", "1-12:00:00", "90m", "1d12h"], ["", "0s", "12:30", "30m2h", 90, "90"]),
    ("profile", "workers.memory", ["60 GiB", "1.5TB", "1 B"], ["60", "60G", "0 GB", "60 gb", "60  GB", 60]),
    ("profile", "workers.lifetime", ["auto", "90m"], ["automatic", "", "5"]),
    ("profile", "workers.local_directory", ["auto", "/a b", "$X", "~", "~/x"], ["automatic", "x/auto", "~xavier", ""]),
    (
        "profile",
        "workload.directory",
        ["x", "~/x", "a~b", 1, "$A/${B}"],
        ["~xavier", "", "  ", "a\u2028b", "$$", "a`b`", "${A:-x}"],
    ),
    ("profile", "account", ["a", "2026", 2026, "a@b"], ["a b", "a#", "-a", "", "a\n", "ü", True]),
    (
        "profile",
        "directives",
        [["-A x"], ["--x=y z"]],
        [["x"], ["--x=1#2"], [""], ["-x\ny"], "-x", ["-"], ["--"], ["- x"], ["---x"]],
    ),
    (
        "profile",
        "environment.variables",
        [{"_A1": 1}, {"A": "\u00e9"}, {"A": ""}, {"A": "$A:${B}$$(x)"}],
        [{"1A": "b"}, {"HPC_LAUNCH_X": "b"}, {"A-B": ""}, {"A": "$(x)"}, {"A": "${A:-x}"}, {"A": "a$"}, {"A": "`x`"}],
    ),
    ("profile", "environment.setup", ["a\n\tb\n"], ["a\r\n", "a\x00", "a\x7f", 5]),
    ("site", "reviewed", ["2026-11-22"], ["2026-11-22x", "22.11.2026", "2026-11", 2026]),
    ("site", "network.ports", ["1-2", "50000-55000"], ["50000", "50000-", "500000-1", "1-2-3", 5]),
    (
        "site",
        "memory.headroom",
        ["5%", "0.05", 0.05, 0, "12.5 %", "1e-3", 1e-05],
        ["100%", "1", "-5%", "", "5 % ", True, "1e-0", "..e-1", "12e-1"],
    ),
    ("site", "launchers.node", ["srun", {"name": "srun"}], [{}, {"options": []}, "a b", 5]),
]


@pytest.mark.parametrize(("kind", "path", "taken", "refused"), WRITTEN, ids=[path for _, path, _, _ in WRITTEN])
def test_what_may_be_written(kind: str, path: str, taken: list[Any], refused: list[Any]) -> None:
    """Both are made of the same patterns: that they agree does not say that these are right."""
    for values, good in ((taken, True), (refused, False)):
        for value in values:
            data = with_value(kind, tuple(path.split(".")), value)
            assert loads(kind, data) is good, value
            assert (complaints(kind, data) == []) is good, value


@pytest.mark.parametrize(
    ("ports", "taken"),
    [
        *(("1-65535", True), ("50000-50000", True), ("9999-10000", True)),
        *(("60000-50000", False), ("70000-99999", False), ("50000-65536", False), ("0-5", False)),
    ],
)
def test_ports_are_some_that_there_are_the_first_one_first(ports: str, taken: bool) -> None:
    """Which no pattern can say: the schema takes them all."""
    data = with_value("site", ("network", "ports"), ports)
    assert loads("site", data) is taken
    assert complaints("site", data) == []


@pytest.mark.parametrize("written", ["20261122", "2026-W47-7", "2026-11-32", "2026-11-22\n", 2026, None])
def test_a_date_is_written_in_one_way_with_every_python(written: Any) -> None:
    with pytest.raises(ValueError, match="expected a date such as"):
        date(written)


TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet=string.digits + "dhms:-", max_size=12),
    st.text(alphabet=string.digits + "kKMGTBi .", max_size=10),
    st.text(alphabet=string.digits + "%.e- ", max_size=8),
    st.text(alphabet=string.ascii_letters + "~/$. \n-_#", max_size=8),
)
HELD_TO_IT = [
    ("profile", ("workers", "memory")),
    ("profile", ("walltime",)),
    ("profile", ("workers", "lifetime")),
    ("profile", ("workers", "local_directory")),
    ("profile", ("workload", "directory")),
    ("profile", ("account",)),
    ("profile", ("constraint",)),
    ("profile", ("name",)),
    ("profile", ("environment", "setup")),
    ("site", ("memory", "headroom")),
    ("site", ("title",)),
]


@settings(max_examples=300 * TIMES, deadline=None)
@given(key=st.sampled_from(HELD_TO_IT), text=TEXTS)
def test_no_text_that_the_program_takes_is_refused(key: tuple[str, tuple[str, ...]], text: str) -> None:
    kind, path = key
    data = with_value(kind, path, text)
    against = complaints(kind, data)
    if loads(kind, data):
        assert against == []
    elif not re.fullmatch(r"\d+-\d+:\d\d:\d\d|.*\n", text, re.S):  # see `schema`; Python's $ is also before a line end
        assert against != []


# What is required, and layers


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("profile", {}),
        ("profile", {"workers": {"count": 2}}),
        ("profile", {"workers": {}, "workload": {"command": "true"}}),
        ("profile", {"workers": {"count": None}, "workload": {"command": "true"}}),
        ("profile", {**LEAST["profile"], "worker": {}}),
        ("profile", {**LEAST["profile"], "environment": {"container": {"binds": []}}}),
        ("site", {}),
        ("site", {"name": "s", "batch_system": "slurm"}),
        ("site", {**LEAST["site"], "maintainers": [{"name": "a"}]}),
        ("site", {**LEAST["site"], "launchers": {"node": {"options": []}}}),
        ("site", {**LEAST["site"], "title": None}),
        ("site", {**LEAST["site"], "extends": None, "queues": None}),
    ],
)
def test_what_is_missing_or_unknown_is_refused_by_both(kind: str, data: Json) -> None:
    assert not loads(kind, data)
    assert complaints(kind, data) != []


def test_a_site_profile_that_extends_another_needs_nothing_and_may_take_away() -> None:
    data = {"extends": "parent", "title": None, "launchers": {"node": {"options": ["-v"]}}, "queues": {"old": None}}
    assert complaints("site", data) == []
    assert complaints("site", {**data, "titel": "x"}) != []
    assert complaints("site", {**data, "maintainers": [{"name": "a"}]}) != []


def test_the_defaults_of_a_site_are_keys_of_a_profile() -> None:
    site = LEAST["site"]
    assert complaints("site", {**site, "defaults": {"walltime": "01:00:00", "workers": {"threads": 2}}}) == []
    for wrong in ({"walltme": "01:00:00"}, {"walltime": 60}, {"workers": {"memory": "4G"}}):
        assert complaints("site", {**site, "defaults": wrong}) != []


def test_the_zone_without_a_schema_takes_anything() -> None:
    assert complaints("site", {**LEAST["site"], "custom": {"a": [None, {"b": "\x00"}]}}) == []


# What editors show


def properties(schema: Json, above: str = "") -> Iterator[tuple[str, Json]]:
    """Each key with what is said of it."""
    for name, said in schema.get("properties", {}).items():
        yield above + name, said
        inner = [said, said.get("items"), said.get("additionalProperties"), *said.get("anyOf", [])]
        for one in inner:
            if isinstance(one, dict):
                yield from properties(one, f"{above}{name}.")


WHOLE = {"profile": SCHEMAS["profile"], "site": SCHEMAS["site"]["else"]}


@pytest.mark.parametrize("kind", WHOLE)
def test_every_default_is_a_value_that_may_be_written(kind: str) -> None:
    defaults = {key: said for key, said in properties(WHOLE[kind]) if "default" in said}
    assert len(defaults) > 25
    for key, said in defaults.items():
        schema = {**said, "$defs": SCHEMAS[kind].get("$defs", {})}
        assert Draft202012Validator(schema).is_valid(said["default"]), key


def test_it_says_what_a_key_is() -> None:
    found = dict(properties(WHOLE["profile"]))
    assert found["workers.memory"]["description"] == Workers.model_fields["memory"].description
    assert found["scheduler.memory"]["default"] == "2 GiB"
    assert found["security"]["enum"] == ["tls", "none", None]
    assert dict(properties(WHOLE["site"]))["memory.headroom"]["default"] == "5%"
    for schema in WHOLE.values():
        assert [key for key, said in properties(schema) if not said.get("description")] == []
