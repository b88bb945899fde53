"""Hundreds of random wrong profiles and site profiles: each ends with a code of ours, and none with a traceback."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest
import yaml

from tests.cli.hostile import Keys, Tree, as_yaml, document, keys, spoiled
from tests.commands import ended
from tests.conftest import SITES

EXAMPLES = 400
"""Random files of a part."""
PARTS = [0, 1, *(pytest.param(part, marks=pytest.mark.long) for part in range(2, 50))]
PROFILE = {"workers": {"count": "2", "memory": "1 GiB"}, "walltime": "30m", "workload": {"command": "[python, x.py]"}}
WITH_PROFILE = (("render",), ("check",), ("explain",), ("explain", "--changed"), ("submit", "--dry-run"))
WITH_SITE = (("site", "show"), ("site", "show", "--origin"), ("site", "check"), ("export", "jobqueue", "--site"))
ON = ("testcluster", "pbscluster", "gridcluster", "lsfcluster", "local")


@pytest.mark.parametrize("part", PARTS)
def test_random_wrong_files_end_with_a_code_of_ours_and_no_traceback(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": "home", "PATH": "empty", "HPC_LAUNCH_SITE_PATH": str(SITES)}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home" / ".config" / "hpc-launch").mkdir(parents=True)
    random = Random(part)
    profile, site = (list(keys(schema, schema)) for schema in map(schema_of, ("profile", "site")))
    ended = [example(random, profile, site) for _ in range(EXAMPLES)]
    # neither everything is refused at the door, nor is nothing
    assert {0, 3} <= set(ended), set(ended)


def example(random: Random, profile: list[Keys], site: list[Keys]) -> int:
    """One random file and one command on it; gives its exit code."""
    kind = random.random()
    below = "home/.config/hpc-launch/config.yaml"
    write(below, "")
    words = random.choice(WITH_PROFILE)
    on = random.choice(ON)
    more: tuple[str, ...] = ("--json",) if random.random() < 0.3 else ()
    write("p.yaml", document(PROFILE))
    if kind < 0.5:
        write("p.yaml", document(spoiled(PROFILE, profile, random)))
    elif kind < 0.6:
        write(below, document(spoiled({}, profile, random)))
    elif kind < 0.75:
        *path, key = random.choice(profile)
        tree = spoiled({}, [(*path, key)], random)
        more += tuple(word for name, value in flat(tree) for word in ("--set", f"{name}={value}"))
    else:
        write("s.yaml", document(spoiled(a_site(random), site, random)))
        on = "./s.yaml"
        if random.random() < 0.7:
            return ends_well([*random.choice(WITH_SITE), on, *more])
    return ends_well([*words, "p.yaml", "--site", on, *more] if random.random() < 0.9 else [*words, "p.yaml", *more])


def write(file: str, text: str) -> None:
    Path(file).write_text(text, encoding="utf-8")


def ends_well(words: list[str]) -> int:
    """Run the command in this process; a failure names the files to try it again."""
    files = {name: Path(name).read_text() for name in ("p.yaml", "s.yaml") if Path(name).exists()}
    try:
        code, out, err = ended(words)
    except Exception as error:
        raise AssertionError(f"{words} ended with {type(error).__name__}; the files: {files}") from error
    said, told = out.decode(), err.decode()
    assert "Traceback" not in told and code in range(7), (words, files, code, told)
    assert code == 0 or told or "--json" in words or words[:2] == ["site", "check"], (words, files, code)
    if "--json" in words and code != 2:
        json.loads(said, parse_constant=_no_json)
    return code


def _no_json(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def flat(tree: Tree, above: str = "") -> list[tuple[str, str]]:
    """As ``--set`` takes it."""
    return [
        pair
        for key, value in tree.items()
        for pair in (
            flat(value, f"{above}{key}.") if isinstance(value, dict) and value else [(above + key, as_yaml(value))]
        )
    ]


def schema_of(name: str) -> Tree:
    """What the program says of its keys."""
    code, out, _ = ended(["schema", name])
    assert code == 0
    return dict(json.loads(out))


def a_site(random: Random) -> Tree:
    """One of the tests' machines, or a site that extends it."""
    name = random.choice(ON[:4])
    if random.random() < 0.3:
        return {"extends": name, "name": "s"}
    return site_as_written(name)


@cache
def site_as_written(name: str) -> Tree:
    return dict(yaml.load((SITES / f"{name}.yaml").read_text(), Loader=yaml.BaseLoader))
