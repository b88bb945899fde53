"""A draft says what a site profile takes, and names what there is."""

from __future__ import annotations

from typing import Any

import pytest

from hpc_launch.survey.draft_allowed import fits, is_known


@pytest.mark.parametrize(
    ("path", "value", "schema", "rules"),
    [
        (("batch_system",), "slurm", True, True),
        (("batch_system",), "x", True, False),
        (("batch_system",), "a b", False, False),
        (("launchers", "node"), "srun", True, True),
        (("launchers", "node"), "srum", True, False),
        (("launchers", "mpi"), {"name": "srun", "options": ["--mpi=pmi2"]}, True, True),
        (("storage", "local"), "$TMPDIR", True, True),
        (("queues", "short"), {}, True, True),
        (("queues", "a\nrejects: [-q]"), {}, False, False),
        (("queues", "short", "cores"), 0, False, False),
        (("nothing",), 1, False, False),
    ],
)
def test_what_is_taken(path: tuple[str, ...], value: Any, schema: bool, rules: bool) -> None:
    assert (fits(path, value), is_known(path, value)) == (schema, rules)
