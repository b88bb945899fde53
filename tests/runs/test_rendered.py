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


def everything(directory: Path) -> dict[str, str | None]:
    """Text of files, where links lead, None for directories; the list of files too."""
    return {
        str(path.relative_to(directory)): str(path.readlink())
        if path.is_symlink()
        else path.read_text()
        if path.is_file()
        else None
        for path in sorted(directory.rglob("*"))
    }


def refused(directory: Path, files: dict[str, str]) -> str:
    """The refusal of a render, after which all is as it was."""
    before = everything(directory.parent)
    with pytest.raises(UsageError) as refusal:
        rewrite(directory, files)
    assert everything(directory.parent) == before
    assert str(refusal.value).endswith("Delete or move it, or name a new directory.")
    return str(refusal.value)


LISTS = pytest.mark.parametrize("listed", [True, False])
"""Whether the list of what was rendered is there."""


def rendered(directory: Path, listed: bool) -> Path:
    rewrite(directory, SINGLE)
    (directory.parent / "kept").write_text("mine\n")
    if not listed:
        (directory / WRITTEN).unlink()
    return directory


@LISTS
@pytest.mark.parametrize("name", ["job.sh", "jobside/within.sh", "resolved.yaml"])
@pytest.mark.parametrize("target", ["kept", "same", "nowhere"])
def test_a_link_in_the_place_of_a_file_is_not_written_through(
    tmp_path: Path, name: str, target: str, listed: bool
) -> None:
    directory = rendered(tmp_path / "new", listed)
    (tmp_path / "same").write_text(SINGLE[name])
    (directory / name).unlink()
    (directory / name).symlink_to(tmp_path / target)
    assert f"{name}: a link, or no file" in refused(directory, {**SINGLE, "job.sh": "other\n"})


@LISTS
@pytest.mark.parametrize("name", ["scheduler.sh", "workers-3.sh", "jobside/array.sh"])
@pytest.mark.parametrize("kind", ["link", "link to nothing", "directory", "file"])
def test_what_only_has_the_name_of_a_file_of_another_render_stays(
    tmp_path: Path, name: str, kind: str, listed: bool
) -> None:
    directory = rendered(tmp_path / "new", listed)
    if kind == "directory":
        (directory / name).mkdir()
        (directory / name / "mine").write_text("mine\n")
    elif kind == "file":
        (directory / name).write_text("mine\n")
    else:
        (directory / name).symlink_to(tmp_path / ("kept" if kind == "link" else "nowhere"))
    assert f"this render has no {name}, and it cannot be known" in refused(directory, SINGLE)


@LISTS
@pytest.mark.parametrize("name", ["job.sh", "jobside/within.sh", "node.sh"])
def test_a_file_that_somebody_edited_is_not_overwritten(tmp_path: Path, name: str, listed: bool) -> None:
    directory = rendered(tmp_path / "new", listed)
    with open(directory / name, "a") as file:
        file.write("# mine\n")
    assert f"{name}: not as an earlier render wrote it" in refused(directory, SINGLE)


@LISTS
@pytest.mark.parametrize("name", ["job.sh", "jobside/within.sh", "node.sh"])
def test_a_directory_in_the_place_of_a_file_is_refused(tmp_path: Path, name: str, listed: bool) -> None:
    directory = rendered(tmp_path / "new", listed)
    (directory / name).unlink()
    (directory / name).mkdir()
    assert f"{name}: a link, or no file" in refused(directory, SINGLE)


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_the_list_itself_is_not_written_through(tmp_path: Path, kind: str) -> None:
    directory = rendered(tmp_path / "new", listed=False)
    (directory / WRITTEN).mkdir() if kind == "directory" else (directory / WRITTEN).symlink_to(tmp_path / "kept")
    assert f"{WRITTEN}: a link, or no file" in refused(directory, SINGLE)


@LISTS
def test_the_folder_of_the_job_side_leads_nowhere_else(tmp_path: Path, listed: bool) -> None:
    directory = rendered(tmp_path / "new", listed)
    (directory / "jobside").rename(tmp_path / "moved")
    (directory / "jobside").symlink_to(tmp_path / "moved")
    assert "jobside/: a link, or no file" in refused(directory, SINGLE)


def test_without_a_list_the_same_bytes_may_be_written_again(tmp_path: Path) -> None:
    directory = rendered(tmp_path / "new", listed=False)
    assert rewrite(directory, SINGLE) == []
    assert rewrite(directory, ALWAYS) == ["job.sh", "jobside/within.sh"]  # of which there is a list again


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
