"""The part of a draft that no batch system tells: network, scratch, modules, containers, as this host has them."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.batch.machine import Machine
from hpc_launch.survey.compare_host import own_to_a_host
from hpc_launch.survey.draft_allowed import fits
from hpc_launch.survey.draft_lines import Line, absent, flow, line, remark
from hpc_launch.survey.host import CONTAINERS, Host, is_a_node


def seen_on(host: Host, machine: Machine) -> str:
    """Where something was seen, for a comment or a message."""
    kind = "a compute node" if is_a_node(host, machine) else "a guess: not a compute node"
    return f"seen on {host.name}, {kind}"


def host_lines(machine: Machine, host: Host) -> Iterator[Line]:
    """`network`, `storage`, `environment` and `containers` of a draft."""
    yield from _network(host, seen_on(host, machine))
    yield from _storage(machine, host)
    yield from _software(host)


def _network(host: Host, where: str) -> Iterator[Line]:
    names = ", ".join(f"{each.name} {each.address}" for each in host.interfaces) or "no address at all"
    fast = host.fastest
    if fast and fits(("network", "interface"), fast.name):
        several = sum(each.fast for each in host.interfaces) > 1
        guess = "a guess: of several fast ones that with most speed" if several else ""
        yield line(f"network: {{interface: {flow(fast.name)}}}", where, guess, names)
    else:
        yield Line("# network: {interface: ib0}")
        yield absent("network.interface", f"no fast one on this host ({names}); left out, Dask chooses")


def _storage(machine: Machine, host: Host) -> Iterator[Line]:
    yield Line("storage:")
    alone = own_to_a_host(host.home, machine, host)
    where = f"; $HOME is {host.home.kind} of this host alone ({host.home.filesystem})" if host.home and alone else ""
    yield line("  runs: $HOME/.hpc-launch/runs", f"{'a guess: ' if alone else ''}every node must see it{where}")
    looks = "storage.local_kind: left out, each node looks"
    own = machine.said("storage", "local")
    if own and fits(own.key, own.value):
        yield line(f"  local: {flow(own.value)}", own.source)
        yield line("  # local_kind: disk", not_found=looks)
        return
    disks = [each for each in host.scratch if each.kind == "disk"]
    found = ", ".join(f"{each.path} {each.kind or 'unknown'} ({each.filesystem})" for each in host.scratch)
    chosen = disks[0] if disks else None
    guess = "a guess: the first disk" if len(disks) > 1 else "" if disks else "a guess: no disk was seen"
    yield line(f"  local: {flow(chosen.path if chosen else '/tmp')}", seen_on(host, machine), guess, found)
    if chosen and is_a_node(host, machine):
        yield line("  local_kind: disk", chosen.filesystem)
    else:
        yield line("  # local_kind: disk", not_found=looks)


def _software(host: Host) -> Iterator[Line]:
    if host.has_modules:
        yield Line("environment:")
        yield line("  setup: |", "what makes `module` work in a shell that has read nothing")
        yield Line("    type module >/dev/null 2>&1 || source /etc/profile")
        if host.modules:
            yield remark(f"modules that look like a Python: {', '.join(host.modules)}", indent=2)
    else:
        yield absent("environment.setup", "no modules on this host; it makes `module` work in a bare shell")
    runtimes = [name for name in CONTAINERS if name in host.programs]
    if runtimes:
        guess = f"a guess: there is besides {', '.join(runtimes[1:])}" if runtimes[1:] else ""
        yield line(f"containers: {runtimes[0]}", guess, host.programs[runtimes[0]])
    else:
        yield absent("containers", f"none of {', '.join(CONTAINERS)} on PATH")
