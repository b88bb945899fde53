"""Which of several site profiles this machine is, and what is said where none or a broken one is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration
from hpc_launch.survey.check import check
from tests.site.files import on, site_file

HOST = "{hostname: 'login\\.example\\.org'}"


def refused(context: Context) -> InvalidConfiguration:
    with pytest.raises(InvalidConfiguration) as refusal:
        sites.detect(context)
    return refusal.value


def test_host_name_then_environment_then_the_clusters_name(context: Context, tmp_path: Path) -> None:
    directory = tmp_path / "a"
    here = dataclasses.replace(on(context, directory, CENTRE="north"), cluster_name=lambda system: "north")
    site_file(directory, "c", detect="{cluster: north}")
    assert sites.detect(here).site.name == "c"
    site_file(directory, "b", detect="{environment: {CENTRE: north}}")
    assert sites.detect(here).site.name == "b"
    site_file(directory, "a", detect=HOST)
    assert sites.detect(here).site.name == "a"


@pytest.mark.parametrize("rule", [HOST, "{environment: {CENTRE: north}}", "{cluster: north}"])
def test_a_site_that_was_changed_for_oneself_is_taken(context: Context, tmp_path: Path, rule: str) -> None:
    here = on(context, tmp_path / "a", tmp_path / "b", CENTRE="north")
    here = dataclasses.replace(here, cluster_name=lambda system: "north")
    site_file(tmp_path / "b", "theirs", detect=rule)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/mine.yaml").write_text("name: mine\nextends: theirs\n")
    assert sites.detect(here).site.name == "mine"
    (tmp_path / "a/again.yaml").write_text("name: again\nextends: mine\n")
    assert sites.detect(here).site.name == "again"
    (tmp_path / "a/other.yaml").write_text("name: other\nextends: theirs\n")
    assert "more than one" in str(refused(here)) and "one of: again, other" in str(refused(here))


def test_the_built_in_one_may_be_changed_under_its_own_name(context: Context) -> None:
    own = context.configuration / "sites"
    own.mkdir(parents=True)
    (own / "perlmutter.yaml").write_text("name: perlmutter\nextends: perlmutter\ntitle: mine\n")
    here = dataclasses.replace(context, environment={"NERSC_HOST": "perlmutter"})
    assert sites.detect(here).site.title == "mine"
    (own / "perlmutter.yaml").write_text("name: perlmutter\nextends: perlmutter\ntitel: mine\n")
    assert "titel is not a known key" in str(refused(here))
    (own / "perlmutter.yaml").rename(own / "mine.yaml")
    (own / "mine.yaml").write_text("name: mine\nextends: perlmutter\ntitel: mine\n")
    assert "titel is not a known key" in str(refused(here))  # and not theirs without a word


def test_a_broken_file_of_this_machine_is_told(context: Context, tmp_path: Path) -> None:
    file = site_file(tmp_path / "a", "here", detect=HOST, titel="x", arays="true")
    wrong = refused(on(context, tmp_path / "a"))
    assert [each.origin and each.origin.line for each in wrong.problems] == [5, 6]
    file.write_text(file.read_text().replace("login", "other"))
    told = str(refused(on(context, tmp_path / "a")))
    assert "no site profile matches this machine" in told and "broken, not looked at: a/here.yaml:5 (hpc" in told
    site_file(tmp_path / "a", "sound", detect=HOST)
    assert sites.detect(on(context, tmp_path / "a")).site.name == "sound"


def test_a_broken_file_of_this_machine_is_told_where_another_one_matches_too(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "here", detect=HOST, titel="x")
    site_file(tmp_path / "a", "sound", detect=HOST)
    told = str(refused(on(context, tmp_path / "a")))
    assert "titel is not a known key" in told
    assert "it matches this machine, as does sound: mend it, or say --site NAME" in told


def test_who_has_no_option_for_a_site_is_not_told_of_one(context: Context, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="say hpc-launch site check NAME, one of: ") as refusal:
        check(None, on(context, tmp_path))
    assert "--site" not in str(refusal.value)


@pytest.mark.parametrize("rule", ["{hostname: '('}", "{hostname: [a]}", "here", "[a]", "{hostnam: x}", "null"])
def test_a_rule_that_is_broken_itself_matches_nothing(context: Context, tmp_path: Path, rule: str) -> None:
    site_file(tmp_path / "a", "here", detect=rule, titel="x")
    assert "broken, not looked at: a/here.yaml:" in str(refused(on(context, tmp_path / "a")))


def test_a_file_that_is_no_yaml_is_named(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/he\x1b[2Jre.yaml").write_text("detect: {\n")
    told = str(refused(on(context, tmp_path / "a")))
    assert "broken, not looked at: " in told and "\x1b" not in told


def test_the_candidates_are_machines_that_take_jobs(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "mine-without-a-rule")
    hint = refused(on(context, tmp_path / "a")).problems[0].hint
    candidates = hint.removeprefix("say --site NAME, one of: ").split(", ")
    assert {"mine-without-a-rule", "ceres", "local"} <= {*candidates}
    assert not {"comet", "stampede2"} & {*candidates}
    assert not [name for name in candidates if name.startswith("generic-")]
