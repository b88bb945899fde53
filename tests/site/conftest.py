"""Site profiles of a few lines, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration

HEAD = "name: x\nqueues:\n  short: {cores: 4}\n  long: {cores: 4, qos: slow}\n"  # four lines

Told = Callable[..., list[str]]


@pytest.fixture
def told(tmp_path: Path, context: Context) -> Told:
    """The lines `LINE: message` and the hints of what is wrong with a site profile of these further lines."""

    def of(*lines: str, system: str = "slurm") -> list[str]:
        text = f"{HEAD}batch_system: {system}\n" + "".join(f"{line}\n" for line in lines)
        (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
        try:
            sites.read(tmp_path / "x.yaml", context)
        except InvalidConfiguration as wrong:
            assert all(each.origin and each.origin.source == "x.yaml" for each in wrong.problems)
            return [f"{each.origin and each.origin.line}: {each.message} | {each.hint}" for each in wrong.problems]
        return []

    return of
