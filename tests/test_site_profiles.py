"""Built-in site profiles: owned, complete, and with a header that the site's own sysadmin would accept."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest

from hpc_launch import sites
from hpc_launch.context import Context
from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.locations import SITE_PROFILES
from hpc_launch.models.site import Site
from hpc_launch.prepare import Prepared, prepare
from hpc_launch.resolve import Resolved
from tests.built_in_sites import BUILT_IN, REQUEST, allowed, asked, site_of
from tests.conftest import ROOT
from tests.rendering import GOLDEN, SHELLCHECK

Prepare = Callable[..., Prepared]
HEADERS = GOLDEN / "headers"
GUIDE = (ROOT / "docs" / "adding-a-site.md").read_text(encoding="utf-8")
RETIRED = ["comet", "stampede2", "summit"]


def header(made: Prepared) -> str:
    """The directives of the job's script, with its first line."""
    lines = made.rendered.files["job.sh"].splitlines()
    return "".join(f"{line}\n" for line in takewhile(lambda line: re.match(r"#[^ ]", line) or line[:3] == "#$ ", lines))


def lacking(site: Site, headers: Path = HEADERS) -> list[str]:
    """What a built-in profile must have, and this one has not."""
    there = {
        "title": site.title,
        "maintainers": site.maintainers and all(one.name and one.contact for one in site.maintainers),
        "reviewed": site.reviewed,
        "sources": site.sources and all(site.sources),
        "header": (headers / f"{site.name}.sh").is_file(),
    }
    return [what for what, value in there.items() if not value]


# What every one of them has


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_is_valid_and_has_an_owner_a_review_date_sources_and_a_golden_header(context: Context, name: str) -> None:
    assert lacking(site_of(name, context)) == []


@pytest.mark.parametrize("key", ["title", "maintainers", "reviewed", "sources"])
def test_a_profile_that_lacks_one_of_them_is_found_out(context: Context, tmp_path: Path, key: str) -> None:
    text = (SITE_PROFILES / "wynton.yaml").read_text(encoding="utf-8")
    without = re.sub(rf"^{key}:.*\n(?:  .*\n)*", "", text, flags=re.M)
    assert without != text
    (tmp_path / "wynton.yaml").write_text(without, encoding="utf-8")
    assert lacking(sites.read(tmp_path / "wynton.yaml", context).site) == [key]


