"""Every resolved value with where it came from, for people and for the run's record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hpc_launch.config.layers import at, dotted, flatten
from hpc_launch.config.origin import BUILT_IN, KeyPath
from hpc_launch.models.plan import Plan
from hpc_launch.models.profile import Profile
from hpc_launch.resolve import Resolved
from hpc_launch.units import exact_memory, format_walltime


@dataclass(frozen=True)
class Leaf:
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


def leaves(resolved: Resolved, plan: Plan) -> Iterator[Leaf]:
    """All keys of a profile, in the order of the documentation."""
    computed = _computed(resolved, plan)
    usual = dict(_written(Profile.model_validate(LEAST)))
    for path, value in _written(resolved.profile):
        if path in computed and at(resolved.document.data, path) in (None, "auto"):
            yield Leaf(path, *computed[path], path in resolved.document.origins and value != usual.get(path))
        elif path in resolved.document.origins:
            changed = path[:2] in REQUIRED or value != usual.get(path)
            yield Leaf(path, at(resolved.document.data, path), str(resolved.document.origins[path]), changed)
        else:
            yield Leaf(path, value, str(BUILT_IN))


def _written(profile: Profile) -> Iterator[tuple[KeyPath, Any]]:
    """Every key with its value, as it could be written in a profile."""
    return flatten(profile.model_dump(by_alias=True))


def _computed(resolved: Resolved, plan: Plan) -> dict[KeyPath, tuple[Any, str]]:
    """What a site or arithmetic has filled in."""
    job, group, site = plan.jobs[0], plan.workers, resolved.site
    values: dict[KeyPath, tuple[Any, str]] = {
        ("site",): (site.name, "detected"),
        ("name",): (plan.name, "the profile's file name"),
        ("workers", "memory"): (
            exact_memory(group.memory_bytes),
            "computed: its threads' share of what a node can give",
        ),
        ("workers", "per_node"): (group.per_node, "computed: as many as fit by cores and memory"),
        ("workers", "minimum"): (plan.minimum, f"computed: as {plan.layout} needs them"),
        ("workers", "interface"): (group.interface, _of_site(resolved, "network", "interface")),
        ("scheduler", "cores"): (plan.scheduler.cores, f"built-in default of {plan.layout}"),
        ("scheduler", "interface"): (plan.scheduler.interface, _of_site(resolved, "network", "interface")),
        ("workers", "local_directory"): (group.local_directory, _of_site(resolved, "storage", "local")),
        ("workers", "lifetime"): _lifetime(plan),
        ("workload", "directory"): (plan.workload.directory, "the profile's directory"),
    }
    if plan.timeout_seconds is not None:
        values["workers", "timeout"] = (f"{plan.timeout_seconds}s", f"built-in default of {plan.layout}")
    for other in plan.jobs[1:]:
        values["workers", "queue"] = (other.queue, "the run's")
        values["workers", "walltime"] = (format_walltime(other.walltime_seconds or 0), "the run's")
    if group.spill != "auto":
        values["workers", "spill"] = (group.spill, _of_site(resolved, "storage", "local_kind"))
    if job.walltime_seconds is not None:
        values["walltime",] = (
            format_walltime(job.walltime_seconds),
            _of_site(resolved, "queues", str(job.queue), "default_walltime"),
        )
    if job.queue is not None:
        why = "the first that fits" if resolved.profile.queue else f"the only queue of {site.name}"
        values["queue",] = (job.queue, why)
    if plan.environment.python is not None:
        values["environment", "python"] = (plan.environment.python, "the interpreter that runs hpc-launch")
    return values


def _lifetime(plan: Plan) -> tuple[str | None, str]:
    group = plan.workers
    if group.lifetime_seconds is None:
        return None, f"computed: none in {plan.layout}"
    return (
        f"{group.lifetime_seconds}s",
        f"computed: leave in order before the walltime, ±{group.lifetime_stagger_seconds} s",
    )


def _of_site(resolved: Resolved, *path: str) -> str:
    """Where the site profile says it."""
    return str(resolved.site_document.origins.get(path, f"{BUILT_IN} of site profiles"))


def resolved_yaml(resolved: Resolved, plan: Plan) -> str:
    """The resolved profile as YAML, each value with its origin; it is itself a profile."""
    lines = ["# The profile as resolved: every key, and where its value came from.\n"]
    open_path: KeyPath = ()
    for leaf in leaves(resolved, plan):
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


def as_json(resolved: Resolved, plan: Plan, changed: bool = False) -> dict[str, Any]:
    """`explain --json`; with `changed`, only the values that differ from the built-in defaults."""
    values = [
        {"key": dotted(leaf.path), "value": leaf.value, "origin": leaf.origin}
        for leaf in leaves(resolved, plan)
        if leaf.changed or not changed
    ]
    return {"schema": 1, "values": values, "plan": plan.as_data()}
