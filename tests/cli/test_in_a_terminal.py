"""What fits into the 80 columns of a terminal."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import replace

import pytest

from hpc_launch.cli import app, command_line, export, site
from hpc_launch.cli.manual import page
from hpc_launch.context import Context
from tests.commands import command, environment, hpc_launch
from tests.conftest import LEAST, ROOT

APPS = {"": app, "site": site.site, "export": export.export}


@pytest.mark.parametrize("name", APPS)
def test_the_list_of_commands_has_each_whole_sentence(context: Context, name: str) -> None:
    narrow = replace(context, environment={**environment(context), "COLUMNS": "80"})
    told = hpc_launch(narrow, *name.split(), "--help")
    assert told.returncode == 0 and max(map(len, told.stdout.splitlines())) <= 80
    shown = re.sub(r"\s+", " ", told.stdout)
    for each in APPS[name].registered_commands:
        assert each.callback and each.callback.__doc__
        sentence = each.callback.__doc__.partition("\n\n")[0]
        assert re.sub(r"\s+", " ", sentence.strip()) in shown
    assert "..." not in shown.replace("[ARGS]...", "")


EVERY = command_line("").commands


@pytest.mark.parametrize("name", EVERY)
def test_a_command_that_is_asked_for_is_made_alone_and_is_the_same(name: str) -> None:
    made = command_line(name).commands
    assert [*made] == [name]
    assert made[name].help == EVERY[name].help and made[name].short_help == EVERY[name].short_help
    assert [each.opts for each in made[name].params] == [each.opts for each in EVERY[name].params]


def test_the_man_page_is_what_the_commands_say() -> None:
    """Made anew by `python -m hpc_launch.cli.manual >docs/hpc-launch.1`."""
    assert (ROOT / "docs" / "hpc-launch.1").read_text(encoding="utf-8") == page()


@pytest.mark.skipif(not shutil.which("groff"), reason="there is no groff here")
def test_the_man_page_can_be_read() -> None:
    told = subprocess.run(
        ["groff", "-k", "-man", "-ww", "-Tutf8", str(ROOT / "docs" / "hpc-launch.1")],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "GROFF_NO_SGR": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    plain = re.sub(".\b", "", told.stdout)
    assert re.search(r"^ +hpc.launch site discover$", plain, re.M), plain[:2000]


@pytest.mark.parametrize(
    "words", [["site", "list"], ["explain", "p.yaml", "--site", "local", "--changed"]], ids=" ".join
)
def test_a_table_is_not_broken_by_a_terminal_and_whole_elsewhere(context: Context, words: list[str]) -> None:
    (context.directory / "p.yaml").write_text(LEAST + f"environment: {{setup: 'echo {'long ' * 40}'}}\n")
    whole = hpc_launch(context, *words).stdout.splitlines()
    line = "stty cols 80; " + shlex.join(command(*words))
    told = subprocess.run(
        ["script", "-qec", line, "/dev/null"], cwd=context.directory, env=environment(context), capture_output=True
    ).stdout.decode()
    rows = told.replace("\r", "").splitlines()
    assert len(rows) == len(whole) and max(map(len, whole)) > 80 >= max(map(len, rows)), told