def test_an_owner_without_a_contact_and_a_site_without_header_are_found_out(context: Context, tmp_path: Path) -> None:
    text = (
        (SITE_PROFILES / "wynton.yaml").read_text(encoding="utf-8").replace("contact: the issue tracker", "contact: ''")
    )
    (tmp_path / "wynton.yaml").write_text(text, encoding="utf-8")
    assert lacking(sites.read(tmp_path / "wynton.yaml", context).site, tmp_path) == ["maintainers", "header"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_its_header_is_the_golden_one(prepared: Prepare, context: Context, tmp_path: Path, name: str) -> None:
    site = site_of(name, context)
    made = prepared(REQUEST, *asked(site), site=allowed(site, tmp_path))
    assert header(made) == (HEADERS / f"{name}.sh").read_text(encoding="utf-8")


def test_every_golden_header_is_of_a_site() -> None:
    assert sorted(file.stem for file in HEADERS.iterdir()) == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_queue_takes_a_small_job(prepared: Prepare, context: Context, tmp_path: Path, name: str) -> None:
    site = site_of(name, context)
    text = "walltime: 00:25:00\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n"
    account = ["account=proj01"] if site.account == "required" else []
    for queue in site.queues:
        nodes = site.queues[queue].least.nodes or 1
        small = (f"queue={queue}", f"workers.count={nodes}", "workers.per_node=1")
        job = prepared(text, *small, *account, site=allowed(site, tmp_path)).plan.jobs[0]
        assert (job.queue, job.nodes, job.walltime_seconds) == (queue, nodes, 1500)


def test_their_own_shell_lines_are_clean(prepared: Prepare, context: Context, tmp_path: Path) -> None:
    files = []
    for name in BUILT_IN:
        site = site_of(name, context)
        made = prepared(REQUEST, *asked(site), site=allowed(site, tmp_path))
        files.append(f"{name}.sh")
        (tmp_path / files[-1]).write_text(made.rendered.files["environment.sh"], encoding="utf-8")
    command = [str(SHELLCHECK), "-x", "--severity=style", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout + done.stderr == ""


def test_their_mpi_launchers_are_ones_that_there_are(context: Context) -> None:
    used = {name: site.launchers.mpi.name for name in BUILT_IN if (site := site_of(name, context)).launchers.mpi}
    assert used.keys() == {*BUILT_IN} - {"local", "summit"}
    assert {*used.values()} == {"srun", "mpiexec", "openmpi", "ibrun"}


# Which one this is

HOSTS = {
    "ceres": "ceres",
    "login1.stampede2.tacc.utexas.edu": "stampede2",
    "login2.stampede3.tacc.utexas.edu": "stampede3",
    "login02.expanse.sdsc.edu": "expanse",
    "login01.frontier.olcf.ornl.gov": "frontier",
    "pegasus.ccs.miami.edu": "pegasus",
    "login4.pegasus.edu": "pegasus",
    "log1.wynton.ucsf.edu": "wynton",
    "plog1.wynton.ucsf.edu": "wynton",
}


@pytest.mark.parametrize(("host", "name"), HOSTS.items())
def test_a_login_host_is_known_by_its_name(context: Context, host: str, name: str) -> None:
    assert sites.detect(dataclasses.replace(context, hostname=host)).site.name == name


@pytest.mark.parametrize(("variable", "name"), [("NCAR_HOST", "derecho"), ("NERSC_HOST", "perlmutter")])
def test_a_machine_is_known_by_what_its_site_sets(context: Context, variable: str, name: str) -> None:
    here = dataclasses.replace(context, environment={**context.environment, variable: name})
    assert sites.detect(here).site.name == name
    elsewhere = dataclasses.replace(context, environment={**context.environment, variable: "casper"})
    with pytest.raises(InvalidConfiguration, match="no site profile matches"):
        sites.detect(elsewhere)


@pytest.mark.parametrize("host", ["login2-stampede3.tacc.utexas.edu", "log1.wynton.ucsf.edu.example.org", "log1", "d1"])
def test_a_name_that_only_looks_like_one_is_not_taken_for_it(context: Context, host: str) -> None:
    with pytest.raises(InvalidConfiguration, match="no site profile matches"):
        sites.detect(dataclasses.replace(context, hostname=host))


# What does not fit

TOO_LARGE = {
    "ceres": ["workers.count=300", "workers.threads=16", "walltime=600:00:00"],
    "derecho": ["workers.count=128", "workers.per_node=64", "workers.threads=4", "walltime=1-00:00:00"],
    "wynton": ["workers.threads=8", "walltime=400h"],
    "pegasus": ["queue=general", "workers.threads=16", "workers.per_node=1", "walltime=8-00:00:00"],
}


@pytest.mark.parametrize(("name", "assignments"), TOO_LARGE.items())
def test_what_is_too_large_is_refused_as_in_the_golden_file(
    prepared: Prepare, context: Context, tmp_path: Path, plans: list[Resolved], name: str, assignments: list[str]
) -> None:
    site = site_of(name, context)
    with pytest.raises(DoesNotFit) as refusal:
        prepared(REQUEST, *asked(site), *assignments, site=allowed(site, tmp_path))
    assert len(plans) <= 50
    expected = (GOLDEN / "refusals" / f"{name}.txt").read_text(encoding="utf-8")
    assert str(refusal.value).replace(str(SITE_PROFILES), "site_profiles") + "\n" == expected


LARGE = ["workers.count=50000", "workers.threads=48", "workers.memory=300 GB", "walltime=900h"]


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "local" and not name.startswith("generic")])
@pytest.mark.parametrize("assignment", ["workers.per_node=40", "queue=auto"])
def test_no_refusal_makes_many_plans(
    prepared: Prepare, context: Context, tmp_path: Path, plans: list[Resolved], name: str, assignment: str
) -> None:
    site = site_of(name, context)
    with pytest.raises(DoesNotFit):
        prepared(REQUEST, *asked(site), *LARGE, assignment, site=allowed(site, tmp_path))
    assert 1 < len(plans) <= 50


