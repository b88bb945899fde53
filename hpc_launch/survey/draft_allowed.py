"""What a site profile takes: nothing that a machine says gets into a draft unless it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from hpc_launch.checks.site import problems
from hpc_launch.config.document import Document
from hpc_launch.models.site import Site

_LEAST: Mapping[str, Any] = {"name": "x", "batch_system": "local", "queues": {"x": {}}}
"""Enough of a site profile to try a key in: there is nothing wrong with it."""


def fits(path: Sequence[str], value: Any) -> bool:
    """Whether a site profile takes a value, as written in a file, at this key: the schema alone."""
    try:
        Site.model_validate(_least_with(path, value))
    except ValidationError:
        return False
    return True


def is_known(path: Sequence[str], value: Any) -> bool:
    """The same with the rules beyond the schema: is there a launcher, a batch system of this name?"""
    return fits(path, value) and not problems(Document(_least_with(path, value), {}, ()))


def _least_with(path: Sequence[str], value: Any) -> dict[str, Any]:
    for key in reversed(path[1:]):
        value = {key: value}
    return {**_LEAST, path[0]: value}
