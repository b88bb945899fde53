"""A site profile as far as the live machine tells it: a draft for the machine's sysadmin to go on with."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hpc_launch.batch.machine import Machine
from hpc_launch.config.wording import printable
from hpc_launch.errors import BatchSystemError, Problem
from hpc_launch.survey.draft_allowed import fits, is_known
from hpc_launch.survey.draft_host import host_lines
from hpc_launch.survey.draft_lines import Line, absent, flow, line, remark
from hpc_launch.survey.draft_queues import queue_lines, usable
from hpc_launch.survey.draft_system import source, system_lines
from hpc_launch.survey.host import Host
from hpc_launch.units import exact_memory

Lines = Iterator[Line]


@dataclass(frozen=True)
class Draft:
    """A site profile, and what is missing of it."""

    text: str
    """YAML."""
    not_found: tuple[str, ...]
    """`KEY: why`, in the order of the text, where these are comments."""


def draft(machine: Machine, host: Host, today: datetime.date) -> Draft:
    """The draft: valid, and good for a first job wherever the batch system told enough.

    Raises:
        BatchSystemError: there is no queue that takes jobs, or no site profile could name the batch system.
    """
    if not is_known(("batch_system",), machine.batch_system):
        name = printable(machine.batch_system)
        hint = "a plug-in's name is a word, and it brings a template of directives: install it anew"
        raise BatchSystemError(Problem(f"no site profile can name this batch system: {name}", hint=hint))
    if not usable(machine):
        raise _without_queues(machine)
    parts = (_head(machine, host, today), system_lines(machine, host), host_lines(machine, host), _limits(machine))
    lines = [*(each for part in parts for each in part), *queue_lines(machine)]
    text = "\n".join([*(each.text for each in lines), ""])
    return Draft(text, tuple(each.not_found for each in lines if each.not_found))


def _without_queues(machine: Machine) -> BatchSystemError:
    known = [f"{printable(name)} ({printable(why)})" for name, why in machine.closed.items()]
    known += [f"{queue.name!r} (no site profile can name it)" for queue in machine.queues]
    found = f"it has {', '.join(known[:20])}" if known else "it has no queues at all"
    more = f", and {len(known) - 20} more" if len(known) > 20 else ""
    said = f"{printable(machine.batch_system)} answers, and has no queue that takes jobs: {found}{more}"
    where = source(machine, "queues")
    asked = f"`{printable(where)}` told that; " if where else ""
    return BatchSystemError(
        Problem(said, hint=f"{asked}try again when a queue is open, or copy a profile from `hpc-launch site list`")
    )


def _head(machine: Machine, host: Host, today: datetime.date) -> Lines:
    cluster = machine.cluster
    name = re.sub(r"^[^A-Za-z]+|[^\w.-]+", "-", cluster or host.name.partition(".")[0], flags=re.ASCII)
    name = name.strip("-")[:64]
    yield remark("A draft of a site profile: what the machine says of itself (hpc-launch site discover).")
    yield remark("`a guess`: seen on this host, or chosen among several. `not found`: yours to add, or to leave out.")
    yield remark("Then: hpc-launch site check FILE; what makes a good one: docs/adding-a-site.md")
    yield Line("schema: 1")
    origin = source(machine, "cluster", "config") if cluster else "this host's name; yours to choose"
    yield line(f"name: {flow(name if fits(('name',), name) else 'mymachine')}", origin)
    title = flow(f"A machine with {machine.batch_system}")
    yield line(f"title: {title}", printable(machine.version), "yours to write")
    yield line("maintainers: []", not_found="maintainers: yours, [{name: …, contact: …}]")
    yield line(f"reviewed: {today.isoformat()}", "when you last compared this file with the machine")
    yield line("sources:" if machine.commands else "sources: []", "yours to complete: the pages that your users read")
    yield from (Line(f"  - {flow(command)}") for command in machine.commands.values())
    if cluster and fits(("detect", "cluster"), cluster):
        yield line(f"detect: {{cluster: {flow(cluster)}}}", "add hostname where clusters share a batch system")
    else:
        pattern = re.escape(re.sub(r"[0-9]+", "0", host.name)).replace("0", r"\d+")
        why = "detect.hostname: of the login hosts; this is one"
        yield line(f"# detect: {{hostname: {flow(pattern)}}}", not_found=why)


def _limits(machine: Machine) -> Lines:
    asked = source(machine, "config")
    if machine.array == 0:
        yield line("arrays: false", asked)
    running = {key: exact_memory(limit) if key == "memory" else limit for key, limit in machine.running.items()}
    limits = {
        "array": machine.array,
        "submitted": machine.submitted and {"jobs": machine.submitted},
        "running": running,
    }
    given = {key: value for key, value in limits.items() if value and fits(("limits", key), value)}
    if given:
        yield Line("limits:")
        own = f"a guess: of your own account, {machine.limits_source}" if machine.limits_source else asked
        for key, value in given.items():
            yield line(f"  {key}: {flow(value)}", asked if key == "array" else own)
    qos = {name: limits for name, limits in machine.qos.items() if fits(("qos", name), limits)}
    if any(qos.values()):
        yield line("qos:", "of one user at once; a QOS that may run longer than its queue: walltime")
        yield from (Line(f"  {flow(name)}: {flow(limits)}") for name, limits in qos.items())
    if machine.array is None:
        yield absent("limits.array", f"{machine.batch_system} does not say how long an array may be")
    if not machine.running and not machine.qos:
        yield absent("limits.running, qos", f"limits of one user, which {machine.batch_system} does not show")
    default = machine.default_queue
    if default in usable(machine):
        reason = machine.default_reason
        yield line(f"defaults: {{queue: {flow(default)}}}", reason, "add walltime: what a job gets that does not say")
    else:
        asked = source(machine, "queues") or machine.batch_system
        yield absent("defaults.queue", machine.missing.get("defaults.queue", f"{asked} marks no queue as the default"))