def test_what_one_change_mends_is_mended_by_one_change(prepared: Prepare, tmp_path: Path) -> None:
    """Both were told otherwise once: the number that fits was not among those that were tried."""
    with pytest.raises(DoesNotFit) as refusal:
        prepared(REQUEST, "account=a", "queue=debug", "walltime=48h", site="expanse")
    assert "smallest change: --set walltime=00:30:00" in str(refusal.value) and "alone" not in str(refusal.value)
    (tmp_path / "small.yaml").write_text(
        "name: small\nbatch_system: slurm\nlimits: {running: {cores: 20}}\nqueues: {all: {cores: 8, memory: 64 GB}}\n"
    )
    with pytest.raises(DoesNotFit) as refusal:
        prepared(
            REQUEST,
            "workers={count: 18, threads: 1, per_node: null, spread: packed}",
            "walltime=1h",
            site="./small.yaml",
        )
    assert "smallest change: --set workers.per_node=6, or --set workers.count=16" in str(refusal.value)


def test_one_site_of_each_batch_system_refuses(context: Context) -> None:
    systems = {name: site_of(name, context).batch_system for name in BUILT_IN}
    assert {systems[name] for name in TOO_LARGE} == {*systems.values()} - {"local"}


FORBIDDEN = [
    ("stampede2", "queue=normal", "job-array", "there are no job arrays", "allowed there: single-job, mpi;"),
    ("pegasus", "queue=general", "single-job", "no background processes in jobs (site rule)", "allowed there: none;"),
    ("pegasus", "queue=general", "mpi", "no background processes in jobs (site rule)", "allowed there: none;"),
]


@pytest.mark.parametrize(("name", "queue", "layout", "rule", "instead"), FORBIDDEN)
def test_a_layout_that_the_sites_rules_forbid_is_refused(
    prepared: Prepare, name: str, queue: str, layout: str, rule: str, instead: str
) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(REQUEST, f"layout={layout}", queue, site=name)
    assert f"{name} does not allow {layout!r}: {rule}" in str(refusal.value) and instead in str(refusal.value)


@pytest.mark.parametrize(("name", "directive"), [("stampede2", "--array=0-3"), ("stampede3", "--gres=gpu:1")])
def test_a_directive_that_the_site_refuses_is_refused_here(prepared: Prepare, name: str, directive: str) -> None:
    with pytest.raises(InvalidConfiguration, match=f"{name} refuses {directive.partition('=')[0]}"):
        prepared(REQUEST, "queue=skx-dev", f"directives=['{directive}']", site=name)


def test_gpus_of_several_nodes_are_asked_for_in_all_where_the_option_means_so(prepared: Prepare) -> None:
    job = prepared(REQUEST, "queue=gpu", "account=a", "workers.gpus=1", site="expanse").rendered.files["job.sh"]
    assert "#SBATCH --nodes=2\n" in job and "#SBATCH --gpus=8\n" in job
    job = prepared(REQUEST, "queue=h100", "workers.gpus=1", site="stampede3").rendered.files["job.sh"]
    assert "#SBATCH --nodes=2\n" in job and "gpus" not in job.partition("\n\n")[0]


# Retired: machines and queues


def test_the_retired_machines_are_known(context: Context) -> None:
    assert [name for name in BUILT_IN if site_of(name, context).status == "retired"] == RETIRED


@pytest.mark.parametrize("name", RETIRED)
def test_a_retired_machine_renders_and_its_successor_is_named_on_submit(
    prepared: Prepare, context: Context, name: str
) -> None:
    site = site_of(name, context)
    made = prepared(REQUEST, *asked(site), site=name)
    assert "2" in header(made).splitlines()[1 if name != "summit" else 5]
    with pytest.raises(DoesNotFit, match=rf"{name}.yaml:\d+: {name} is retired .*\n.*\n.*--site {site.successor}"):
        prepare(Path("profile.yaml"), context, name, asked(site), to_submit=True)
    assert site.successor is not None
    successor = site_of(site.successor, context)
    assert successor.status == "active"
    assert prepare(Path("profile.yaml"), context, successor.name, asked(successor), to_submit=True)


