"""Whether the machine that answers is the one that a site profile is of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hpc_launch.batch.machine import Machine
from hpc_launch.config.wording import printable
from hpc_launch.context import Context
from hpc_launch.models.site import Site
from hpc_launch.sites import may_be_here
from hpc_launch.survey.host import Host, is_a_node


def is_elsewhere(site: Site, machine: Machine | None, host: Host, context: Context) -> bool:
    """Whether the site's `detect` tells that this machine is another one.

    A rule for host names may be of login hosts alone: on a host that the batch system counts among its nodes it proves
    nothing, unless clusters have names and these differ.

    Args:
        machine: None where the batch system does not answer: then a cluster's name proves nothing either.
    """
    told = machine.cluster if machine else None
    if may_be_here(site, replace(context, cluster_name=lambda system: told)):
        return False
    if site.detect.cluster:
        return told is not None or (machine is not None and not is_a_node(host, machine))
    return machine is None or not is_a_node(host, machine)


def verdict(site: Site, machine: Machine | None, host: Host, context: Context) -> str:
    """That it is, with how the site is known and what of that is not so here."""
    rules = "; ".join(map(printable, _rules(site, machine, host, context)))
    return f"this machine is not {site.name} ({rules}), so there was nothing to compare it with"


def _rules(site: Site, machine: Machine | None, host: Host, context: Context) -> Iterator[str]:
    rule = site.detect
    if rule.hostname:
        yield f"detect.hostname: {rule.hostname}, this host is {host.name}"
    for name, value in rule.environment.items():
        if (here := context.environment.get(name)) != value:
            says = "is not set here" if here is None else f"is {here} here"
            yield f"detect.environment: {name}={value}, which {says}"
    if rule.cluster and machine:
        yield f"detect.cluster: {rule.cluster}, {machine.batch_system} says {machine.cluster or 'none'}"
