"""The part of a draft that no batch system tells: network, scratch, modules, containers, as this host has them."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.batch.machine import Machine
from hpc_launch.config.wording import printable
from hpc_launch.survey.host import CONTAINERS, Host
from hpc_launch.survey.yaml_lines import flow, line


def is_a_node(host: Host, machine: Machine) -> bool:
    """Whether this host is one of the machine's compute nodes: then what is seen here holds for jobs."""
    names = {node.name.partition(".")[0] for queue in machine.queues for node in queue.nodes or ()}
    return host.name.partition(".")[0] in names


def seen_on(host: Host, machine: Machine) -> str:
    """Where something was seen, for a comment or a message."""
    kind = "a compute node" if is_a_node(host, machine) else "a guess: not a compute node"
    return f"seen on {host.name}, {kind}"


def here_lines(machine: Machine, host: Host) -> Iterator[str]:
    """`network`, `storage`, `environment` and `containers` of a draft."""
    yield from _network(host, seen_on(host, machine))
    yield from _storage(machine, host)
    yield from _software(host)


def _network(host: Host, where: str) -> Iterator[str]:
    names = ", ".join(f"{each.name} {each.address}" for each in host.interfaces) or "no address at all"
    if fast := host.fastest:
        yield line(f"network: {{interface: {flow(fast.name)}}}", where, names)
    else:
        yield "# network: {interface: ib0}"
        yield f"# not found: network.interface: no fast one on this host ({printable(names)}); left out, Dask chooses"


def _storage(machine: Machine, host: Host) -> Iterator[str]:
    yield "storage:"
    yield line("  runs: $HOME/.hpc-launch/runs", "every node must see it")
    own = machine.said("storage", "local")
    if own:
        yield line(f"  local: {flow(own.value)}", own.source)
        yield line("  # local_kind: disk", "not found: storage.local_kind: left out, each node looks")
        return
    disks = [each for each in host.scratch if each.kind == "disk"]
    found = ", ".join(f"{each.path} {each.kind or 'unknown'} ({each.filesystem})" for each in host.scratch)
    chosen = disks[0] if disks else None
    yield line(f"  local: {flow(chosen.path if chosen else '/tmp')}", seen_on(host, machine), found)
    if chosen and is_a_node(host, machine):
        yield line("  local_kind: disk", chosen.filesystem)
    else:
        yield line("  # local_kind: disk", "not found: storage.local_kind: left out, each node looks")


def _software(host: Host) -> Iterator[str]:
    if host.has_modules:
        yield "environment:"
        yield line("  setup: |", "what makes `module` work in a shell that has read nothing")
        yield "    type module >/dev/null 2>&1 || source /etc/profile"
        if host.modules:
            yield f"  # modules that look like a Python: {printable(', '.join(host.modules))}"
    else:
        yield "# not found: environment.setup: no modules on this host; it makes `module` work in a bare shell"
    runtime = next((name for name in CONTAINERS if name in host.programs), None)
    if runtime:
        yield line(f"containers: {runtime}", host.programs[runtime])
    else:
        yield f"# not found: containers: none of {', '.join(CONTAINERS)} on PATH"
