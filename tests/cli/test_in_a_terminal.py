"""What fits into the 80 columns of a terminal."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hpc_launch.cli import app, export, site
from hpc_launch.context import Context
from tests.commands import environment, hpc_launch

APPS = {"": app, "site": site.site, "export": export.export}


@pytest.mark.parametrize("name", APPS)
def test_the_list_of_commands_has_each_whole_sentence(context: Context, name: str) -> None:
    narrow = replace(context, environment={**environment(context), "COLUMNS": "80"})
    told = hpc_launch(narrow, *name.split(), "--help")
    assert told.returncode == 0 and max(map(len, told.stdout.splitlines())) <= 80
    shown = re.sub(r"\s+", " ", told.stdout)
    for command in APPS[name].registered_commands:
        assert command.callback and command.callback.__doc__
        sentence = command.callback.__doc__.partition("\n\n")[0]
        assert re.sub(r"\s+", " ", sentence.strip()) in shown
    assert "..." not in shown.replace("[ARGS]...", "")
