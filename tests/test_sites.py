"""Finding site profiles: the search path, shadowing, broken files, detection."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration
from tests.site.files import on, site_file

HERE = Origin("--site x")


def test_the_first_directory_wins_and_shadowing_is_told(context: Context, tmp_path: Path) -> None:
    first, second = site_file(tmp_path / "a", "here"), site_file(tmp_path / "b", "here", "other-file.yaml")
    here = on(context, tmp_path / "a", tmp_path / "b")
    assert sites.find("here", here, HERE, tmp_path).file == first
    listed = {entry.file: entry for entry in sites.listed(here)}
    assert listed[first].shadowed_by is None
    assert listed[second].shadowed_by == first


def test_a_site_need_not_be_called_as_its_file(context: Context, tmp_path: Path) -> None:
    file = site_file(tmp_path / "a", "inside", "outside.yaml")
    assert sites.find("inside", on(context, tmp_path / "a"), HERE, tmp_path).file == file


def test_the_users_own_directory_comes_after_the_environments(context: Context, tmp_path: Path) -> None:
    own = site_file(context.configuration / "sites", "mine")
    assert sites.find("mine", context, HERE, tmp_path).file == own


@pytest.mark.parametrize(
    "content", ["a: [", "", "a: b\n" * 3, "\x00", "name: broken\nextends: broken\nqueues: {}\n", "- x\n"]
)
def test_a_broken_file_disables_itself_alone(context: Context, tmp_path: Path, content: str) -> None:
    site_file(tmp_path / "a", "good")
    (tmp_path / "a" / "broken.yaml").write_text(content)
    here = on(context, tmp_path / "a")
    by_file = {entry.file.name: entry for entry in sites.listed(here)}
    assert by_file["broken.yaml"].error is not None and by_file["broken.yaml"].found is None
    assert by_file["good.yaml"].found is not None
    assert sites.find("good", here, HERE, tmp_path).site.name == "good"


def test_an_unknown_site_names_the_nearest(context: Context, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"no site profile is called 'cerres'; did you mean 'ceres'\?"):
        sites.find("cerres", context, HERE, tmp_path)


def test_a_file_that_bears_the_name_of_an_unknown_site_is_told_with_its_path(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path, "mine")
    with pytest.raises(InvalidConfiguration, match=r"or give the path of one, such as mine\.yaml"):
        sites.find("mine", context, HERE, tmp_path)


def test_a_child_takes_from_its_parent_what_it_does_not_say(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "parent", network="{interface: ib7}", title="the parent")
    child = tmp_path / "a" / "child.yaml"
    child.write_text("name: child\nextends: parent\nqueues: {q: {cores: 8}}\n")
    site = sites.find("child", on(context, tmp_path / "a"), HERE, tmp_path).site
    assert (site.name, site.network.interface, site.queues["q"].cores) == ("child", "ib7", 8)
    assert site.queues["q"].memory == 8 * 2**30


def test_a_circle_of_parents_is_refused_with_its_line(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "one", extends="two")
    site_file(tmp_path / "a", "two", extends="one")
    with pytest.raises(InvalidConfiguration, match=r"one.yaml:4: .*circle"):
        sites.find("one", on(context, tmp_path / "a"), HERE, tmp_path)


def test_the_site_is_detected_by_host_name_or_environment(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "by-name", detect="{hostname: 'login\\.example\\.org'}")
    site_file(tmp_path / "b", "by-variable", detect="{environment: {CENTRE: north}}")
    assert sites.detect(on(context, tmp_path / "a")).site.name == "by-name"
    assert sites.detect(on(context, tmp_path / "b", CENTRE="north")).site.name == "by-variable"
    with pytest.raises(InvalidConfiguration, match=r"(?s)no site profile matches this machine.*by-variable"):
        sites.detect(on(context, tmp_path / "b", CENTRE="south"))
    both = on(context, tmp_path / "a", tmp_path / "b", CENTRE="north")
    assert sites.detect(both).site.name == "by-name"  # the surer of the two
    site_file(tmp_path / "b", "twin", detect="{environment: {CENTRE: north}}")
    with pytest.raises(InvalidConfiguration, match=r"(?s)more than one .*one of: by-variable, twin"):
        sites.detect(on(context, tmp_path / "b", CENTRE="north"))


def test_files_of_every_bad_kind_disable_themselves_alone(context: Context, tmp_path: Path) -> None:
    directory = tmp_path / "a"
    site_file(directory, "good")
    (directory / "encoded.yaml").write_bytes("name: caf\u00e9\n".encode("utf-16"))
    (directory / "huge.yaml").write_text("name: huge\n" + "# \n" * 400_000)
    (directory / "gone.yaml").symlink_to(tmp_path / "nowhere")
    (directory / "far.yaml").symlink_to("a" * 300)
    (directory / "directory.yaml").mkdir()
    (directory / "deep.yaml").write_text("name: deep\nx: " + "[" * 50_000)
    os.mkfifo(directory / "waits.yaml")
    site_file(directory, "round", extends="about")
    site_file(directory, "about", extends="round")
    site_file(directory, "child", extends="a" * 300)
    here = on(context, directory)
    told = {entry.file.stem: str(entry.error) for entry in sites.listed(here) if entry.error}
    bad = {"encoded", "huge", "gone", "far", "directory", "deep", "waits", "round", "about", "child"}
    assert set(told) == bad
    assert "a symbolic link to" in told["gone"] and "File name too long" in told["far"]
    assert "this is a named pipe, not a file" in told["waits"]
    assert "child.yaml:4: no site profile is called" in told["child"]
    assert "not UTF-8" in told["encoded"] and "larger than 1 MiB" in told["huge"] and "circle" in told["round"]
    assert sites.find("good", here, HERE, tmp_path).site.name == "good"
    for name in bad - {"encoded"}:
        with pytest.raises(InvalidConfiguration) as refusal:
            sites.find(name, here, HERE, tmp_path)
        assert str(refusal.value) == told[name]
    with pytest.raises(InvalidConfiguration, match="no site profile is called 'aaa"):
        sites.find("a" * 300, here, HERE, tmp_path)


def test_the_batch_systems_name_for_the_cluster_is_asked_for_last(context: Context, tmp_path: Path) -> None:
    asked: list[str] = []

    def name(system: str) -> str | None:
        asked.append(system)
        return {"slurm": "north"}.get(system)

    site_file(tmp_path / "a", "by-cluster", detect="{cluster: north}")
    site_file(tmp_path / "a", "other", detect="{cluster: south}")
    site_file(tmp_path / "a", "elsewhere", detect="{cluster: north}", batch_system="pbs")
    site_file(tmp_path / "b", "by-name", detect="{hostname: 'login\\.example\\.org'}")
    here = dataclasses.replace(on(context, tmp_path / "a"), cluster_name=name)
    assert sites.detect(here).site.name == "by-cluster"
    assert sorted(asked) == ["pbs", "slurm"]
    site_file(tmp_path / "a", "twin", detect="{cluster: north}")
    with pytest.raises(InvalidConfiguration, match=r"(?s)more than one site profile.*by-cluster, twin"):
        sites.detect(here)
    asked.clear()
    both = dataclasses.replace(on(context, tmp_path / "a", tmp_path / "b"), cluster_name=name)
    assert sites.detect(both).site.name == "by-name" and asked == []


def test_the_default_queue_may_be_the_first_that_fits(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "here", defaults="{queue: auto}")
    assert sites.find("here", on(context, tmp_path / "a"), HERE, tmp_path).site.defaults == {"queue": "auto"}


def test_a_part_of_a_host_name_does_not_detect(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "part", detect="{hostname: login}")
    with pytest.raises(InvalidConfiguration):
        sites.detect(on(context, tmp_path / "a"))


BUILT_IN = sorted((Path(__file__).parent.parent / "site_profiles").glob("*.yaml"))


@pytest.mark.parametrize("file", BUILT_IN, ids=lambda file: file.stem)
def test_a_built_in_profile_has_an_owner_a_review_date_and_sources(context: Context, file: Path) -> None:
    site = sites.read(file, context).site
    assert site.name == file.stem and site.title
    assert site.maintainers and site.reviewed and site.sources


@pytest.mark.parametrize(
    "line", ["detect: {hostname: 'a{99999999999999}'}", "detect: {hostname: '('}", "reviewed: soon"]
)
def test_values_that_python_chokes_on_are_told(context: Context, tmp_path: Path, line: str) -> None:
    key, _, value = line.partition(": ")
    file = site_file(tmp_path / "a", "odd", **{key: value})
    with pytest.raises(InvalidConfiguration, match=r"odd.yaml:4: "):
        sites.read(file, context)


def test_another_users_home_is_not_looked_up(context: Context, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match="no such file"):
        sites.find("~nobody-there/site.yaml", context, HERE, tmp_path)


def test_there_are_built_in_profiles() -> None:
    assert {"local", "ceres"} <= {file.stem for file in BUILT_IN}
