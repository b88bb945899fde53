"""Files and directories of the search path that are not what they should be, and paths to nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration
from tests.commands import Result, command, inside
from tests.conftest import LEAST, ROOT
from tests.site.files import on, site_file

HERE = Origin("--site x")


def refused(name: str, context: Context) -> str:
    with pytest.raises(InvalidConfiguration) as refusal:
        sites.find(name, context, HERE, context.directory)
    return str(refusal.value)


def environment(directory: Path) -> dict[str, str]:
    return {"HOME": str(directory), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def run(directory: Path, *words: str, search: str) -> Result:
    return inside(words, directory, {**environment(directory), "HPC_LAUNCH_SITE_PATH": search})


def test_directories_that_cannot_be_used_are_told(context: Context, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    site_file(tmp_path / "good", "good")
    given = [tmp_path / "gone", tmp_path / "file", tmp_path / ("a" * 300), tmp_path / "good", tmp_path / "x\x1b[2J"]
    here = on(context, *given)
    told = sites.unusable(here)
    assert [each.rpartition("(HPC_LAUNCH_SITE_PATH), ")[2] for each in told] == [
        *("is not there", "is not a directory", "cannot be read: File name too long", "is not there")
    ]
    assert all(each.isprintable() for each in told)
    assert "gone, on the search path (HPC_LAUNCH_SITE_PATH), is not there" in refused("nowhere", here)
    with pytest.raises(InvalidConfiguration, match=r"file, on the search path \(HPC_LAUNCH_SITE_PATH\), is not a dir"):
        sites.detect(here)
    assert sites.find("good", here, HERE, tmp_path).site.name == "good"
    assert sites.unusable(on(context)) == []  # the user's own need not be there
    (context.configuration).mkdir(parents=True)
    (context.configuration / "sites").write_text("")
    assert sites.unusable(on(context)) == [f"{context.configuration / 'sites'}, on the search path, is not a directory"]


def test_they_are_notes_of_the_list(tmp_path: Path) -> None:
    for words in (["site", "list"], ["site", "list", "--json"]):
        done = run(tmp_path, *words, search="/nowhere/at all")
        assert done.returncode == 0
        assert done.stderr == "note: /nowhere/at all, on the search path (HPC_LAUNCH_SITE_PATH), is not there\n"


def test_names_of_files_do_not_act_on_the_terminal(tmp_path: Path) -> None:
    directory = tmp_path / "a\x1b]0;x\x07"
    file = site_file(directory, "sound", "so\x1b[2Jund.yaml")
    site_file(tmp_path / "b", "sound", "sh\x1b[2Jadowed.yaml")
    (directory / "bro\x1b[2Jken.yaml").write_text("x: [\n")
    path = f"{directory}:{tmp_path / 'b'}"
    sound = rf"'{tmp_path}/a\x1b]0;x\x07/so\x1b[2Jund.yaml'"
    for words, said in (
        (["list"], rf"shadowed: '{tmp_path}/b/sh\x1b[2Jadowed.yaml': {sound} comes first"),
        (["show", "sound"], f"{sound}\n"),
        (["show", str(file)], f"{sound}\n"),
        (["show", "nothing"], r"known sites: 'bro\x1b[2Jken', "),
        (["show", f"{file}x.yaml"], f"did you mean {sound}?"),
    ):
        done = run(tmp_path, "site", *words, search=path)
        assert said in done.stderr
        assert "\x1b" not in done.stdout + done.stderr and "\x07" not in done.stdout + done.stderr


def test_a_named_pipe_is_refused_and_not_waited_for(context: Context, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.yaml")
    assert "fifo.yaml: this is a named pipe, not a file" in refused("./fifo.yaml", context)


def test_what_a_command_prints_may_be_a_site(tmp_path: Path) -> None:
    site_file(tmp_path, "piped", storage="{runs: /runs}")
    (tmp_path / "profile.yaml").write_text(LEAST + "walltime: 10m\n")
    words = ["bash", "-c", '"$@" --site <(cat piped.yaml)', "-", *command("render", "profile.yaml")]
    done = subprocess.run(words, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "name: piped\n" in done.stdout  # site.yaml, as it was used


def test_a_link_to_nowhere_is_told_as_one(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "dangling.yaml").symlink_to("/nonexistent")
    for name in ("dangling", "a/dangling.yaml"):
        told = refused(name, on(context, tmp_path / "a"))
        assert "a/dangling.yaml: this is a symbolic link to /nonexistent, which is not there" in told
        assert "did you mean" not in told


def test_a_path_to_nothing_suggests_sites_and_site_profiles_alone(context: Context, tmp_path: Path) -> None:
    (tmp_path / "cores.yaml").write_text(LEAST)
    assert "there is no such file\n    did you mean the site ceres (without a suffix)?" in refused(
        "ceres.yaml", context
    )
    site_file(tmp_path, "mymachine")
    assert f"did you mean {tmp_path / 'mymachine.yaml'}?" in refused("./mymachin.yaml", context)
    assert refused("./xyzzy.yaml", context).endswith("there is no such file")
    assert f"nor is there a directory {tmp_path / 'no'}" in refused("no/xyzzy.yaml", context)


@pytest.mark.parametrize("name", ["a" * 300, "a" * 300 + ".yaml", "x/" * 3000, "", ".", "..", "./", "\u202e", "a\nb"])
def test_no_name_breaks_the_search(context: Context, name: str) -> None:
    assert refused(name, context)


def test_a_path_that_cannot_be_looked_at_is_told_as_it_is(context: Context, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be read: Not a directory" in refused("file/x.yaml", context)
    assert "cannot be read: File name too long" in refused("./" + "a" * 300, context)
