"""Values of dataclasses, stored as JSON and read again: what is taken, what is refused, and how that is told."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.errors import UsageError
from hpc_launch.models.record import Ending, data_of, record_of
from hpc_launch.models.stored import Unfit
from hpc_launch.runs.directory import read_record, write_record
from tests.runs.jobs import NOW, record

ENDING = Ending(outcome="failed", exit_code=7, reason="ü", source="job", decided=NOW + timedelta(microseconds=5))
FULL = replace(record(), cancel_requested=NOW.astimezone(timezone(timedelta(hours=2))), outcome=ENDING)


def stored() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(data_of(FULL)))
    return data


def test_a_record_is_read_back_equal() -> None:
    assert record_of(stored()) == FULL
    assert stored()["created"] == "2026-11-22T12:00:00Z"  # as every version has written it


REQUIRED = [
    field.name for field in fields(FULL) if field.name in {"schema", "id", "created", "plan", "jobs", "commands"}
]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_key_that_is_needed_is_named_where_it_is_missing(key: str) -> None:
    with pytest.raises(Unfit, match=f"{key}: is missing"):
        record_of({name: value for name, value in stored().items() if name != key})


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("id",), 7, "id: should be a text"),
        (("schema",), 0, "schema: should be 1"),
        (("created",), "yesterday", "created: should be a date and time"),
        (("created",), "2026-11-22T12:00:00", "created: should have a time zone"),
        (("plan",), [], "plan: should be a mapping"),
        (("plan", "minimum"), True, "plan.minimum: should be a whole number"),
        (("jobs",), {}, "jobs: should be a list"),
        (("jobs", 0, "nodes"), 1.5, "jobs.0.nodes: should be a whole number"),
        (("jobs", 0, "command", 1), None, "jobs.0.command.1: should be a text"),
        (("commands",), {"status": "squeue"}, "commands.status: should be a list"),
        (("submit_stdin",), 1, "submit_stdin: should be true or false"),
        (("outcome", "exit_code"), None, "outcome.exit_code: should be a whole number"),
    ],
)
def test_a_value_of_another_type_is_told_with_its_place(
    tmp_path: Path, path: tuple[str | int, ...], value: object, told: str
) -> None:
    tmp_path.chmod(0o700)
    data: Any = stored()
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    (tmp_path / "run.json").write_text(json.dumps(data))
    with pytest.raises(UsageError) as fault:
        read_record(tmp_path)
    assert str(fault.value).endswith(f"(written by hpc-launch 0.1.0): {told}")


def test_half_a_character_is_refused_since_it_cannot_be_written_again(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    write_record(tmp_path, FULL)
    file = tmp_path / "run.json"
    file.write_text(file.read_text().replace('"user"', '"\\ud83d"'))
    with pytest.raises(UsageError, match="is damaged"):
        read_record(tmp_path)


def test_what_only_a_later_version_knows_is_written_back_where_it_was() -> None:
    data = {**stored(), "unknown": {"later": [datetime.now().isoformat()]}, "another": None}
    assert data_of(record_of(data)) == data
