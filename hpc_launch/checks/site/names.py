"""Names in a site profile: of templates, queues and qualities of service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hpc_launch import batch, template_names
from hpc_launch.checks.queue_names import missing, placed
from hpc_launch.checks.site.places import dialect, mapping, member, stands_against, word
from hpc_launch.config.document import Document
from hpc_launch.config.layers import at
from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import dotted
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.models.profile import AUTO


def batch_system(document: Document) -> Iterator[Problem]:
    """The batch system has a template, and is to be loaded."""
    path = ("batch_system",)
    name = word(document, path)
    if no_template := [*_template(document, "directives", path)]:
        yield from no_template
    elif name is not None:
        try:
            batch.dialect_of(name)
        except InvalidConfiguration as fault:  # a plug-in's
            yield from (replace(each, origin=document.origins.get(path)) for each in fault.problems)


def launchers(document: Document) -> Iterator[Problem]:
    """So has each launcher."""
    for kind in ("node", "mpi"):
        path = ("launchers", kind)
        yield from _template(document, f"launchers/{kind}", path if word(document, path) else (*path, "name"))


def containers(document: Document) -> Iterator[Problem]:
    """So has what runs containers."""
    yield from _template(document, "containers", ("containers",))


def _template(document: Document, folder: str, path: KeyPath) -> Iterator[Problem]:
    """A name for which there must be a template; plug-ins are looked for only when it is not among ours."""
    name = word(document, path)
    if name is not None and not template_names.is_ours(folder, name) and name not in template_names.known(folder):
        key = ".".join(map(str, path[:2]))  # `launchers.node`, and not its `name`
        yield template_names.no_such(folder, name, key, document.origins.get(path))


def at_least_one_queue(document: Document) -> Iterator[Problem]:
    """A batch system that has queues has one at least: without any, a job is measured by this machine."""
    system = word(document, ("batch_system",))
    if document.data.get("queues") == {} and (known := dialect(document)) and known.has_queues:
        hint = (
            "name those that jobs go to: queues: {NAME: {cores: …, memory: …}}; `hpc-launch site discover` drafts them"
        )
        yield Problem(f"queues: {system} has at least one queue", document.origins.get(("queues",)), hint)


def auto(document: Document) -> Iterator[Problem]:
    """No queue has the name that profiles have for the first that fits."""
    if AUTO in mapping(document, ("queues",)):
        path = ("queues", AUTO)
        hint = "leave it out: no profile could ask for it"
        cause = f"{dotted(path)}: in a profile, `queue: {AUTO}` means the first queue that fits"
        yield Problem(cause, document.origins.get(path), hint)


def queues(document: Document) -> Iterator[Problem]:
    """Queues that are the default are there."""
    known, retired = mapping(document, ("queues",)), mapping(document, ("retired_queues",))
    for path in (("defaults", "queue"), ("defaults", "workers", "queue")):
        for place, name in placed(path, at(document.data, path)) if known else ():
            if name not in known and not (name == AUTO and len(path) == 2):
                cause = f"{dotted(place)}: there is {missing(name, known, retired)}"
                yield Problem(cause, document.origins.get(place), f"there are: {', '.join(known)}")


def retired(document: Document) -> Iterator[Problem]:
    """A queue is there, or it is no more."""
    there = mapping(document, ("queues",))
    for name in mapping(document, ("retired_queues",)):
        path = ("retired_queues", name)
        if name in there and stands_against(document, path, ("queues", name)):
            hint = f"delete the one that is not true; to take away an inherited queue: queues: {{{name}: null}}"
            yield Problem(f"{dotted(path)}: it is among the queues, too", document.origins.get(path), hint)


def successor(document: Document) -> Iterator[Problem]:
    """Another site than this one: not where a site that follows its parent inherits that."""
    path = ("successor",)
    name = word(document, path)
    if name is not None and name == word(document, ("name",)) and stands_against(document, path, ("name",)):
        cause = f"successor: {name!r} is this site itself"
        yield Problem(cause, document.origins.get(path), "name the one that users are to take instead, or leave it out")


def qos(document: Document) -> Iterator[Problem]:
    """A quality of service is named and has no rule: only where there are rules, for else nobody knows its limits."""
    known = mapping(document, ("qos",))
    if known:
        yield from member(document, ("defaults", "qos"), known, "those under qos")
        for queue in mapping(document, ("queues",)):
            yield from member(document, ("queues", queue, "qos"), known, "those under qos")
