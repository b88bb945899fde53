"""The queues of a site, as users name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import as_word, nearest
from hpc_launch.models.site import Site


def placed(path: KeyPath, written: object) -> list[tuple[KeyPath, str]]:
    """The queues that stand at the place of a key, as one word or as a list of them, each with its own place."""
    each: list[tuple[KeyPath, object]] = [(path, written)]
    if isinstance(written, list):
        each = [((*path, number), value) for number, value in enumerate(written)]
    return [(place, word) for place, value in each if (word := as_word(value)) is not None]


def words(written: object) -> list[str]:
    """The same without their places."""
    return [word for _, word in placed((), written)]


def no_such_queue(site: Site, queue: str) -> str:
    """What to say of a queue that the site does not have, or not any more."""
    return f"{site.name} has {missing(queue, site.queues, site.retired_queues)}"


def missing(queue: str, queues: Iterable[str], retired: Mapping[str, object]) -> str:
    """`no queue 'shrot'`, with what became of it or what was probably meant."""
    if reason := retired.get(queue):
        return f"no queue {queue!r} any more: {reason}"
    near = nearest(queue, queues)
    return f"no queue {queue!r}" + (f"; did you mean {near!r}?" if near else "")
