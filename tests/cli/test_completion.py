"""What a shell offers at TAB."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.models.profile import Profile
from hpc_launch.runs.submit import submit
from hpc_launch.schema import profile_schema
from tests.commands import environment, hpc_launch
from tests.runs.jobs import Prepare, on_slurm


def offered(context: Context, line: str) -> list[str]:
    """At the end of this line."""
    words = {
        "_HPC_LAUNCH_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ") + line.count("\n")),
    }
    told = hpc_launch(replace(context, environment={**environment(context), **words}))
    assert (told.returncode, told.stderr) == (0, ""), told.stderr
    return told.stdout.split()


OFFERS = {
    "hpc-launch st": ["status"],
    "hpc-launch submit --se": ["--set"],
    "hpc-launch logs --of j": ["job", "jupyter"],
    "hpc-launch list --state su": ["submitting", "suspended", "succeeded"],
    "hpc-launch submit --site loc": ["local"],
    "hpc-launch site show gad": ["gadi"],
    "hpc-launch site discover --batch-system l": ["local", "lsf"],
    "hpc-launch submit p.yaml --set lay": ["layout="],
    "hpc-launch submit p.yaml --set workers.ada": [
        f"workers.adapt.{key}=" for key in ("minimum", "maximum", "interval", "wait_count", "target_duration")
    ],
    "hpc-launch submit p.yaml --set layout=": ["layout=single-job", "layout=job-array", "layout=mpi"],
    "hpc-launch render p.yaml --set security=n": ["security=none"],
    "hpc-launch check p.yaml --set workers.count=": [],
    "hpc-launch check p.yaml --set nonsense=": [],
    "hpc-launch status ": [],
    "hpc-launch scale nothing --group ": [],
}


@pytest.mark.parametrize("line", OFFERS)
def test_what_is_typed_is_completed(context: Context, line: str) -> None:
    assert offered(context, line) == OFFERS[line]


@pytest.mark.parametrize(("typed", "offers"), [
    ("hpc-launch list --state = fa", ["failed"]),
    ("hpc-launch list --state =", ["submitting"]),
    ("hpc-launch list --state = failed --st", ["--state"]),
    ("hpc-launch submit p.yaml --set layout =", ["single-job", "job-array", "mpi"]),
    ("hpc-launch submit p.yaml --set layout = s", ["single-job"]),
    ("hpc-launch submit p.yaml --set = layout = s", ["single-job"]),
    ("hpc-launch submit p.yaml --set = lay", ["layout="]),
    ("hpc-launch submit p.yaml --set layout = mpi --set secu", ["security="]),
])  # fmt: skip
def test_behind_an_equals_sign_too_where_bash_takes_words_apart(
    context: Context, typed: str, offers: list[str]
) -> None:
    assert offered(context, typed.replace(" ", "\n"))[: len(offers)] == offers


def test_runs_are_offered_by_name_and_by_id_the_newest_first(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    (_, first), (_, second) = (submit(on_slurm(prepared, tmp_path, submit="echo 36"), context) for _ in range(2))
    for command in ("status", "wait x", "remove", "cancel", "logs", "scale", "connect", "keep", "close"):
        assert offered(context, f"hpc-launch {command} ti") == ["tiny", second.id, first.id], command
    assert offered(context, "hpc-launch list --name ") == ["tiny"]
    assert offered(context, f"hpc-launch status {first.id}") == [first.id]


def test_groups_are_those_of_the_newest_runs(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    text = "name: big\nlayout: job-array\nworkers: {memory: 1 GB, groups: {cpu: {count: 2}, fat: {count: 1}}}\n"
    jobs = replace(
        prepared(f"{text}workload: {{command: x}}\n").rendered,
        commands=on_slurm(prepared, tmp_path, submit="echo 36").commands,
    )
    submit(jobs, context)
    submit(on_slurm(prepared, tmp_path, submit="echo 37"), context)
    assert offered(context, "hpc-launch scale big --group ") == ["cpu", "fat"]


def test_each_key_of_a_profile_can_be_set(context: Context) -> None:
    top = {line.partition("=")[0].partition(".")[0] for line in offered(context, "hpc-launch submit p.yaml --set ")}
    assert top == set(profile_schema()["properties"]) == {f.alias or n for n, f in Profile.model_fields.items()}


def test_bash_can_be_taught_it(context: Context) -> None:
    """As somebody does it: the option, a new shell, the name of the program, TAB."""
    context.home.mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    lines = """
        hpc-launch --install-completion >&2 && . ~/.bashrc
        COMP_WORDS=(hpc-launch can) COMP_CWORD=1
        "$(complete -p hpc-launch | grep -o "_[a-z_]*completion")" hpc-launch
        echo "${COMPREPLY[@]}"
    """
    said = subprocess.run(
        ["bash", "-c", lines],
        env={**environment(context), "PATH": path}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert said.stdout == "cancel\n", said.stderr
