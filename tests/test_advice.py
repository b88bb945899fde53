"""Advice is true both ways on small machines, where everything can be tried; and it is found with few plans."""

from __future__ import annotations

import random
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpc_launch.advice.changes import Change
from hpc_launch.checks.misfit import Misfit
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, HpcLaunchError, Problem
from hpc_launch.models.plan import Planned
from hpc_launch.prepare import plan_or_refuse, try_to_plan
from hpc_launch.resolve import Resolved, resolve
from hpc_launch.units import MIB, parse_memory, parse_walltime

SEEDS = 40
ALONE = "one change alone does not do"


def some(random: random.Random, likely: float, **keys: object) -> dict[str, object]:
    return keys if random.random() < likely else {}


def flow(keys: dict[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}"


def small_queue(random: random.Random) -> str:
    cores, memory = random.choice([1, 2, 4, 6, 8]), random.choice([2, 4, 8, 16])
    walltime = random.choice(["00:30:00", "02:00:00", "24:00:00"])
    keys: dict[str, object] = {"cores": cores, "memory": f"{memory} GiB", "walltime": walltime}
    keys |= some(random, 0.5, nodes=random.randint(1, 8)) | some(random, 0.4, max_nodes=random.randint(1, 5))
    keys |= some(random, 0.2, exclusive="true") | some(random, 0.15, preemptible="true")
    keys |= some(random, 0.2, max_jobs=random.randint(1, 6)) | some(random, 0.2, max_submitted=random.randint(2, 8))
    keys |= some(random, 0.2, max_user_nodes=random.randint(1, 6))
    keys |= some(random, 0.2, max_cores=random.randint(2, 24))
    keys |= some(random, 0.2, max_memory=f"{random.randint(4, 40)} GiB")
    keys |= some(random, 0.2, max_user_cores=random.randint(2, 24))
    keys |= some(random, 0.2, max_user_memory=f"{random.randint(4, 40)} GiB")
    return flow(keys | some(random, 0.15, largest=flow({"cores": cores * 2, "memory": f"{memory * 2} GiB"})))


def small_site(random: random.Random, queues: str) -> str:
    limits = {"running": flow({"cores": random.randint(2, 30)})}
    limits |= random.choice([{}, {"array": "3"}, {"submitted": flow({"jobs": random.randint(2, 9)})}])
    keys = some(random, 0.6, limits=flow({**limits})) | some(random, 0.2, memory="{directive: per-cpu}")
    keys |= some(random, 0.2, arrays="false") | some(random, 0.2, layouts="[single-job, job-array]")
    lines = [f"{key}: {value}" for key, value in keys.items()]
    there = [f"  {name}: {small_queue(random)}" for name in queues]
    return "\n".join(["name: small", "batch_system: slurm", *lines, "queues:", *there, ""])


def request(random: random.Random, queues: str) -> str:
    count = random.randint(1, 18)
    workers: dict[str, object] = {"count": count, "threads": random.choice([1, 1, 1, 2, 3, 8])}
    workers |= some(random, 0.8, memory=f"{random.choice([256, 512, 1024, 2000, 3000, 5000])} MiB")
    workers |= some(random, 0.4, per_node=random.randint(1, 8)) | some(random, 0.2, minimum=random.randint(1, count))
    walltime = random.choice(["10s", "20m", "20m", "20m", "3h", "48h"])
    beside, layout = random.choice(["128 MiB", "2 GiB"]), random.choice(["single-job", "job-array"])
    return (
        f"queue: {random.choice(queues)}\nwalltime: {walltime}\nlayout: {layout}\nworkers: {flow(workers)}\n"
        f"scheduler: {{memory: {beside}}}\nworkload: {{command: x, memory: {beside}}}\n"
    )


def resolved(context: Context, seed: int) -> Resolved:
    chance = random.Random(seed)
    queues = "abc"[: chance.randint(1, 3)]
    (context.directory / "small.yaml").write_text(small_site(chance, queues), encoding="utf-8")
    (context.directory / "profile.yaml").write_text(request(chance, queues), encoding="utf-8")
    return resolve(Path("profile.yaml"), context, "./small.yaml")


def kinds(run: Resolved, context: Context, *changes: Change) -> set[Any]:
    """What does not fit with some changes."""
    for change in changes:
        run = replace(run, profile=change.applied(run.profile))
    made = try_to_plan(run, context)
    if isinstance(made, Planned):
        return set()
    return {problem.kind if isinstance(problem, Misfit) and problem.kind else problem.message for problem in made}


def all_changes(run: Resolved) -> Iterator[Change]:
    """Every value of every key by which a small run may be changed."""
    workers = run.profile.workers
    yield from (Change("walltime", seconds) for seconds in (15, 60, 1200, 1800, 7200, 86400))
    yield from (Change("workers.count", number) for number in range(workers.minimum or 1, workers.count))
    yield from (Change("workers.per_node", number) for number in range(1, workers.count + 1))
    yield from (Change("workers.memory", size * MIB) for size in range(64, 5000, 192))
    yield from (Change("queue", name) for name in run.site.queues)
    yield from (Change("layout", name) for name in run.site.layouts)


def offers(problem: Problem, words: str) -> list[list[Change]]:
    """What a hint offers after some words: alternatives, each of one or more changes."""
    line = next((line for line in problem.hint.split("\n") if words in line), words)
    return [
        [changed(word) for word in shlex.split(choice) if "=" in word] for choice in line.split(words)[1].split(", or ")
    ]


def changed(assignment: str) -> Change:
    key, _, value = assignment.partition("=")
    if key.endswith("memory"):
        return Change(key, parse_memory(value))
    if key.endswith("walltime"):
        return Change(key, parse_walltime(value))
    return Change(key, int(value) if value.isdigit() else value)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_is_offered_fits_and_what_is_denied_does_not(
    context: Context, seed: int, plans: list[Resolved], monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:  # as where nodes are large: of all numbers of workers on one only some are tried
        monkeypatch.setattr("hpc_launch.advice.room.FEW", 1)
    try:
        run = resolved(context, seed)
        plan_or_refuse(run, context)
        return
    except DoesNotFit as refused:
        problems = refused.problems
    except HpcLaunchError:
        return  # a machine that cannot be, or a mistake
    assert len(plans) <= 50
    base = kinds(run, context)
    mending = [change for problem in problems for (change,) in filter(None, offers(problem, "smallest change:"))]
    for problem in problems:
        for (change,) in filter(None, offers(problem, "smallest change:")):
            left = kinds(run, context, change)
            assert isinstance(problem, Misfit) and problem.kind not in left and left <= base, change
    elsewhere = [*offers(problems[-1], "would take it:"), *offers(problems[-1], "with another layout it fits:")]
    for changes in filter(None, [*elsewhere, *offers(problems[-1], "all of it fits with:")]):
        assert not kinds(run, context, *changes), changes
    fitting = {change.key for change in all_changes(run) if not kinds(run, context, change)}
    assert not (fitting and any(ALONE in problem.hint for problem in problems)), fitting
    if len(problems) == 1 and isinstance(problems[0], Misfit) and problems[0].kind:
        assert bool(fitting) <= bool(mending or any(elsewhere)), fitting
        keeping = fitting - {"workers.count", "queue", "layout"}
        assert not keeping or mending[0].key != "workers.count", (keeping, mending)


def test_the_small_machines_show_all_of_it(context: Context) -> None:
    hints, seeds = "", iter(range(SEEDS))
    words = ("smallest change:", ALONE, "all of it fits with:", "would take it:", "with another layout it fits:")
    while not all(said in hints for said in words):
        seed = next(seeds)
        try:
            plan_or_refuse(resolved(context, seed), context)
        except HpcLaunchError as refused:
            hints += "".join(problem.hint for problem in refused.problems)
