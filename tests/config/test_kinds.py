"""A file that is no such thing at all is told alone, not key by key."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpc_launch import sites
from hpc_launch.config.document import parse_document
from hpc_launch.config.kinds import KINDS
from hpc_launch.config.validation import validate
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Site
from hpc_launch.prepare import Prepared
from tests.conftest import LEAST, SITES

Prepare = Callable[..., Prepared]
SITE = (SITES / "testcluster.yaml").read_text(encoding="utf-8")


def only(refusal: pytest.ExceptionInfo[InvalidConfiguration]) -> Problem:
    (problem,) = refusal.value.problems
    return problem


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "just text\n", "- a\n- b\n", "5\n"])
@pytest.mark.parametrize("site", ["local", None])
def test_a_profile_without_a_key_is_one_problem_that_shows_the_least_one(
    prepared: Prepare, text: str, site: str | None
) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(text, site=site)
    problem = only(refusal)
    assert problem.origin and problem.origin.source == "profile.yaml"
    least = "\n".join(re.findall("`(.*?)`", problem.hint))
    assert prepared(least, site="local").plan.groups["workers"].count == 2


def test_an_empty_site_profile_is_one_problem_that_names_the_command_for_a_first_one(
    prepared: Prepare, tmp_path: Path
) -> None:
    (tmp_path / "site.yaml").write_text("")
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(site="./site.yaml")
    assert only(refusal).message == "this file is empty"
    assert "hpc-launch site discover" in only(refusal).hint


@pytest.mark.parametrize("how", ["--site", "site:"])
def test_a_profile_given_as_a_site_is_called_one(prepared: Prepare, how: str) -> None:
    text = f"schema: 1\nsite: ./profile.yaml\n{LEAST}" if how == "site:" else f"schema: 1\nname: x\n{LEAST}"
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(text, site="./profile.yaml" if how == "--site" else None)
    assert only(refusal).message.startswith("this looks like a profile, not like a site profile: workers")
    assert str(only(refusal).origin) == "profile.yaml:3"
    assert "hpc-launch site list" in only(refusal).hint


@pytest.mark.parametrize("text", [SITE, "extends: testcluster\nlimits: {array: 10}\n"])
@pytest.mark.parametrize("site", ["local", None])
def test_a_site_profile_given_to_submit_is_called_one(prepared: Prepare, text: str, site: str | None) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(text, site=site)
    assert only(refusal).message.startswith("this looks like a site profile, not like a profile: ")
    assert "--site" in only(refusal).hint


def test_site_profiles_that_are_looked_at_by_themselves_are_told_so_too(context: Context, tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(LEAST)
    with pytest.raises(InvalidConfiguration) as refusal:
        sites.read(tmp_path / "profile.yaml", context)
    assert "looks like a profile" in only(refusal).message


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (Profile, f"{LEAST}batch_system: slurm\nqueues: {{}}\n"),
        (Profile, "workload: {command: x}\nextends: y\n"),
        (Profile, "name: x\nqueues: short\n"),
        (Site, "name: x\nbatch_system: slurm\nworkers: {count: 2}\nworkload: {command: x}\n"),
        (Site, "nmae: x\n"),
    ],
)
def test_what_has_a_sign_of_its_own_or_none_of_another_is_told_key_by_key(model: Any, text: str) -> None:
    messages = [problem.message for problem in validate(model, parse_document(text, "file.yaml"))[1]]
    assert len(messages) > 1 and any("is not a known key" in message for message in messages)


def test_signs_are_keys_of_their_own_model_alone() -> None:
    keys = [{field.alias or name for name, field in model.model_fields.items()} for model in (Profile, Site)]
    for kind, own, others in zip(KINDS, keys, reversed(keys), strict=True):
        assert kind.signs <= own and not kind.signs & others
