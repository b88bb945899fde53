"""What of a live Grid Engine a site profile had better name: parallel environments, memory. sge_pe(5), complex(5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hpc_launch.batch.machine import Environment, Said, count

Fields = Mapping[str, str]

RESTRICTIONS = ("user_lists", "xuser_lists", "projects", "xprojects")
"""Of a queue, queue_conf(5): who may use it."""


@dataclass(frozen=True)
class Resource:
    """The resource to ask for memory by."""

    name: str = ""
    """Empty: there is none."""
    counted: bool = False
    """Whether it is taken off what a host has, for each slot."""
    every: frozenset[str] = frozenset()
    """All those of memory that a job can ask for."""
    chosen: bool = False
    """Whether there were others that would do."""


def memory_resource(text: str) -> Resource:
    """The one that `qconf -sc` offers."""
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    rows = [row for row in rows if len(row) >= 8 and row[2] == "MEMORY" and row[4] in ("YES", "FORCED")]
    every = frozenset(row[0] for row in rows)
    counted = [row[0] for row in rows if row[5] == "YES"]
    for name in ("h_vmem", "mem_free", *counted):
        if name in counted:
            return Resource(name, True, every, len(counted) > 1)
    return Resource("mem_free", False, every, len(every) > 1) if "mem_free" in every else Resource(every=every)


def has_slots(fields: Fields) -> bool:
    """Whether a parallel environment has slots to give at all."""
    return (count(fields.get("slots", "")) or 0) > 0


def parallel_environment(fields: Fields, queues: frozenset[str]) -> Environment:
    """A parallel environment, of the fields that `qconf -sp` shows and the queues that list it."""
    rule = fields.get("allocation_rule", "")
    return Environment(rule == "$pe_slots", count(rule), _starts_elsewhere(fields), queues)


def _starts_elsewhere(fields: Fields) -> bool:
    """Only with `control_slaves` may a job start processes on its other hosts."""
    return fields.get("control_slaves", "").upper() == "TRUE"


def default_queue(queues: Mapping[str, Fields]) -> tuple[str | None, str]:
    """A queue to name where users name none, and why this one: Grid Engine has no default queue."""
    open_to_all = [
        name for name, fields in queues.items() if all(fields.get(key, "NONE") == "NONE" for key in RESTRICTIONS)
    ]
    chosen = next(iter(open_to_all or queues), None)
    if len(queues) < 2:
        return chosen, "there is no other"
    which = "the first that is open to all" if open_to_all else "the first, and none is open to all"
    return chosen, f"a guess: Grid Engine has no default queue; of {len(queues)} {which}"


def choices(
    config: Fields, environments: Mapping[str, Fields], first: frozenset[str], slots: int | None, resource: Resource
) -> Iterator[Said]:
    """The values for keys of a site profile.

    Args:
        config: of `qconf -sconf`.
        environments: name → fields of those that a queue lists.
        first: those that the default queue lists.
        slots: of the smallest instance of the default queue.
        resource: the one to ask for memory by.
    """
    yield Said(("launchers", "node"), "qrsh", "")
    yield Said(("storage", "local"), "$TMPDIR", "Grid Engine makes one for each job")
    for key, names in zip(("node", "nodes"), _candidates(environments, slots), strict=True):
        # a job that names the default queue never starts in an environment that this one does not give
        if name := next((name for name in names if name in first), next(iter(names), None)):
            rule = environments[name].get("allocation_rule", "")
            value = {"name": name, "slots": count(rule)} if count(rule) else name
            others = ", ".join(other for other in environments if other != name) or "none"
            guess = "a guess: " if len(names) > 1 else ""
            lacks = "" if name in first else "; the default queue does not give it"
            few = count(rule)
            wastes = f"; a job gets {few} of the {slots} slots of a host" if few and slots and few * 2 <= slots else ""
            source = f"{guess}qconf -sp {name}: {rule}{lacks}{wastes}; there are besides: {others}"
            yield Said(("parallel_environments", key), value, source)
    guess = "a guess: " if resource.chosen else ""
    if resource.name:
        how = "consumable" if resource.counted else "not consumable: it chooses hosts, and is not counted"
        yield Said(("memory", "directive"), "per-slot", "")
        yield Said(("memory", "resource"), resource.name, f"{guess}qconf -sc: {how}")
    else:
        yield Said(("memory", "directive"), "omit", "qconf -sc: no memory that a job can ask for")
    if config.get("enforce_project", "").lower() == "true":
        yield Said(("account",), "required", "qconf -sconf: enforce_project")


def _candidates(environments: Mapping[str, Fields], slots: int | None) -> tuple[list[str], list[str]]:
    """The environments for one host, and those for several, the best first; sge_pe(5), allocation_rule.

    Jobs want as many slots on each host as on the others: a rule that fixes the number keeps that always, one that
    fills hosts where these are free, and going round all hosts gives one slot on each of many.
    """
    open_first = sorted(environments, key=lambda name: environments[name].get("user_lists", "NONE") != "NONE")
    rules = {name: environments[name].get("allocation_rule", "") for name in open_first}
    one = [name for name, rule in rules.items() if rule == "$pe_slots"]
    wide = [name for name in rules if _starts_elsewhere(environments[name])]
    fixed = sorted((name for name in wide if (count(rules[name]) or 0) > 1), key=lambda name: -int(rules[name]))
    ranked = [name for name in fixed if int(rules[name]) == slots]
    ranked += [name for name in wide if rules[name] == "$fill_up"]
    ranked += [name for name in fixed if slots is None or int(rules[name]) < slots]
    ranked += [name for name in wide if rules[name] == "$round_robin"]
    return one, ranked


def missing(environments: Mapping[str, Fields], slots: int | None, defined: bool) -> Iterator[tuple[str, str]]:
    """The keys for which there is no value, and why.

    Args:
        environments: those that a queue lists.
        slots: of the smallest instance of the default queue.
        defined: whether there is any parallel environment at all.
    """
    one, several = _candidates(environments, slots)
    none = "" if defined else "qconf -spl: there is no parallel environment"
    if not one:
        yield (
            "parallel_environments.node",
            none or "qconf -sp: none with allocation_rule $pe_slots in a queue's pe_list",
        )
    if not several:
        why = none or "qconf -sp: none for several hosts with control_slaves TRUE"
        yield "parallel_environments.nodes", why
