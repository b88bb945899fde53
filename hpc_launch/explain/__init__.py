"""Every resolved value with where it came from, for people and for the run's record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from hpc_launch.config.layers import at, dotted, flatten
from hpc_launch.config.origin import BUILT_IN, KeyPath
from hpc_launch.models.plan import Planned, Reasons
from hpc_launch.models.profile import OF_EACH_GROUP, Profile, WorkerKeys
from hpc_launch.resolve import Resolved


class Leaf(NamedTuple):
    """One value of the resolved profile."""

    path: KeyPath
    value: Any
    """As it could be written in a profile."""
    origin: str
    """`profile.yaml:12`, `--set …`, `built-in default`, or how it was computed."""
    changed: bool = False
    """Whether a layer has set it, to something else than the built-in default."""


LEAST: dict[str, Any] = {"workers": {"count": 1}, "workload": {"command": ["true"]}}
"""The keys that every profile has to set, for all others have defaults."""
REQUIRED = {(above, key) for above, keys in LEAST.items() for key in keys}


def leaves(resolved: Resolved, reasons: Reasons) -> Iterator[Leaf]:
    """All keys of a profile, in the order of the documentation; `reasons`: of those that it leaves open."""
    usual = dict(_written(Profile.model_validate(LEAST)))
    document = resolved.document
    for path, value in _written(resolved.profile):
        said = path if path in document.origins else _of_all_workers(path)
        if reason := reasons.get(path):
            changed = path in document.origins and value != usual.get(path)
            yield Leaf(path, reason.value, reason.why, changed)
        elif said in document.origins:
            changed = path in document.origins and (path[:2] in REQUIRED or value != usual.get(path))
            yield Leaf(path, at(document.data, said), str(document.origins[said]), changed)
        else:
            yield Leaf(path, value, str(BUILT_IN))


def _of_all_workers(path: KeyPath) -> KeyPath:
    """The key of all workers that holds for a group which does not set its own."""
    of_a_group = len(path) > 3 and path[:2] == ("workers", "groups") and path[3] not in OF_EACH_GROUP
    return ("workers", *path[3:]) if of_a_group else path


def _written(profile: Profile) -> Iterator[tuple[KeyPath, Any]]:
    """Every key with its value, as it could be written in a profile."""
    data, workers = profile.model_dump(by_alias=True), profile.workers
    if workers.groups:  # each of them has its count
        own = {name: workers.of_group(name).model_dump(include={*WorkerKeys.model_fields}) for name in workers.groups}
        data["workers"] |= {"count": None, "groups": own}
    return flatten(data)


def resolved_yaml(resolved: Resolved, reasons: Reasons) -> str:
    """The resolved profile as YAML, each value with its origin; it is itself a profile."""
    lines = ["# The profile as resolved: every key, and where its value came from.\n"]
    open_path: KeyPath = ()
    for leaf in leaves(resolved, reasons):
        parents = leaf.path[:-1]
        common = next((n for n, (a, b) in enumerate(zip(parents, open_path, strict=False)) if a != b), None)
        start = min(len(parents), len(open_path)) if common is None else common
        for depth in range(start, len(parents)):
            lines.append(f"{'  ' * depth}{shown(parents[depth])}:\n")
        open_path = parents
        lines.append(f"{'  ' * len(parents)}{shown(leaf.path[-1])}: {shown(leaf.value)}  # {leaf.origin}\n")
    return "".join(lines)


def shown(value: Any) -> str:
    """A value as YAML on one line."""
    # JSON is YAML; only plain words lose their quotes, for the reader's sake.
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z/$][A-Za-z0-9_./$-]*", value) and value.lower() not in _SPECIAL:
        return value
    return json.dumps(value, ensure_ascii=False)


_SPECIAL = {"null", "true", "false", "yes", "no", "on", "off"}


def as_json(resolved: Resolved, planned: Planned, changed: bool = False) -> dict[str, Any]:
    """`explain --json`; with `changed`, only the values that differ from the built-in defaults."""
    values = [
        {"key": dotted(leaf.path), "value": leaf.value, "origin": leaf.origin}
        for leaf in leaves(resolved, planned.reasons)
        if leaf.changed or not changed
    ]
    return {"schema": 1, "values": values, "plan": planned.plan.as_data()}
