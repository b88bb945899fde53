"""The profiles of examples/hpc-page that are not for this machine: what is asked for, and which network is used."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from hpc_launch.prepare import Prepared
from tests.conftest import ROOT
from tests.rendering import GOLDEN

Prepare = Callable[..., Prepared]


@pytest.mark.parametrize("name", ["derecho", "interface"])
def test_it_is_rendered_as_in_the_golden_file(prepared: Prepare, name: str) -> None:
    profile = (ROOT / "examples" / "hpc-page" / f"{name}.yaml").read_text(encoding="utf-8")
    files = prepared(profile, "account=my_project", site=None).rendered.files
    lines = [*files["job.sh"].splitlines(), *files["node.sh"].splitlines()]
    told = [line for line in lines if re.match(r"#(PBS|SBATCH) |.* --interface ", line)]
    assert told == (GOLDEN / "hpc-page" / f"{name}.sh").read_text(encoding="utf-8").splitlines()
