"""What is said of wrong files, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpc_launch.cli.output import print_json
from hpc_launch.context import Context
from tests.commands import environment, hpc_launch
from tests.conftest import LEAST, SITES


def site(directory: Path, name: str, *lines: str) -> Path:
    """A copy of the test machine's site profile with further lines."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / name
    file.write_text((SITES / "testcluster.yaml").read_text() + "".join(f"{line}\n" for line in lines))
    return file


def test_hints_for_programs_have_no_indentation_and_come_line_by_line(context: Context) -> None:
    (context.directory / "p.yaml").write_text(LEAST)
    words = ("--site", str(SITES / "testcluster.yaml"), "--set", "workers.memory=900GB", "--set", "walltime=900h")
    told = hpc_launch(context, "render", "p.yaml", *words, "--json")
    problems = json.loads(told.stdout)["error"]["problems"]
    assert told.returncode == 4 and len(problems) == 2
    *_, last = problems
    assert len(last["hints"]) == 2 and last["hints"][1].startswith("all of it fits with: --set ")
    assert last["hint"] == "\n".join(last["hints"]) and not any(line.startswith(" ") for line in last["hints"])


def test_what_is_no_number_is_null_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"memory": [float("inf"), float("-inf"), float("nan"), 1.5], "file": Path("a/b")})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "memory": [None, None, None, 1.5],
        "file": "a/b",
    }


def test_without_a_hint_there_is_an_empty_list(context: Context) -> None:
    (context.directory / "p.yaml").write_text("workers: {count: -1}\nworkload: {command: x}\n")
    told = hpc_launch(context, "render", "p.yaml", "--site", "local", "--json")
    (only,) = json.loads(told.stdout)["error"]["problems"]
    assert (only["hint"], only["hints"]) == (None, [])


def test_each_problem_of_a_broken_site_profile_is_marked_as_one(context: Context) -> None:
    site(context.directory / "sites", "x.yaml", "queus: {}", "titel: x")
    told = hpc_launch(searching(context, "sites"), "site", "list")
    lines = [line for line in told.stderr.splitlines() if not line.startswith(" ")]
    assert told.returncode == 0 and len(lines) == 2
    assert all(line.startswith("broken: sites/x.yaml:") for line in lines), lines


def test_a_shadowed_site_does_not_widen_the_table(context: Context) -> None:
    first, second = (site(context.directory / ("a" * 90) / each, "testcluster.yaml") for each in ("1", "2"))
    told = hpc_launch(searching(context, str(first.parent), str(second.parent)), "site", "list")
    assert f"shadowed: {second}: {first} comes first\n" in told.stderr
    header, *rows = told.stdout.splitlines()
    column = header.index("BATCH SYSTEM") - header.index("STATUS")
    assert column == len("active, shadowed") + 2
    assert [row.endswith(str(second)) for row in rows if "active, shadowed" in row] == [True]


def searching(context: Context, *directories: str) -> Context:
    """The same user, who looks for sites there first."""
    from dataclasses import replace

    path = ":".join(directories)
    return replace(context, environment={**environment(context), "HPC_LAUNCH_SITE_PATH": path})


@pytest.mark.parametrize("key", ["queue", "workers.queue", "site", "qos"])
@pytest.mark.parametrize("number", ["1", "1.5"])
def test_a_number_where_a_word_may_stand_is_that_word(context: Context, key: str, number: str) -> None:
    """Refused as the word would be, or taken: here no such queue, site or QOS exists."""
    (context.directory / "p.yaml").write_text(LEAST)
    site(context.directory, "s.yaml", "qos: {normal: {walltime: 1h}}")
    words = () if key == "site" else ("--site", "./s.yaml", "--set", "layout=job-array")
    told = hpc_launch(context, "render", "p.yaml", *words, "--set", f"{key}={number}")
    as_text = hpc_launch(context, "render", "p.yaml", *words, "--set", f"{key}='{number}'")
    assert (told.returncode, "Traceback" in told.stderr) == (3, False), told.stderr
    assert told.stderr.replace(f"--set {key}={number}", f"--set {key}='{number}'") == as_text.stderr


@pytest.mark.parametrize("number", ["1", "1.5"])
def test_a_queue_may_be_called_like_a_number(context: Context, number: str) -> None:
    (context.directory / "p.yaml").write_text(f"{LEAST}queue: {number}\n")
    machine = (
        site(context.directory, "s.yaml").read_text().replace("  short:", f"  {number}:").replace("short,", "long,")
    )
    (context.directory / "s.yaml").write_text(machine)
    told = hpc_launch(context, "render", "p.yaml", "--site", "./s.yaml")
    assert (told.returncode, told.stderr) == (0, ""), told.stderr
    assert f"#SBATCH --partition={number}\n" in told.stdout