@pytest.mark.parametrize(("command", "code"), [("explain", 0), ("render", 0), ("check", 4), ("submit", 4)])
def test_for_a_retired_machine_one_can_look_and_not_submit(tmp_path: Path, command: str, code: int) -> None:
    (tmp_path / "profile.yaml").write_text(REQUEST)
    words = [sys.executable, "-m", "hpc_launch", command, "profile.yaml", "--site", "stampede2"]
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*words, "--set", "queue=normal"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code, done.stderr
    assert ("stampede3" in done.stderr) == (code == 4)
    assert [path.name for path in tmp_path.iterdir()] == ["profile.yaml"]


CERES = "use queue ceres"
REPLACED = {
    **dict.fromkeys(["short", "medium", "long", "mem", "longmem", "mem768"], CERES),
    "long60": f"{CERES} with qos long",
    "debug": f"{CERES} with qos debug",
    **dict.fromkeys(["brief-low", "mem-low", "mem768-low"], f"{CERES}, or scavenger for the nodes"),
    **dict.fromkeys(["gpu-low", "priority", "priority-mem"], CERES),
}


@pytest.mark.parametrize(("queue", "instead"), REPLACED.items())
def test_a_partition_that_ceres_had_is_refused_with_what_replaced_it(
    prepared: Prepare, queue: str, instead: str
) -> None:
    cause = rf"--set queue={queue}: queue: ceres has no queue '{queue}' any more: .*{instead}"
    with pytest.raises(InvalidConfiguration, match=cause):
        prepared(REQUEST, f"queue={queue}", site="ceres")


def test_each_of_them_is_looked_at_and_what_is_advised_can_be_had(prepared: Prepare, context: Context) -> None:
    assert site_of("ceres", context).retired_queues.keys() == REPLACED.keys()
    for assignments in (["queue=ceres"], ["qos=long"], ["qos=debug"], ["queue=scavenger"]):
        assert prepared(REQUEST, *assignments, site="ceres").plan.jobs


# To start from


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name.startswith("generic-")])
def test_what_stands_in_the_comments_of_a_generic_profile_is_valid_too(
    prepared: Prepare, tmp_path: Path, name: str
) -> None:
    text = (SITE_PROFILES / f"{name}.yaml").read_text(encoding="utf-8")
    used = re.sub(r"^( *)# ( *[a-z_.]+: )", r"\1\2", text, flags=re.M)
    used = re.sub(r"^(rejects:|  default:).*\n", "", used, flags=re.M)
    assert {"detect:", "limits:", "retired_queues:", "arrays:"} <= {*re.findall(r"^\w+:", used, re.M)}
    (tmp_path / "mine.yaml").write_text(used, encoding="utf-8")
    made = prepared(REQUEST, site="./mine.yaml")
    assert made.plan.jobs[0].queue == made.resolved.site.defaults["queue"]
    with pytest.raises(InvalidConfiguration, match="any more: merged into"):
        prepared(REQUEST, "queue=old", site="./mine.yaml")


# The contributor's guide


def test_the_example_of_the_guide_has_what_a_built_in_profile_needs(
    prepared: Prepare, context: Context, tmp_path: Path
) -> None:
    (example,) = re.findall(r"^```yaml\n(# mymachine\.yaml\n.*?)^```$", GUIDE, re.M | re.S)
    (tmp_path / "mymachine.yaml").write_text(example, encoding="utf-8")
    site = sites.read(tmp_path / "mymachine.yaml", context).site
    assert lacking(site) == ["header"]  # which the guide shows
    (shown,) = re.findall(r"^```bash\n(#!/bin/bash\n.*?)^```$", GUIDE, re.M | re.S)
    assert header(prepared(REQUEST, *asked(site), site="./mymachine.yaml")) == shown
