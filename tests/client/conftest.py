"""Somebody who works in notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.people import SITE, Person


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """They are at work in this process, and leave nothing behind."""
    top: Path = tmp_path_factory.mktemp("person")
    (top / "project").mkdir()
    (top / "home").mkdir()
    (top / "project" / "here.yaml").write_text(SITE)
    person = Person(top / "project", top / "home", "./here.yaml")
    with person.at_work():
        yield person
        person.end_all()
