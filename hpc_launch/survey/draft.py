"""A site profile as far as the live machine tells it: a draft for the machine's sysadmin to go on with."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from hpc_launch.batch.machine import Machine
from hpc_launch.config.wording import listed, printable
from hpc_launch.models.fields import Name, Word
from hpc_launch.survey.draft_queues import is_a, queue_lines, source
from hpc_launch.survey.here import here_lines
from hpc_launch.survey.host import Host
from hpc_launch.survey.yaml_lines import flow, line

Lines = Iterator[str]


def draft(machine: Machine, host: Host, today: datetime.date) -> str:
    """The draft, as YAML: valid, and good for a first job wherever the batch system told enough."""
    parts = (_head(machine, host, today), _system(machine, host), here_lines(machine, host), _limits(machine))
    return "\n".join([*(text for part in parts for text in part), *queue_lines(machine), ""])


def _head(machine: Machine, host: Host, today: datetime.date) -> Lines:
    asked = [*machine.commands.values()]
    name = re.sub(r"^[^A-Za-z]+|[^\w.-]+", "-", machine.cluster or host.name.partition(".")[0], flags=re.ASCII)
    name = name.strip("-")[:64]
    yield "# A draft of a site profile: what the machine says of itself (hpc-launch site discover)."
    yield "# `a guess`: seen on this host, or chosen among several. `not found`: yours to add, or to leave out."
    yield "# Then: hpc-launch site check FILE; what makes a good one: docs/adding-a-site.md"
    yield "schema: 1"
    origin = source(machine, "cluster", "config") if machine.cluster else "this host's name; yours to choose"
    yield line(f"name: {name if is_a(Name, name) else 'mymachine'}", origin)
    yield line(f"title: A machine with {flow(machine.batch_system)}", printable(machine.version), "yours to write")
    yield line("maintainers: []", "not found: maintainers: yours, [{name: …, contact: …}]")
    yield line(f"reviewed: {today.isoformat()}", "when you last compared this file with the machine")
    yield line("sources:", "yours to complete: the pages that your users read")
    yield from (f"  - {flow(command)}" for command in asked)
    if is_a(Word, machine.cluster):
        yield line(f"detect: {{cluster: {flow(machine.cluster)}}}", "add hostname where clusters share a batch system")
    else:
        pattern = re.escape(re.sub(r"\d+", "0", host.name)).replace("0", r"\d+")
        yield line(
            f"# detect: {{hostname: {flow(pattern)}}}", "not found: detect.hostname: of the login hosts; this is one"
        )


def _system(machine: Machine, host: Host) -> Lines:
    yield f"batch_system: {flow(machine.batch_system)}"
    node = machine.said("launchers", "node")
    launchers = [line(f"  node: {flow(node.value)}", node.source)] if node else []
    yield from _block("launchers", [*launchers, _mpi(machine, host)])
    for key in ("submit_stdin", "account"):
        if found := machine.said(key):
            yield line(f"{key}: {flow(found.value)}", found.source)
    if not machine.said("account"):
        yield line("account: optional", "not found: account: required where jobs without one are refused")
    yield from _group(machine, "parallel_environments")
    yield from _group(machine, "memory", "headroom: 5%")
    yield from _group(machine, "resources")


def _mpi(machine: Machine, host: Host) -> str:
    if found := machine.said("launchers", "mpi"):
        return line(f"  mpi: {flow(found.value)}", found.source)
    known = [(name, program) for name, program in machine.mpi if program in host.programs]
    if known:
        return line(f"  mpi: {flow(known[0][0])}", f"a guess: {host.programs[known[0][1]]} on this host")
    wanted = listed(f"{name} ({program})" for name, program in machine.mpi)
    return line(
        f"  # mpi: {flow(machine.mpi[0][0] if machine.mpi else 'mpiexec')}",
        f"not found: launchers.mpi: none of {wanted} on this host",
    )


def _group(machine: Machine, name: str, *further: str) -> Lines:
    """A mapping of the keys below `name`, with what is missing of it."""
    found = [each for each in machine.more if each.key[0] == name]
    lines = [line(f"  {each.key[1]}: {flow(each.value)}", each.source) for each in found]
    lines += [f"  {text}" for text in further]
    missing = {key: why for key, why in machine.missing.items() if key.startswith(f"{name}.")}
    lines += [f"  # not found: {printable(key)}: {printable(why)}" for key, why in missing.items()]
    yield from _block(name, lines)


def _block(name: str, lines: list[str]) -> Lines:
    """Lines below a key; comments alone do without it, since a key with nothing below it is null."""
    if all(text.lstrip().startswith("#") for text in lines):
        yield from (text.strip() for text in lines)
    else:
        yield f"{name}:"
        yield from lines


def _limits(machine: Machine) -> Lines:
    asked = source(machine, "config")
    if machine.array == 0:
        yield line("arrays: false", asked)
        yield "layouts: [single-job, mpi]"
    if machine.array or machine.submitted:
        yield "limits:"
    if machine.array:
        yield line(f"  array: {machine.array}", asked)
    if machine.submitted:
        yield line(f"  submitted: {{jobs: {machine.submitted}}}", asked)
    yield f"# not found: limits.running, qos: limits of one user, which {printable(machine.batch_system)} does not show"
    default = machine.default_queue
    if is_a(Word, default) and any(queue.name == default for queue in machine.queues):
        yield line(f"defaults: {{queue: {flow(default)}}}", "add walltime: what a job gets that does not say")
    else:
        why = machine.missing.get("defaults.queue", "a default queue")
        yield f"# not found: defaults.queue: {printable(why)}"
