"""Where the pages of a run are, as the job tells it and as people and programs see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.runs.evidence import read
from hpc_launch.runs.services import Page, page

TOLD = {"schema": 1, "host": "c1", "address": "127.0.0.1", "port": 4711, "loopback_port": 4711, "lacks": ""}


def found(tmp_path: Path, **other: Any) -> Page | None:
    return page(tmp_path, "dashboard", json.dumps({**TOLD, **other}))


def test_what_the_job_tells_is_read(tmp_path: Path) -> None:
    told = found(tmp_path)
    assert told == Page("c1", "127.0.0.1", 4711, "/status", tmp_path / "token")
    assert (told.url, told.sentence()) == ("http://127.0.0.1:4711/status", "http://127.0.0.1:4711/status on c1 itself")
    (tmp_path / "token").write_text("a b&c\n")
    assert told.query() == "?token=a+b%26c"


def test_pages_for_other_hosts_and_pages_that_lack_something(tmp_path: Path) -> None:
    elsewhere = found(tmp_path, address="10.0.0.1")
    assert elsewhere and (elsewhere.on_loopback, elsewhere.sentence()) == (False, "http://10.0.0.1:4711/status")
    without = found(tmp_path, lacks="no bokeh")
    assert without and without.sentence() == "no bokeh"
    assert without.as_json() == {
        **{"host": "c1", "port": 4711, "url": None},
        **{"token_file": str(tmp_path / "token"), "lacks": "no bokeh"},
    }
    gone = found(tmp_path, port=None, lacks="it ended")
    assert gone and (gone.url, gone.sentence()) == (None, "it ended")


@pytest.mark.parametrize(
    "other",
    [{"schema": 2}, {"host": 1}, {"port": True}, {"port": 70000}, {"port": "1"}, {"port": None}, {"lacks": "\x1b[2J"}],
)
def test_what_cannot_be_understood_is_not_there(tmp_path: Path, other: dict[str, Any]) -> None:
    assert found(tmp_path, **other) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000])
def test_nor_is_what_is_no_such_file(tmp_path: Path, text: str) -> None:
    assert page(tmp_path, "dashboard", text) is None


def test_a_run_of_an_earlier_version_has_a_dashboard_without_a_token(tmp_path: Path) -> None:
    state = tmp_path / "state" / "1"
    state.mkdir(parents=True)
    (state / "events").write_text("100 started c1 7\n")
    (state / "progress.json").write_text('{"schema": 1, "dashboard": 8787}')
    assert read(tmp_path).pages == {"dashboard": Page("c1", "127.0.0.1", 8787, "/status", None)}
    assert read(tmp_path).pages["dashboard"].query() == ""
    (state / "dashboard.json").write_text(json.dumps(TOLD))
    assert read(tmp_path).pages == {"dashboard": found(state)}
