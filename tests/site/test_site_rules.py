"""What is wrong in a site profile beyond its schema is told with its line, before a user's run meets it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.checks import site as site_rules
from hpc_launch.config.document import Document, parse_document
from hpc_launch.config.origin import Origin
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from tests.conftest import ROOT
from tests.site.files import on, site_file

TORQUE = ROOT / "tests" / "torque"

Told = Callable[..., list[str]]


def test_a_good_one(told: Told) -> None:
    assert told("launchers: {node: srun, mpi: {name: srun, options: [--mpi=pmi2]}}", "defaults: {queue: auto}") == []


NOT_KNOWN = [
    # batch system, line of launchers, the problem
    ("slrum", "", r"5: batch_system: 'slrum' is not known; did you mean 'slurm'\? | there are: local, lsf, pbs, sge, "),
    ("condor", "", "5: batch_system: 'condor' is not known | there are: local, lsf, pbs, sge, slurm; a plug-in can"),
    ("openpbs", "", r"5: batch_system: 'openpbs' is not known; did you mean 'pbs'\?"),
    ("PBS-Pro", "", r"5: batch_system: 'PBS-Pro' is not known; did you mean 'pbs'\?"),
    ("gridengine", "", r"5: batch_system: 'gridengine' is not known; did you mean 'sge'\?"),
    ("uge", "", r"5: batch_system: 'uge' is not known; did you mean 'sge'\?"),
    ("openlava", "", r"5: batch_system: 'openlava' is not known; did you mean 'lsf'\?"),
    ("torque", "", "5: batch_system: 'torque' is not known | there are: local, lsf, pbs, sge, slurm; a plug-in can"),
    ("Slurm", "", r"5: batch_system: 'Slurm' is not known; did you mean 'slurm'\?"),
    (
        "slurm",
        "launchers: {node: srum}",
        r"6: launchers.node: 'srum' is not known; did you mean 'srun'\? | there are: ",
    ),
    ("slurm", "launchers: {mpi: blaunch}", "6: launchers.mpi: 'blaunch' is not known | there are: ibrun, mpiexec, "),
    ("slurm", "launchers: {node: mpiexec}", "6: launchers.node: 'mpiexec' is not known"),
    ("slurm", "launchers:\n  mpi:\n    options: [a]\n    name: nothing", "9: launchers.mpi: 'nothing' is not known"),
]


@pytest.mark.parametrize(("system", "launchers", "words"), NOT_KNOWN)
def test_names_for_which_there_is_no_template(told: Told, system: str, launchers: str, words: str) -> None:
    (only,) = told(launchers, system=system)
    assert re.match(words.replace("|", r"\|"), only), only


@pytest.mark.parametrize("name", ["../directives/slurm", "../../parts/attempt", "a b", "$(id)", "é", "''", "x/../srun"])
def test_a_name_that_is_a_path_finds_nothing(told: Told, name: str) -> None:
    found = told(f"launchers: {{node: {name!r}}}")
    assert found and all(each.startswith("6: launchers.node: ") for each in found)


def test_no_template_is_found_by_a_path() -> None:
    for line in ("launchers: {node: ../../directives/slurm}", "batch_system: ../launchers/node/srun"):
        (only,) = site_rules.problems(parse_document(line, "x.yaml"))
        assert "is not known" in only.message


def test_what_a_plug_in_brings_is_known(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "launchers: {node: pbsdsh-unique}"
    assert [each.partition(" is ")[0] for each in told(lines, system="torque")] == [
        "5: batch_system: 'torque'",
        "6: launchers.node: 'pbsdsh-unique'",
    ]
    monkeypatch.syspath_prepend(TORQUE)
    assert told(lines, system="torque") == []
    (only,) = told(lines, system="torqeu")
    assert "did you mean 'torque'?" in only and "local, lsf, pbs, sge, slurm, torque;" in only


def test_a_plug_in_without_its_template_is_told_as_such(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "installed" / "bare-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bare\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hpc_launch.batch_systems]\nbare = bare_plug:X\n")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    (only,) = told(system="bare")
    assert only.startswith("5: batch_system: 'bare' is a plug-in's (bare_plug:X), which has no directives/bare.sh.j2 |")


def test_plug_ins_are_looked_for_only_when_a_name_is_not_among_ours(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def entry_points(**given: str) -> tuple[()]:
        looked.append(given["group"])
        return ()

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    assert told("launchers: {node: srun, mpi: ibrun}", "policy: {required: [account]}") == []
    assert looked == []
    assert told("launchers: {node: other}") != []
    assert looked


POLICY = [
    ("required: [acount]", "policy.required: 'acount' is not a key of profiles | did you mean account?"),
    (
        "forbidden: [workers.thread]",
        "policy.forbidden: 'workers.thread' is not a key of profiles | did you mean workers.t",
    ),
    ("required: [worker.count]", "policy.required: 'worker.count' is not a key of profiles | did you mean workers?"),
    ("required: [workers.count.x]", "policy.required: 'workers.count.x' is not a key"),
    ("required: [walltime.]", "policy.required: 'walltime.' is not a key"),
    ("required: [.walltime]", "policy.required: '.walltime' is not a key"),
    ("required: ['']", "policy.required: '' is not a key"),
    ("required: [workers.resources.]", "policy.required: 'workers.resources.' is not a key"),
    ("required: [workers.resources.a.b]", "policy.required: 'workers.resources.a.b' is not a key"),
    ("required: ['environment.modules[0]']", "policy.required: 'environment.modules[0]' is not a key"),
    ("required: [__class__]", "policy.required: '__class__' is not a key"),
    ("required: [schema_]", "policy.required: 'schema_' is not a key"),
    ("forbidden: ['$(id) `x`\"é']", "policy.forbidden: '$(id) `x`\"é' is not a key"),
    ("{required: [qos], forbidden: [account, qos]}", "policy.forbidden: qos is required too: no profile could"),
]


@pytest.mark.parametrize(("lists", "words"), POLICY)
def test_a_policy_speaks_of_keys_of_profiles(told: Told, lists: str, words: str) -> None:
    (only,) = told(f"policy: {lists}" if lists.startswith("{") else f"policy:\n  {lists}")
    line = 6 if lists.startswith("{") else 7
    assert only.startswith(f"{line}: {words}"), only


def test_every_kind_of_key_may_stand_in_a_policy(told: Told) -> None:
    keys = "account, workers, workers.count, workers.resources.slots, environment.container.image, schema"
    assert told(f"policy: {{required: [{keys}], forbidden: [environment.variables.OMP_NUM_THREADS]}}") == []


DEFAULTS = [
    ("{walltme: 1h}", "defaults.walltme is not a known key | did you mean walltime?"),
    ("{walltime: 60}", "defaults.walltime: "),
    ("{workers: {threads: 0}}", "defaults.workers.threads: "),
    ("{workers: {threads: many}}", "defaults.workers.threads: "),
    ("{workers: {count: -1}}", "defaults.workers.count: "),
    ("{workers: 4}", "defaults.workers: "),
    ("{layout: single}", "defaults.layout: "),
    ("{layout: 5}", "defaults.layout: "),
    ("{environment: {conda: a, venv: b}}", "defaults.environment: conda and venv name two Python environments"),
    ('{environment: {variables: {"A B": x}}}', "the name of defaults.environment.variables"),
    ('{account: "a\\nb"}', "defaults.account: control characters are not allowed here"),
    ("{account: '$(id)'}", "defaults.account: '$(id)' is not allowed here"),
    ("{queue: shrot}", "defaults.queue: there is no queue 'shrot'; did you mean 'short'? | there are: short, long"),
    ("{queue: 2026}", "defaults.queue: there is no queue '2026' | there are: short, long"),
    ("{queue: old}", "defaults.queue: there is no queue 'old' any more: taken away in 2025 | there are: short, long"),
    ("{workers: {queue: shrot}}", "defaults.workers.queue: there is no queue 'shrot'; did you mean 'short'?"),
    ("{workers: {queue: auto}}", "defaults.workers.queue: there is no queue 'auto'"),
    ("{layout: mpi}", "defaults.layout: 'mpi' is not one of the layouts | there are: single-job"),
]


@pytest.mark.parametrize(("defaults", "words"), DEFAULTS)
def test_defaults_are_keys_of_profiles(told: Told, defaults: str, words: str) -> None:
    (only,) = told("layouts: [single-job]", "retired_queues: {old: taken away in 2025}", f"defaults: {defaults}")
    assert only.startswith(f"8: {words}"), only


def test_a_default_is_told_at_its_own_line(told: Told) -> None:
    assert [each.partition(" ")[0] for each in told("defaults:\n  queue: short\n  workers:\n    threads: x")] == ["9:"]


@pytest.mark.parametrize(
    "defaults",
    [
        "{}",
        "{workers: {minimum: 4}}",
        "{queue: null}",
        "{queue: auto}",
        "{layout: job-array}",
        "{workers: null}",
        "{workers: {count: null, threads: 2}}",
        "{workload: {command: null}}",
    ],
)
def test_defaults_need_not_be_a_whole_profile(told: Told, defaults: str) -> None:
    assert told(f"defaults: {defaults}") == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["qos: {fast: {}}", "defaults: {qos: fats}"], ["4: queues.long.qos: 'slow'", "7: defaults.qos: 'fats'"]),
        (["qos: {slow: {}}", "defaults: {qos: slow}"], []),
        (["defaults: {qos: any}"], []),
        (["qos: {}", "defaults: {qos: any}"], []),
        (["qos: {slow: {}, 2026: {}}", "defaults: {qos: 2026}"], []),
    ],
)
def test_a_qos_is_one_of_those_that_have_rules(told: Told, lines: list[str], found: list[str]) -> None:
    assert [each.partition(" is not one of those under qos")[0] for each in told(*lines)] == found


def test_a_successor_need_not_be_known(told: Told) -> None:
    assert told("status: retired", "successor: not-built-yet") == []


def test_all_is_told_at_once_along_with_the_schemas_errors(told: Told) -> None:
    found = told("launchers: {node: srum}", "arays: true", "policy: {required: [x]}", system="slrum")
    assert sorted(each.partition(": ")[0] for each in found) == ["5", "6", "7", "8"]


@pytest.mark.parametrize("value", ["null", "[]", "{}", "5", "[[a]]", "{a: {b: c}}", "'\u202e'", "[1, null, x]"])
def test_no_value_of_the_wrong_kind_breaks_a_rule(value: str) -> None:
    keys = ("batch_system", "launchers", "queues", "qos", "layouts", "ruled_out", "policy", "defaults")
    more = ("retired_queues", "rejects", "directives", "reviewed", "extends", "account", "name")
    others = ("resources", "parallel_environments", "successor")
    texts = [f"{key}: {value}\n" for key in keys + more + others]
    texts.append("".join(f"{key}: {{{inner}: {value}}}\n" for key, inner in NESTED))
    texts.append("".join(f"{key}: {{{inner}: {{{below}: {value}}}}}\n" for key, inner, below in NESTED_DEEPER))
    for text in texts:
        document = parse_document(text, "x.yaml")
        for whole in (True, False):
            for problem in site_rules.problems(document, whole=whole):
                assert problem.origin and problem.origin.line, problem
                assert problem.message.isprintable()
        assert all(
            each.origin and each.origin.line for each in site_rules.doubts(document, datetime.date(2026, 11, 22))
        )


NESTED = [
    ("launchers", "node"),
    ("queues", "short"),
    ("policy", "required"),
    ("defaults", "workers"),
    ("qos", "fast"),
    ("retired_queues", "old"),
    ("ruled_out", "mpi"),
    ("resources", "gpus"),
    ("resources", "gpu"),
    ("parallel_environments", "nodes"),
    ("defaults", "site"),
]
NESTED_DEEPER = [
    ("queues", "short", "max_nodes"),
    ("queues", "long", "directives"),
    ("launchers", "node", "name"),
    ("defaults", "workers", "queue"),
    ("queues", "short", "largest"),
    ("parallel_environments", "nodes", "slots"),
]


def test_a_number_in_place_of_a_name_is_told_once(told: Told) -> None:
    (only,) = told("launchers: {node: 5}")
    assert only.startswith("6: launchers.node: ")


def test_what_is_inherited_is_judged_at_the_parents_line(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "parent", defaults="{queue: q}")
    (tmp_path / "a" / "child.yaml").write_text("name: child\nextends: parent\nqueues: {q: null, other: {}}\n")
    with pytest.raises(InvalidConfiguration, match=r"parent.yaml:4: defaults.queue: there is no queue 'q'"):
        sites.find("child", on(context, tmp_path / "a"), Origin("--site x"), tmp_path)


# The one that is used, and those that might have been


def test_a_site_that_is_not_used_is_not_judged_by_rules(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    problems = site_rules.problems

    def judge(document: Document) -> list[Problem]:
        judged.append(document.data["name"])
        return problems(document)

    monkeypatch.setattr(site_rules, "problems", judge)
    site_file(tmp_path / "a", "here", detect="{hostname: 'login\\.example\\.org'}")
    site_file(tmp_path / "a", "elsewhere", detect="{hostname: 'other'}")
    assert sites.detect(on(context, tmp_path / "a")).site.name == "here"
    assert judged == ["here"]


def test_the_site_that_this_machine_is_tells_what_is_wrong_with_it(context: Context, tmp_path: Path) -> None:
    here = "{hostname: 'login\\.example\\.org'}"
    site_file(tmp_path / "a", "broken", detect=here, launchers="{node: srum}")
    with pytest.raises(InvalidConfiguration, match=r"broken.yaml:5: launchers.node: 'srum' is not known"):
        sites.detect(on(context, tmp_path / "a"))
    site_file(tmp_path / "a", "sound", detect=here)
    assert sites.detect(on(context, tmp_path / "a")).site.name == "sound"


def test_the_list_shows_it_as_broken(context: Context, tmp_path: Path) -> None:
    site_file(tmp_path / "a", "broken", launchers="{node: srum}")
    (entry,) = [each for each in sites.listed(on(context, tmp_path / "a")) if each.name == "broken"]
    assert entry.found is None and "broken.yaml:4: launchers.node" in str(entry.error)
