"""Grid Engine's own rules in rendered scripts: parallel environments, memory per slot, what an allocation must give."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.prepare import Prepared

Prepare = Callable[..., Prepared]
ROOT = Path(__file__).resolve().parent.parent
SITE = (ROOT / "tests/site/gridcluster.yaml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "examples/monte-carlo-pi/profile.yaml").read_text(encoding="utf-8")


@pytest.fixture
def at(prepared: Prepare, tmp_path: Path) -> Callable[..., Prepared]:
    """The example, for a site that differs in some text: ``at({old: new}, "workers.count=3")``."""

    def make(changes: dict[str, str], *assignments: str) -> Prepared:
        text = SITE
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "site.yaml").write_text(text)
        return prepared(EXAMPLE, *assignments, site="./site.yaml")

    return make


def directives(made: Prepared) -> list[str]:
    lines = made.rendered.files["job.sh"].splitlines()
    return [line.removeprefix("#$ ") for line in lines if line.startswith("#$")]


def test_the_number_of_hosts_decides_the_parallel_environment(at: Prepare) -> None:
    assert "-pe smp 8" in directives(at({}, "workers.count=8"))
    assert "-pe mpi 24" in directives(at({}, "workers.count=24"))


def test_hosts_with_a_fixed_number_of_slots_are_taken_whole(at: Prepare) -> None:
    """Then the memory is shared by all of the slots, and no worker is planned beyond them."""
    fixed = {"nodes: mpi}": "nodes: {name: mpi-4, slots: 4}}"}
    made = at(fixed, "workers.count=12")
    assert (made.plan.jobs[0].nodes, made.plan.groups["workers"].per_node) == (3, 4)
    made = at(fixed, "workers.count=9", "workers.per_node=3")
    assert "-pe mpi-4 12" in directives(made)
    each = -(-made.plan.jobs[0].memory_bytes_per_node // (4 * 2**20))
    assert f"-l mem_free={each}M" in directives(made)
    with pytest.raises(DoesNotFit, match="'mpi-4' of gridcluster gives 4 slots on each host"):
        at(fixed, "workers.count=10", "workers.per_node=5")


def test_one_slot_needs_no_parallel_environment(at: Prepare) -> None:
    none = {"parallel_environments: {node: smp, nodes: mpi}\n": ""}
    assert not any(line.startswith("-pe") for line in directives(at(none, "workers.count=1")))
    for count, kind in ((2, "node"), (24, "nodes")):
        with pytest.raises(InvalidConfiguration, match=f"parallel_environments.{kind}: ") as refusal:
            at(none, f"workers.count={count}")
        assert f"add `parallel_environments: {{{kind}: NAME}}` to the site profile (qconf -spl" in str(refusal.value)


def test_memory_needs_the_sites_name_for_it_unless_it_is_left_out(at: Prepare) -> None:
    with pytest.raises(InvalidConfiguration, match=r"memory\.resource: must be given"):
        at({" resource: mem_free,": ""}, "workers.count=2")
    with pytest.raises(InvalidConfiguration, match=r"no memory per-node[^$]*per-slot, omit"):
        at({"directive: per-slot": "directive: per-node"}, "workers.count=2")
    left_out = directives(at({"directive: per-slot, resource: mem_free": "directive: omit"}, "workers.count=2"))
    assert [line for line in left_out if line.startswith("-l")] == ["-l h_rt=00:10:00"]


def test_memory_that_is_not_written_is_asked_for(at: Prepare) -> None:
    [line] = [line for line in SITE.splitlines(keepends=True) if line.startswith("memory:")]
    with pytest.raises(InvalidConfiguration) as refusal:
        at({line: ""}, "workers.count=2")
    cause, hint = str(refusal.value).splitlines()
    assert cause.endswith(": memory.directive is not set, and sge has no memory per-node")
    assert hint.strip() == "add `memory: {directive: omit}`, or one of: per-slot"


def test_the_keys_of_a_profile_become_grid_engines_options(at: Prepare) -> None:
    words = ("account=p1", "reservation=12", "mail.to=a@example.org", "mail.on=[begin, end, fail]", "walltime=36h")
    found = directives(at({"walltime: 01:00:00": "walltime: 48:00:00"}, *words))
    assert {"-P p1", "-ar 12", "-M a@example.org", "-m bea", "-l h_rt=36:00:00"} <= set(found)


def test_what_grid_engine_has_no_word_for_is_told(at: Prepare) -> None:
    notes = at({}, "qos=long", "constraint=AVX512").planned.notes
    assert [note.partition(": ")[2] for note in notes] == [
        "qos is not used: sge has no such thing",
        "constraint is not used: sge has no such thing",
    ]


def test_no_line_but_the_directives_begins_with_grid_engines_mark(at: Prepare) -> None:
    marked = at({}, 'workload.command="#$ -q evil"', 'environment.setup="#$ -q evil"')
    assert not any("evil" in line for line in directives(marked))
    lines = marked.rendered.files["job.sh"].splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("#$"))
    assert all(line.startswith("#$") for line in lines[1 : last + 1])


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        (["c1 8", "c2 8", "c3 8"], ""),
        (["c2 4", "c1 8", "c2 4", "c3 9"], ""),  # one host through two queues
        (["c1 8", "c2 3", "c3 13"], "c2 has 3 slots, 8 are needed on each of 3 hosts (mpi gave c1 c2 c3)"),
        (["c1 16", "c2 8"], "2 hosts, 3 are needed (mpi gave c1 c2)"),
        (["c1 8", "c2 8", "c3 8", "c4 8"], "4 hosts, 3 are needed (mpi gave c1 c2 c3 c4)"),
    ],
)
def test_an_allocation_is_looked_at_before_anything_is_started(
    at: Prepare, tmp_path: Path, hosts: list[str], said: str
) -> None:
    job = at({}, "workers.count=24").rendered.files["job.sh"]
    part = job.partition(". ./jobside/attempt.sh\n")[2].partition("\n# Scheduler and workers")[0]
    (tmp_path / "hosts").write_text("".join(f"{host} all.q@{host.split()[0]} UNDEFINED\n" for host in hosts))
    script = f'fail() {{ echo "$1"; exit 1; }}\n{part}\necho "${{hosts[@]}}"'
    environment = {"PE_HOSTFILE": str(tmp_path / "hosts"), "PE": "mpi", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True)
    expected = said or " ".join(dict.fromkeys(host.split()[0] for host in hosts))
    assert (done.stdout, done.stderr) == (f"{expected}\n", "")


@pytest.mark.parametrize(
    "directive", ["-l h_rt=9:00:00", "-l gpu=1,h_rt=9:00:00", "-binding linear:1 -q other.q", "-pe mpi 7"]
)
def test_what_the_script_says_already_is_refused(at: Prepare, directive: str) -> None:
    with pytest.raises(InvalidConfiguration, match="already said"):
        at({}, f"directives=['{directive}']")


@pytest.mark.parametrize("directive", ["-l gpu=1", "-binding linear:1", "-p -100", "-masterq big.q"])
def test_an_option_that_only_begins_like_one_of_ours_is_passed_on(at: Prepare, directive: str) -> None:
    assert directive in directives(at({}, f"directives=['{directive}']"))


def test_the_memory_in_the_plan_is_what_all_slots_are_asked_for(at: Prepare) -> None:
    fixed = {"nodes: mpi}": "nodes: {name: mpi-4, slots: 4}}"}
    for slots, made in ((8, at({}, "workers.count=24")), (4, at(fixed, "workers.count=9", "workers.per_node=3"))):
        line = next(line for line in directives(made) if "mem_free" in line)
        each = int(line.removeprefix("-l mem_free=").removesuffix("M"))
        assert made.plan.jobs[0].memory_bytes_per_node == slots * each * 2**20
