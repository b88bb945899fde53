"""A hint leads to no refusal: whatever is advised is done, once, and then taken."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpc_launch.config.reading import resolved
from hpc_launch.context import Context
from hpc_launch.errors import HpcLaunchError, Problem
from hpc_launch.prepare import prepare

Profile = dict[str, Any]
BASE: Profile = {
    "walltime": "1h",
    "workers": {"count": 2, "memory": "1 GiB"},
    "workload": {"command": ["x"]},
}
NOTHING = object()
SET = re.compile(r"--set ([\w.]+)=(\"[^\"]*\"|'[^']*'|[^\s,;)]+)")


def changed(profile: Profile, path: str, value: Any) -> Profile:
    """With a key set, or, of NOTHING, taken out; `directives[1]` is an item of a list."""
    result = copy.deepcopy(profile)
    *above, last = re.findall(r"[^.\[\]]+", path)
    inner: Any = result
    for name in above:
        inner = inner[int(name)] if isinstance(inner, list) else inner.setdefault(name, {})
    key: Any = int(last) if isinstance(inner, list) else last
    if value is NOTHING:
        del inner[key]
    else:
        inner[key] = value
    return result


def in_yaml(text: str) -> Any:
    return yaml.load(text, yaml.BaseLoader) if text.startswith(("[", "{", "'")) else resolved(text)


def followed(profile: Profile, problem: Problem) -> Iterator[tuple[str, Profile]]:
    """Everything that is advised, each with the profile in which it is done."""
    key = re.match(r"(?:the name of )?([\w.]+(?:\[\d+\])?)", problem.message)
    at = key[1] if key else ""
    for line in problem.hint.splitlines():
        for advice in re.split(r", or (?=--set)|; ", line):
            if sets := SET.findall(advice):
                done = profile
                for name, value in sets:
                    done = changed(done, name, in_yaml(value.strip("'\"")))
                yield advice, done
        if match := re.search(r"set `([\w.]+): (.+?)` for it, and leave it out here", line):
            yield line, changed(changed(profile, f"{at}[0]", NOTHING), match[1], in_yaml(match[2]))
        elif at == "directives" and "leave it out" in line:
            yield line, changed(profile, f"{at}[0]", NOTHING)
        elif re.match(r"(set .*, and )?leave (it|them) out", line):
            yield line, changed(profile, at, NOTHING)
        if match := re.match(r"write ([\[{].*?[\]}])(?:, or ([\[{].*[\]}]) if that is one)?$", line):
            for written in filter(None, match.groups()):
                yield line, changed(profile, at, in_yaml(written))
        elif match := re.match(r"write (?!its keys)([^\[{`]+)$", line):
            yield line, changed(profile, at, in_yaml(match[1]))
        if at.startswith("workers.options") and line.startswith("leave it out"):
            yield line, changed(profile, at, NOTHING)
    for line in (*problem.hint.splitlines(), problem.message):
        for written in re.findall(r"\d+ (?:[MG]i?B)", line) if "unit" in line or "ambiguous" in line else ():
            yield line, changed(profile, at, written)
        if match := re.search(r"did you mean '?(.+?)'?\?", line):
            if "is not a known key" in problem.message:
                moved: Any = profile
                for name in at.split("."):
                    moved = moved[name]
                for meant in match[1].split(" and "):
                    yield line, changed(changed(profile, at, NOTHING), meant, moved)
            else:
                yield line, changed(profile, at, in_yaml(match[1]))


CASES: dict[str, tuple[str, Profile]] = {
    "mail.on: all": ("testcluster", {"mail": {"to": "a@b.c", "on": "all"}}),
    "mail.on: END": ("testcluster", {"mail": {"to": "a@b.c", "on": "END"}}),
    "mail.on: several": ("testcluster", {"mail": {"to": "a@b.c", "on": "end fail"}}),
    "-R rusage": ("lsfcluster", {"directives": ['-R "rusage[scratch=10]"']}),
    "-R select": ("lsfcluster", {"directives": ['-R "select[mem>1]"']}),
    "-R span": ("lsfcluster", {"directives": ['-R "span[hosts=1]"']}),
    "-B": ("lsfcluster", {"directives": ["-B"]}),
    "-W": ("lsfcluster", {"directives": ["-W 1:00"]}),
    "-l place": ("pbscluster", {"directives": ["-l place=scatter:excl"]}),
    "-l walltime": ("pbscluster", {"directives": ["-l walltime=00:10:00"]}),
    "-m abe": ("pbscluster", {"directives": ["-m abe"]}),
    "-m beas": ("gridcluster", {"directives": ["-m beas"]}),
    "-l h_rt": ("gridcluster", {"directives": ["-l h_rt=00:10:00"]}),
    "--mail-type": ("testcluster", {"directives": ["--mail-type=ALL"]}),
    "--mail-type odd": ("testcluster", {"directives": ["--mail-type=TIME_LIMIT"]}),
    "--time": ("testcluster", {"directives": ["--time=00:10:00"]}),
    "--partition": ("testcluster", {"directives": ["--partition=long"]}),
    "--constraint": ("testcluster", {"directives": ["--constraint=[avx|sse]"]}),
    "--chdir": ("testcluster", {"directives": ["--chdir=/tmp"]}),
    "--job-name": ("testcluster", {"directives": ["--job-name=mine"]}),
    "--array": ("testcluster", {"directives": ["--array=1-3"]}),
    "an unknown key": ("testcluster", {"wallltime": "30m"}),
    "others' word": ("testcluster", {"partition": "long"}),
    "their word for a count": ("testcluster", {"workers": {"n_workers": 3, "memory": "1 GiB"}}),
    "a number for memory": ("testcluster", {"workers": {"count": 2, "memory": 500}}),
    "G for memory": ("testcluster", {"workers": {"count": 2, "memory": "2G"}}),
    "a switch": ("testcluster", {"workers": {"count": 2, "memory": "1 GiB", "spill": "no"}}),
    "a layout": ("testcluster", {"layout": "jobarray"}),
    "modules": ("testcluster", {"environment": {"modules": "gcc cuda"}}),
    "variables": ("testcluster", {"environment": {"variables": "A=1"}}),
    "too many cores": ("testcluster", {"workers": {"count": 2, "memory": "1 GiB", "threads": 99}}),
    "too much memory": ("testcluster", {"workers": {"count": 2, "memory": "900 GB"}}),
    "too long": ("testcluster", {"walltime": "900h"}),
    "too short": ("testcluster", {"walltime": "1s"}),
    "--partition of several": ("testcluster", {"directives": ["--partition=long,short"]}),
    "queues in one word": ("testcluster", {"queue": "short,long"}),
    "queues of which one does not fit": ("testcluster", {"queue": ["short", "long"], "walltime": "2h"}),
    "several queues where a job has one": ("derecho", {"queue": ["main", "preempt"], "account": "x"}),
    "no such queue among several": ("testcluster", {"queue": ["short", "lnog"]}),
    "no such queue": ("testcluster", {"queue": "shrot"}),
    "no walltime": ("lsfcluster", {"walltime": None}),
    "too large for this machine": ("local", {"workers": {"count": 99, "memory": "1 GiB"}}),
    "no node of its own": ("local", {"workers": {"count": 2, "per_node": 1, "memory": "1 GiB"}}),
    "groups elsewhere": ("testcluster", {"workers": {"memory": "1 GiB", "groups": {"a": {"count": 1}}}}),
    "too little": ("testcluster", {"workers": {"count": 2, "memory": "1 MB"}}),
    "an option that is said": ("testcluster", {"workers": {"count": 2, "memory": "1 GiB", "options": ["--nthreads"]}}),
    "fewer cores than threads": (
        "testcluster",
        {"workers": {"count": 2, "memory": "1 GiB", "threads": 4, "cores": 2}},
    ),
    "no workers at all, of mpi": (
        "testcluster",
        {"layout": "mpi", "workers": "none", "workload": {"command": ["x"], "cores": 1}},
    ),
    "no workers at all, and no cores": ("testcluster", {"workers": "none", "workload": {"command": ["x"], "cores": 0}}),
    "no workers yet": ("testcluster", {"workers": {"count": 0, "memory": "1 GiB"}}),
    "at_once of one job": ("testcluster", {"workers": {"count": 2, "memory": "1 GiB", "at_once": 1}}),
    "an idle time of a workload": ("testcluster", {"scheduler": {"idle_timeout": "1h"}}),
    "an account is wanted": ("derecho", {}),
    "JupyterLab beside nothing": (
        "testcluster",
        {"workers": "none", "services": {"jupyter": True}, "workload": {"command": ["x"], "cores": 1}},
    ),
    "a count beside groups": (
        "testcluster",
        {"layout": "job-array", "workers": {"memory": "1 GiB", "count": 2, "groups": {"a": {"count": 1}}}},
    ),
    "workers of mpi": ("testcluster", {"layout": "mpi", "workers": {"count": 2, "memory": "1 GiB", "options": ["-x"]}}),
}


def refused(profile: Profile, site: str, context: Context) -> list[Problem]:
    (context.directory / "p.yaml").write_text(yaml.safe_dump(profile))
    try:
        prepare(Path("p.yaml"), context, site)
    except HpcLaunchError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize("name", CASES)
def test_what_is_advised_is_taken(context: Context, name: str) -> None:
    site, keys = CASES[name]
    profile = {**BASE, **keys}
    problems = refused(profile, site, context)
    assert problems, "this is no refusal any more"
    tried = [(advice, done) for problem in problems for advice, done in followed(profile, problem)]
    assert tried, [str(problem) for problem in problems]
    for advice, done in tried:
        again = [str(problem) for problem in refused(done, site, context)]
        assert len(again) < len(problems), (advice, again)


@pytest.mark.parametrize(
    ("site", "directive", "key"),
    [
        ("testcluster", "--mail-type=all", "mail.on: [begin, end, fail]"),
        ("testcluster", "--mail-type=Fail,END", "mail.on: [fail, end]"),
        ("pbscluster", "-m abe", "mail.on: [fail, begin, end]"),
        ("gridcluster", "-m beas", "mail.on: [begin, end, fail]"),
        ("lsfcluster", "-B", "mail.on: [begin]"),
        ("lsfcluster", "-N", "mail.on: [end]"),
        ("lsfcluster", '-R "select[mem>1]"', "constraint: mem>1"),
    ],
)
def test_what_a_directive_says_is_written_as_its_key(context: Context, site: str, directive: str, key: str) -> None:
    (problem,) = refused({**BASE, "directives": [directive]}, site, context)
    assert problem.hint == f"set `{key}` for it, and leave it out here"
