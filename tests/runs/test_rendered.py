"""A directory that is rendered to again holds the new render, and what is somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch.errors import UsageError
from hpc_launch.runs.rendered import WRITTEN, rewrite

ALWAYS = {"resolved.yaml": "r\n", "node.sh": "n\n"}
ARRAY = {**ALWAYS, "scheduler.sh": "s\n", "workers.sh": "w\n", "workers-2.sh": "w2\n", "jobside/array.sh": "a\n"}
SINGLE = {**ALWAYS, "job.sh": "j ü\n", "jobside/within.sh": "i\n"}
HOSTILE = "a $(touch broken) 'b' ü\n#"


def holds(directory: Path) -> dict[str, str]:
    """Every file but the list of them."""
    files = (file for file in directory.rglob("*") if file.is_file() and file.name != WRITTEN)
    return {str(file.relative_to(directory)): file.read_text() for file in files}


def test_what_an_earlier_render_left_goes_and_what_is_somebody_elses_stays(tmp_path: Path) -> None:
    directory = tmp_path / HOSTILE
    assert rewrite(directory, ARRAY) == []
    own = {"mine.sh": "echo mine\n", "workers.sh.orig": "w\n", "jobside/mine.py": "", HOSTILE: "x"}
    for name, text in own.items():
        (directory / name).write_text(text)
    assert rewrite(directory, SINGLE) == ["scheduler.sh", "workers.sh", "workers-2.sh", "jobside/array.sh"]
    assert holds(directory) == {**SINGLE, **own}
    assert rewrite(directory, ARRAY) == ["job.sh", "jobside/within.sh"]
    assert holds(directory) == {**ARRAY, **own}


def test_the_same_again_removes_nothing(tmp_path: Path) -> None:
    rewrite(tmp_path / "new", SINGLE)
    assert rewrite(tmp_path / "new", {**SINGLE, "job.sh": "other\n"}) == []
    assert holds(tmp_path / "new")["job.sh"] == "other\n"


@pytest.mark.parametrize("name", ["job.sh", "jobside/within.sh"])
@pytest.mark.parametrize("how", ["changed", "a link", "no list", "no such list", "a directory"])
def test_what_may_be_somebody_elses_is_refused_before_anything_is_changed(tmp_path: Path, name: str, how: str) -> None:
    directory = tmp_path / "new"
    rewrite(directory, SINGLE)
    if how == "changed":
        (directory / name).write_text("mine\n")
    elif how == "a link":
        (directory / name).rename(tmp_path / "kept")
        (directory / name).symlink_to(tmp_path / "kept")
    elif how == "a directory":
        (directory / name).unlink()
        (directory / name).mkdir()
    elif how == "no list":
        (directory / WRITTEN).unlink()
    else:
        (directory / WRITTEN).write_bytes(b"\xff\0 nonsense\n")
    before = holds(directory)
    with pytest.raises(UsageError, match=f"(?s)new: this render has no .*{name}.*name a new directory") as refusal:
        rewrite(directory, ARRAY)
    assert refusal.value.exit_code == 2
    assert holds(directory) == before


@pytest.mark.parametrize("name", ["../kept", "/etc/hostname", "jobside/../../kept", "..", "."])
def test_a_list_that_somebody_wrote_leads_to_no_file_outside(tmp_path: Path, name: str) -> None:
    from hashlib import sha256

    (tmp_path / "kept").write_text("kept\n")
    rewrite(tmp_path / "new", SINGLE)
    with open(tmp_path / "new" / WRITTEN, "a") as written:
        written.write(f"{sha256(b'kept' + bytes([10])).hexdigest()}  {name}\n")
    assert rewrite(tmp_path / "new", ARRAY) == ["job.sh", "jobside/within.sh"]
    assert (tmp_path / "kept").read_text() == "kept\n"


@pytest.mark.parametrize("there", ["file", "run.json"])
def test_other_directories_are_not_written_to(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("")
    with pytest.raises(UsageError, match="name a new directory"):
        rewrite(tmp_path, SINGLE)
    assert holds(tmp_path) == {there: ""}
