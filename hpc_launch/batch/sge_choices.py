"""What of a live Grid Engine a site profile had better name: parallel environments, memory. sge_pe(5), complex(5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hpc_launch.batch.machine import Environment, Said, count

Fields = Mapping[str, str]


def memory_resource(text: str) -> tuple[str | None, bool, frozenset[str]]:
    """The resource to ask for memory by, whether it is counted for each slot, and all that there are."""
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    rows = [row for row in rows if len(row) >= 8 and row[2] == "MEMORY" and row[4] in ("YES", "FORCED")]
    every = frozenset(row[0] for row in rows)
    counted = [row[0] for row in rows if row[5] == "YES"]
    for name in ("h_vmem", "mem_free", *counted):
        if name in counted:
            return name, True, every
    return ("mem_free" if "mem_free" in every else None), False, every


def has_slots(fields: Fields) -> bool:
    """Whether a parallel environment has slots to give at all."""
    return (count(fields.get("slots", "")) or 0) > 0


def environment(fields: Fields) -> Environment:
    """A parallel environment, of the fields that `qconf -sp` shows."""
    rule = fields.get("allocation_rule", "")
    return Environment(rule == "$pe_slots", count(rule))


def choices(
    config: Fields, environments: Mapping[str, Fields], slots: int | None, resource: str | None, counted: bool
) -> Iterator[Said]:
    """The values for keys of a site profile.

    Args:
        config: of `qconf -sconf`.
        environments: name → fields of those that a queue lists.
        slots: of the smallest queue instance.
        resource: the one to ask for memory by.
        counted: whether that is a consumable.
    """
    yield Said(("launchers", "node"), "qrsh", "")
    yield Said(("storage", "local"), "$TMPDIR", "Grid Engine makes one for each job")
    one, several = _chosen(environments, slots)
    for key, name in (("node", one), ("nodes", several)):
        if name:
            rule = environments[name].get("allocation_rule", "")
            value = {"name": name, "slots": int(rule)} if rule.isdecimal() else name
            others = ", ".join(other for other in environments if other != name) or "none"
            yield Said(("parallel_environments", key), value, f"qconf -sp {name}: {rule}; there are besides: {others}")
    if resource:
        how = "consumable" if counted else "not consumable: it chooses hosts, and is not counted"
        yield Said(("memory", "directive"), "per-slot", "")
        yield Said(("memory", "resource"), resource, f"qconf -sc: {how}")
    else:
        yield Said(("memory", "directive"), "omit", "qconf -sc: no memory that a job can ask for")
    if config.get("enforce_project", "").lower() == "true":
        yield Said(("account",), "required", "qconf -sconf: enforce_project")


def _chosen(environments: Mapping[str, Fields], slots: int | None) -> tuple[str | None, str | None]:
    """The environment for one host, and that for several; sge_pe(5), allocation_rule.

    Only with `control_slaves` may a job start processes on its other hosts. Jobs want as many slots on each host as on
    the others: a rule that fixes the number keeps that always, one that fills hosts where these are free, and going
    round all hosts gives one slot on each of many.
    """
    open_first = sorted(environments, key=lambda name: environments[name].get("user_lists", "NONE") != "NONE")
    rules = {name: environments[name].get("allocation_rule", "") for name in open_first}
    one = [name for name, rule in rules.items() if rule == "$pe_slots"]
    wide = [name for name in rules if environments[name].get("control_slaves", "").upper() == "TRUE"]
    fixed = sorted((name for name in wide if (count(rules[name]) or 0) > 1), key=lambda name: -int(rules[name]))
    ranked = [name for name in fixed if int(rules[name]) == slots]
    ranked += [name for name in wide if rules[name] == "$fill_up"]
    ranked += [name for name in fixed if slots is None or int(rules[name]) < slots]
    ranked += [name for name in wide if rules[name] == "$round_robin"]
    return (one[0] if one else None), (ranked[0] if ranked else None)


def missing(environments: Mapping[str, Fields]) -> Iterator[tuple[str, str]]:
    """The keys for which there is no value, and why."""
    one, several = _chosen(environments, None)
    if not one:
        yield "parallel_environments.node", "qconf -sp: none with allocation_rule $pe_slots in a queue's pe_list"
    if not several:
        yield "parallel_environments.nodes", "qconf -sp: none for several hosts with control_slaves TRUE"
