"""`site discover` and `site check` on the command line: results, exit codes, JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpc_launch.cli import main
from hpc_launch.file_systems import kind_of
from hpc_launch.survey import host
from hpc_launch.survey.scratch import Scratch
from tests.survey.machines import Make, write


class Here:
    """The command line in an empty directory."""

    def __init__(self, directory: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.directory, self.capfd = directory, capfd

    def __call__(self, *words: str, ends: int = 0) -> str:
        """Standard output of `hpc-launch site WORDS`, which must end with this code."""
        code = main(["site", *words])
        self.out, self.err = self.capfd.readouterr()
        assert code == ends, self.out + self.err
        return self.out

    def draft(self, *words: str) -> Path:
        file = self.directory / "x.yaml"
        file.write_text(self("discover", *words), encoding="utf-8")
        return file


def runs_are_on(monkeypatch: pytest.MonkeyPatch, filesystem: str) -> None:
    """A machine whose home directories are on this file system: a test may run anywhere."""
    home = Scratch("/home", kind_of(filesystem), filesystem)
    monkeypatch.setattr("hpc_launch.survey.check.runs_here", lambda site, context: home)
    look = host.look
    monkeypatch.setattr(host, "look", lambda *words: replace(look(*words), home=home))


@pytest.fixture
def site(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Here:
    directory = tmp_path / "here"
    (directory / "sites").mkdir(parents=True)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HPC_LAUNCH_SITE_PATH", str(directory / "sites"))
    for name in ("XDG_CONFIG_HOME", "MODULEPATH"):
        monkeypatch.delenv(name, raising=False)
    runs_are_on(monkeypatch, "nfs4")
    return Here(directory, capfd)


@pytest.mark.parametrize("system", ["slurm", "sge", "pbs", "lsf"])
def test_run_directories_on_a_disk_of_one_host_are_warned_of(
    site: Here, make: Make, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    make(system)
    assert "# every node must see it\n" in site.draft().read_text()
    assert "storage.runs" not in site("check", "x.yaml")
    runs_are_on(monkeypatch, "ext4")
    guess = "# a guess: every node must see it; $HOME is disk of this host alone (ext4)\n"
    assert guess in site.draft().read_text()
    assert "has disk of its own there (ext4): do all nodes see it?\n" in site("check", "x.yaml")


@pytest.mark.parametrize(
    ("system", "launcher"), [("slurm", "srun"), ("sge", "qrsh"), ("pbs", "pbsdsh"), ("lsf", "blaunch")]
)
def test_a_launcher_that_is_not_installed_is_a_guess(
    site: Here, make: Make, programs: Path, monkeypatch: pytest.MonkeyPatch, system: str, launcher: str
) -> None:
    make(system)
    (programs / launcher).unlink(missing_ok=True)
    monkeypatch.setenv("PATH", str(programs))
    guess = f"a guess: the usual one; there is no {launcher} on this host"
    assert guess in site.draft().read_text()
    write(programs / launcher, "exit 1")
    assert guess not in site.draft().read_text()


@pytest.mark.parametrize("system", ["slurm", "sge", "pbs", "lsf"])
def test_a_draft_passes_the_check(site: Here, make: Make, system: str) -> None:
    make(system)
    site.draft()
    verdict = site("check", "x.yaml").splitlines()[-1]
    assert verdict.endswith(f"x.yaml) is valid and agrees with the live {system}, as far as it could be compared")


def test_of_several_batch_systems_one_has_to_be_named(site: Here, make: Make) -> None:
    make("slurm")
    make("sge")
    assert site("discover", ends=2) == ""
    assert "sge and slurm" in site.err and "--batch-system slurm" in site.err
    assert "\nbatch_system: sge\n" in site("discover", "--batch-system", "sge")


def test_one_that_does_not_answer_is_not_counted(site: Here, make: Make, programs: Path) -> None:
    make("slurm")
    write(programs / "qconf", "echo 'error: commlib error: got select error' >&2; exit 1")
    assert "\nbatch_system: slurm\n" in site("discover")


def test_where_none_answers_that_is_said_with_each_ones_words(site: Here, programs: Path) -> None:
    write(programs / "qconf", "echo 'error: commlib error: got select error' >&2; exit 1")
    assert site("discover", ends=5) == ""
    assert "no batch system answers" in site.err and "got select error" in site.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("slrum", "'slrum' is not known. Did you mean slurm?"),
        ("gridengine", "'gridengine' is not known. Did you mean sge?"),
        ("", "'' is not known"),
        ("a b", "'a b' is not known"),
        ("local", "--batch-system local: it has no machine to tell about"),
    ],
)
def test_a_batch_system_that_cannot_be_asked_is_wrong_usage(site: Here, name: str, said: str) -> None:
    assert site("discover", "--batch-system", name, ends=2) == ""
    assert said in site.err and "local, lsf, pbs, sge, slurm" in site.err


def test_discover_as_json(site: Here, make: Make) -> None:
    make("slurm")
    found: dict[str, Any] = json.loads(site("discover", "--json"))
    assert found["schema"] == 1
    assert found["site"]["queues"]["short"] == {"nodes": 3, "cores": 8, "memory": "16000 MiB", "walltime": "01:00:00"}
    assert found["machine"]["queues"][0]["nodes"][0]["name"] == "c1"
    assert {each.partition(":")[0] for each in found["not_found"]} >= {"maintainers", "account", "limits.running, qos"}


def test_a_limit_that_was_lowered_is_told_and_ends_with_1(site: Here, make: Make) -> None:
    make("slurm")
    file = site.draft()
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if text.startswith("  short:"))
    make("slurm", lambda name, text: text.replace("MaxTime=01:00:00", "MaxTime=00:30:00"))
    told = site("check", "x.yaml", ends=1).splitlines()
    assert told[0] == f"queues.short.walltime: the profile says 01:00:00 (x.yaml:{line}), slurm says 00:30:00"
    assert "differs from the live slurm in 1 thing" in told[-1]
    assert all(line.startswith("note: ") and ": not compared: " in line for line in told[1:-1])
    found = json.loads(site("check", "x.yaml", "--json", ends=1))
    assert (found["agrees"], found["compared_with"], found["notes"]) == (False, "slurm", [])
    assert [(each["key"], each["line"]) for each in found["differences"]] == [("queues.short.walltime", line)]


def test_a_limit_that_was_raised_is_a_note(site: Here, make: Make) -> None:
    make("slurm")
    site.draft()
    make("slurm", lambda name, text: text.replace("MaxTime=01:00:00", "MaxTime=02:00:00"))
    assert site("check", "x.yaml").startswith("note: queues.short.walltime: ")
    found = json.loads(site("check", "x.yaml", "--json"))
    assert (found["agrees"], found["differences"]) == (True, [])
    assert [each["key"] for each in found["notes"]] == ["queues.short.walltime"]


def test_a_node_that_was_taken_out_is_told(site: Here, make: Make) -> None:
    make("slurm")
    site.draft()
    make("slurm", nodes="nodes-drained")
    told = site("check", "x.yaml", ends=1)
    for queue in ("short", "long"):
        assert f"queues.{queue}.nodes: the profile says 3" in told
    assert "slurm has 2 that take jobs (c3: IDLE+DRAIN: bad memory (ticket 7)" in told


def test_without_the_batch_system_a_profile_is_valid_and_not_compared(site: Here, make: Make, programs: Path) -> None:
    make("slurm")
    site.draft()
    (programs / "scontrol").unlink()
    assert "there is no slurm here" in site("check", "x.yaml")
    found = json.loads(site("check", "x.yaml", "--json"))
    assert (found["compared_with"], found["agrees"]) == (None, None)


def test_a_batch_system_that_does_not_answer_is_5_and_not_a_good_end(site: Here, make: Make, programs: Path) -> None:
    make("slurm")
    site.draft()
    write(programs / "scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1")
    draft = (site.directory / "x.yaml").read_text()
    (site.directory / "x.yaml").write_text(re.sub(r"(?m)^reviewed: \S+", "reviewed: 2999-01-01", draft))
    assert site("check", "x.yaml", ends=5).startswith("note: x.yaml:")
    told = json.loads(site("check", "x.yaml", "--json", ends=5))
    assert told["error"]["exit_code"] == 5 and told["agrees"] is None
    assert told["doubtful"][0]["message"] == "reviewed: 2999-01-01 is in the future"
    site("check", "x.yaml", ends=5)
    name = yaml.safe_load((site.directory / "x.yaml").read_text())["name"]
    words = f"hpc-launch: {name} ({site.directory / 'x.yaml'}) is valid, but could not be compared: "
    assert site.err.startswith(words), site.err
    assert "Unable to contact" in site.err.removeprefix(words)


FIRST_AND_LATER = [("pbs", "pbsnodes", "qstat"), ("sge", "qconf", "qhost"), ("lsf", "bqueues", "lshosts")]


@pytest.mark.parametrize(("system", "first", "later"), FIRST_AND_LATER)
def test_only_where_the_first_command_is_missing_there_is_no_batch_system(
    site: Here, make: Make, programs: Path, system: str, first: str, later: str
) -> None:
    make(system)
    site.draft()
    text = (programs / later).read_text()
    (programs / later).unlink()
    assert "is valid" not in site("check", "x.yaml", ends=5)
    assert f"the command `{later}` was not found" in site.err
    write(programs / later, text.removeprefix("#!/bin/bash\n"))
    (programs / first).unlink()
    assert f"x.yaml) is valid; there is no {system} here to compare it with" in site("check", "x.yaml")


def test_whether_the_first_command_is_there_is_seen_without_running_it(
    site: Here, make: Make, programs: Path, tmp_path: Path
) -> None:
    make("sge")
    site.draft()
    (programs / "qhost").unlink()
    text = (programs / "qconf").read_text().removeprefix("#!/bin/bash\n")
    write(programs / "qconf", f"echo \"$*\" >>'{tmp_path}/asked'\n{text}")
    site("check", "x.yaml", ends=5)
    assert (tmp_path / "asked").read_text().splitlines().count("-sql") == 1


LEAST_SITE = """\
name: {name}
batch_system: slurm
queues: {{short: {{nodes: 3, cores: 8, memory: 16000 MiB, walltime: "01:00:00"}}}}
storage: {{local: $TMPDIR}}
"""


def put(site: Here, more: str, name: str = "north") -> None:
    (site.directory / "x.yaml").write_text(LEAST_SITE.format(name=name) + more, encoding="utf-8")


OTHERS = [
    ("detect: {hostname: 'login\\d+'}\n", "detect.hostname: login\\d+, this host is here0"),
    ("detect: {cluster: north}\n", "detect.cluster: north, slurm says testcluster"),
    ("detect: {environment: {CENTRE: '$(x) \\n'}}\n", "detect.environment: CENTRE=$(x) \\n, which is not set here"),
    (
        "detect: {environment: {HERE: '1', CENTRE: north}}\n",
        "north (detect.environment: CENTRE=north, which is not set",
    ),
    ("detect: {environment: {HERE: '2'}}\n", "(detect.environment: HERE=2, which is 1 here)"),
    (
        "detect: {hostname: 'login\\d+', cluster: north}\n",
        "login\\d+, this host is here0; detect.cluster: north, slurm",
    ),
]


@pytest.mark.parametrize(("rule", "words"), OTHERS)
def test_another_machine_is_not_compared(
    site: Here, make: Make, monkeypatch: pytest.MonkeyPatch, rule: str, words: str
) -> None:
    monkeypatch.setattr("hpc_launch.context.hostname", lambda: "here0")
    monkeypatch.setenv("HERE", "1")
    monkeypatch.delenv("CENTRE", raising=False)
    make("slurm")
    put(site, rule)
    told = site("check", "x.yaml")
    assert "x.yaml) is valid; this machine is not north (" in told and words in told
    assert told.endswith("), so there was nothing to compare it with\n") and len(told.splitlines()) == 1
    found = json.loads(site("check", "x.yaml", "--json"))
    assert (found["compared_with"], found["agrees"], found["not_compared"]) == (None, None, [])


SILENT = [
    ("{hostname: 'login\\d+'}", 0),
    ("{environment: {CENTRE: north}}", 0),
    ("{hostname: 'login\\d+', cluster: north}", 5),
    ("{cluster: testcluster}", 5),
    ("{hostname: web1}", 5),
    ("{}", 5),
]


@pytest.mark.parametrize(("rule", "ends"), SILENT)
def test_a_batch_system_that_is_silent_is_that_of_another_machine_only_where_the_host_tells(
    site: Here, programs: Path, monkeypatch: pytest.MonkeyPatch, rule: str, ends: int
) -> None:
    monkeypatch.setattr("hpc_launch.context.hostname", lambda: "web1")
    write(programs / "scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1")
    put(site, f"detect: {rule}\n")
    assert ("this machine is not north" in site("check", "x.yaml", ends=ends)) is (ends == 0)
    assert ("Unable to contact" in site.err) is (ends == 5)


@pytest.mark.parametrize(
    ("host", "rule", "compared"),
    [
        ("login1", "hostname: 'login\\d+'", True),
        ("c1", "hostname: 'login\\d+'", True),
        ("c1", "hostname: 'login\\d+', cluster: testcluster", True),
        ("c1", "hostname: 'login\\d+', cluster: north", False),
        ("c1.example.org", "environment: {CENTRE: north}", True),
        ("web1", "hostname: 'login\\d+', cluster: testcluster", True),
        ("web1", "hostname: 'login\\d+'", False),
        ("web1", "", True),
    ],
)
def test_a_compute_node_and_the_clusters_name_tell_that_it_is_the_right_machine(
    site: Here, make: Make, monkeypatch: pytest.MonkeyPatch, host: str, rule: str, compared: bool
) -> None:
    monkeypatch.setattr("hpc_launch.context.hostname", lambda: host)
    make("slurm")
    put(site, f"detect: {{{rule}}}\n")
    assert (json.loads(site("check", "x.yaml", "--json"))["compared_with"] == "slurm") is compared


@pytest.mark.parametrize(("more", "words"), [("", "north is retired,"), ("successor: gone\n", "its successor is gone")])
def test_a_retired_site_is_never_compared(site: Here, make: Make, more: str, words: str) -> None:
    make("slurm")
    put(site, f"status: retired\n{more}")
    assert words in site("check", "x.yaml") and "is retired" in site.out and "agrees" not in site.out
    assert json.loads(site("check", "x.yaml", "--json"))["compared_with"] is None


def test_what_could_not_be_compared_is_told_and_the_verdict_says_so(
    site: Here, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpc_launch.context.hostname", lambda: "c1")
    monkeypatch.delenv("TMPDIR", raising=False)
    make("slurm")
    put(site, "limits: {array: 10000}\nrejects: [--partition]\n")
    *notes, verdict = site("check", "x.yaml").splitlines()
    why = "$TMPDIR: a variable in it is not set here (run this check in a job)"
    assert notes == [
        "note: queues (x.yaml:3): not compared: jobs name no queue here (rejects: --partition)",
        f"note: storage.local (x.yaml:4): not compared: {why}",
    ]
    assert verdict.endswith("x.yaml) is valid and agrees with the live slurm, as far as it could be compared")
    found = json.loads(site("check", "x.yaml", "--json"))
    assert (found["agrees"], found["notes"]) == (True, [])
    assert found["not_compared"][1] == {
        "key": "storage.local",
        "why": why,
        "file": "x.yaml",
        "line": 4,
        "message": f"storage.local (x.yaml:4): not compared: {why}",
    }


def test_where_all_was_compared_the_verdict_has_no_limit(
    site: Here, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpc_launch.context.hostname", lambda: "c1")
    make("slurm")
    monkeypatch.setenv("TMPDIR", str(site.directory))  # as in a job
    put(site, "limits: {array: 10000}\n")
    assert site("check", "x.yaml").splitlines()[-1].endswith("x.yaml) is valid and agrees with the live slurm")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("commands: {cancel: [mycancel]}\n", "x.yaml:4: commands: local has none for cancel; allowed: submit"),
        ("launchers: {node: srum}\n", "x.yaml:4: launchers.node: 'srum' is not known; did you mean 'srun'?"),
        ("launchers: {node: srun}\n", "x.yaml:4: launchers.node: srun does not go with local"),
    ],
)
def test_what_only_a_run_would_have_met_is_told_by_the_check(site: Here, more: str, words: str) -> None:
    (site.directory / "x.yaml").write_text(f"name: x\nbatch_system: local\nqueues: {{}}\n{more}")
    assert site("check", "x.yaml", ends=3) == ""
    assert words in site.err


def test_everything_that_is_wrong_in_a_file_is_told_with_its_line(site: Here) -> None:
    (site.directory / "x.yaml").write_text("name: x\nbatch_system: slurm\nqueus: {}\nqueues: {q: {cores: many}}\n")
    assert site("check", "x.yaml", ends=3) == ""
    assert "x.yaml:3" in site.err and "x.yaml:4" in site.err


BROKEN = [b"", b"\xff\xfe", b"a: [", b"name: x\nextends: x\n", b"- x\n", b"x" * 2**21, b"name: x\0\n"]


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: repr(content[:12]))
def test_a_broken_file_is_3_and_breaks_nothing_else(site: Here, content: bytes) -> None:
    (site.directory / "sites" / "broken.yaml").write_bytes(content)
    site("check", "sites/broken.yaml", ends=3)
    assert "broken.yaml" in site.err
    assert "generic-slurm" in site("list")


def test_the_name_may_be_left_out_where_the_site_is_known_by_itself(site: Here, make: Make) -> None:
    make("slurm")
    site.draft().rename(site.directory / "sites" / "here.yaml")
    assert "agrees with the live slurm" in site("check")


def test_in_a_job_the_scratch_of_the_job_is_looked_at(site: Here, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpc_launch.context.hostname", lambda: "c1")
    monkeypatch.setenv("TMPDIR", str(site.directory / "gone"))
    make("slurm")
    put(site, "limits: {array: 10000}\n")
    said = "storage.local: the profile says $TMPDIR (x.yaml:4), c1, a compute node, has no such directory: {}"
    assert site("check", "x.yaml", ends=1).splitlines()[0] == said.format(site.directory / "gone")


def test_a_name_that_is_empty_is_no_name_that_was_left_out(site: Here, make: Make) -> None:
    make("slurm")
    site.draft().rename(site.directory / "sites" / "here.yaml")
    assert site("check", "", ends=3) == ""


def test_no_such_site(site: Here) -> None:
    site("check", "generic-slrum", ends=3)
    assert "did you mean 'generic-slurm'" in site.err
