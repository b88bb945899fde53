"""`extends`: what a site profile takes from another, and what is said where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration
from tests.site.files import on, site_file

HERE = Origin("--site x")


def child(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.yaml").write_text(text)
    return directory / f"{name}.yaml"


def test_a_name_is_not_inherited(context: Context, tmp_path: Path) -> None:
    parent = site_file(tmp_path / "b", "parent", detect="{hostname: 'login\\.example\\.org'}")
    mine = child(tmp_path / "a", "mine", "extends: parent\n")
    here = on(context, tmp_path / "a", tmp_path / "b")
    entries = {entry.file: (entry.name, entry.shadowed_by) for entry in sites.listed(here)}
    assert (entries[mine], entries[parent]) == (("mine", None), ("parent", None))
    found = sites.find("mine", here, HERE, tmp_path)
    assert (found.site.name, found.file, found.parents) == ("mine", mine, (parent,))
    assert str(found.document.origins[("name",)]) == "a/mine.yaml"
    assert "name: mine\n" in found.text
    assert sites.find("parent", here, HERE, tmp_path).file == parent


def test_a_file_whose_own_name_can_be_none_of_a_site_has_to_give_one(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "parent")
    file = child(tmp_path / "b", "my site", "extends: parent\n")
    with pytest.raises(InvalidConfiguration, match=r"my site.yaml:1: name is missing"):
        sites.read(file, on(context, tmp_path / "a"))


def test_its_own_name_means_the_next_of_that_name(context: Context, tmp_path: Path) -> None:
    last = site_file(tmp_path / "c", "wynton", title="of all")
    middle = child(tmp_path / "b", "other-file", "name: wynton\nextends: wynton\nnetwork: {interface: ib7}\n")
    first = child(tmp_path / "a", "wynton", "extends: wynton\nqueues: {q: {cores: 8}}\n")
    here = on(context, tmp_path / "a", tmp_path / "b", tmp_path / "c")
    found = sites.find("wynton", here, HERE, tmp_path)
    assert (found.file, found.parents) == (first, (middle, last))
    assert (found.site.title, found.site.network.interface, found.site.queues["q"].cores) == ("of all", "ib7", 8)
    assert {entry.file: entry.shadowed_by for entry in sites.listed(here) if entry.name == "wynton"} == {
        first: None,
        middle: first,
        last: first,
        **{entry.file: first for entry in sites.listed(context) if entry.name == "wynton"},
    }


def test_one_given_by_path_that_extends_its_own_name_is_over_the_first(context: Context, tmp_path: Path) -> None:
    parent = site_file(tmp_path / "a", "mine")
    file = child(tmp_path / "elsewhere", "mine", "name: mine\nextends: mine\ntitle: changed\n")
    found = sites.find("elsewhere/mine.yaml", on(context, tmp_path / "a"), HERE, tmp_path)
    assert (found.file, found.parents, found.site.title) == (file, (parent,), "changed")


def test_the_last_of_a_name_has_nothing_to_extend(context: Context, tmp_path: Path) -> None:
    file = child(tmp_path / "a", "only", "name: only\nextends: only\n")
    with pytest.raises(InvalidConfiguration, match=r"only.yaml:2: no other site profile is called 'only'"):
        sites.read(file, on(context, tmp_path / "a"))


@pytest.mark.parametrize("parent", ["nope", "5", "1.5", "a" * 300, "'$(id) `x`'", "../a/good", "'\u00e9'"])
def test_a_parent_that_is_not_there_is_told_along_with_all_else(context: Context, tmp_path: Path, parent: str) -> None:
    site_file(tmp_path / "a", "good")
    lines = [
        *(f"extends: {parent}", "titel: x", "arrays: perhaps", "launchers: {node: {options: [a]}, mpi: srum}"),
        *("defaults: {walltme: 1h, queue: not-here}", "layouts: [mpy]"),
    ]
    file = child(tmp_path / "a", "broken", "\n".join(lines) + "\n")
    with pytest.raises(InvalidConfiguration) as refusal:
        sites.read(file, on(context, tmp_path / "a"))
    problems = refusal.value.problems
    assert problems[0].message.startswith("no site profile is called ")
    assert sorted(each.origin.line or 0 for each in problems if each.origin) == [1, 2, 3, 4, 5, 6]
    # what the parent would have given is not missed
    assert not any("missing" in each.message or "not-here" in each.message for each in problems)


def test_a_parent_of_nearly_that_name_is_meant(context: Context, tmp_path: Path) -> None:
    file = child(tmp_path / "a", "mine", "extends: cerres\n")
    with pytest.raises(InvalidConfiguration, match="did you mean 'ceres'"):
        sites.read(file, context)


def test_what_is_wrong_in_both_is_told(context: Context, tmp_path: Path) -> None:
    child(tmp_path / "a", "parent", "name: parent\nqueues: ]\n")
    file = child(tmp_path / "a", "mine", "extends: parent\ntitel: x\n")
    with pytest.raises(InvalidConfiguration) as refusal:
        sites.read(file, on(context, tmp_path / "a"))
    assert [str(each.origin) for each in refusal.value.problems] == ["a/parent.yaml:2", "a/mine.yaml:2"]


def test_a_line_of_descent_has_an_end(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "s0")
    for n in range(1, 400):
        child(tmp_path / "a", f"s{n}", f"extends: s{n - 1}\n")
    here = on(context, tmp_path / "a")
    assert len(sites.find("s20", here, HERE, tmp_path).parents) == 20
    with pytest.raises(InvalidConfiguration, match=r"s379.yaml:1: .*more than 20"):
        sites.find("s399", here, HERE, tmp_path)
