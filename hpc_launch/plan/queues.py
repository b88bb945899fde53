"""Which queue the jobs go to, and what its nodes are."""

from __future__ import annotations

from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.models.site import Queue
from hpc_launch.resolve import Resolved


def given_queue(resolved: Resolved, context: Context) -> tuple[str | None, Queue]:
    """The run's queue; raises InvalidConfiguration where none was given and the site has several."""
    site, name = resolved.site, resolved.profile.queue
    if site.queues and name is None and len(site.queues) == 1:
        name = next(iter(site.queues))
    if site.queues and name is None:
        hint = f"add `queue:` to the profile, or --set queue=auto; queues of {site.name}: {', '.join(site.queues)}"
        cause = f"no queue was given and {site.name} has no default"
        if default := site.defaults.get("queue"):
            cause = f"queue: it was set to nothing, which takes away the default of {site.name}, {default}"
        raise InvalidConfiguration(Problem(cause, resolved.origin("queue"), hint))
    return queue_of(resolved, name, context)


def queue_of(resolved: Resolved, name: str | None, context: Context) -> tuple[str | None, Queue]:
    """The queue of this name, of those that the site has; a site without queues is this machine, one node."""
    if not resolved.site.queues:
        return None, Queue.model_validate({"nodes": 1, "cores": context.cores, "memory": f"{context.memory_bytes} B"})
    assert name is not None
    return name, resolved.site.queues[name]
