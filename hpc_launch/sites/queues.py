"""The queues of a site, as users name them."""

from __future__ import annotations

from hpc_launch.config.wording import nearest
from hpc_launch.models.site import Site


def no_such_queue(site: Site, queue: str) -> str:
    """What to say of a queue that the site does not have, or not any more."""
    cause = f"{site.name} has no queue {queue!r}"
    if reason := site.retired_queues.get(queue):
        return f"{cause} any more: {reason}"
    near = nearest(queue, site.queues)
    return f"{cause}; did you mean {near!r}?" if near else cause
