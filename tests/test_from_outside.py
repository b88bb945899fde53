"""A batch system from outside the package: Torque, as a third party would write it (tests/torque), and broken ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from hpc_launch import batch
from hpc_launch.batch.base import BatchSystem
from hpc_launch.batch.dialect import Dialect, Launcher
from hpc_launch.batch.faults import NoAnswer, Refused
from hpc_launch.batch.report import JobStatus
from hpc_launch.cli import main
from hpc_launch.context import Context
from hpc_launch.errors import BatchSystemError, InvalidConfiguration
from hpc_launch.prepare import Prepared
from hpc_launch.runs.cancel import Patience, cancel
from hpc_launch.runs.directory import read_record
from hpc_launch.runs.status import bring_up_to_date
from hpc_launch.runs.submit import submit
from tests.conftest import ROOT
from tests.conftest import TORQUE as PLUG_IN
from tests.rendering import EXAMPLE, GOLDEN, shellcheck, write

Prepare = Callable[..., Prepared]
Program = Callable[[str, str], None]
SITE = str(PLUG_IN / "torquecluster.yaml")
DOCUMENT = (ROOT / "docs" / "adding-a-batch-system.md").read_text(encoding="utf-8")
ARRAY = "layout=job-array"
TINY = """
name: tiny
layout: job-array
workers: {count: 3, per_node: 1, memory: 100 MB}
workload: {command: x}
security: none
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Makes a command out of bash lines; it writes down what it is asked."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")

    def make(name: str, text: str) -> None:
        (directory / name).write_text(f'#!/bin/bash\necho "{name} $*" >>"{tmp_path}/asked"\n{text}\n')
        (directory / name).chmod(0o755)

    return make


def asked(tmp_path: Path, *names: str) -> list[str]:
    """What the commands of these names were asked."""
    return [line for line in (tmp_path / "asked").read_text().splitlines() if line.split()[0] in names]


def qstat(*jobs: str, wrong: str = "") -> str:
    """Bash lines that print what `qstat -f` prints: `qstat("7.server R", "8[0].server C exit_status=0")`."""
    lines = []
    for job in jobs:
        name, state, *more = job.split()
        fields = [f"job_state = {state}", *(field.replace("=", " = ", 1) for field in more)]
        lines += [f"Job Id: {name}", *(f"    {field}" for field in fields)]
        lines += ["    Variable_List = PBS_O_QUEUE=batch,PBS_O_HOME=/home/user,", "\tPBS_O_LANG=C.UTF-8", ""]
    fault = f"echo 'qstat: {wrong}' >&2; exit 153" if wrong else ""
    return "cat <<'END'\n" + "\n".join(lines) + f"\nEND\n{fault}"


# What it renders


@pytest.mark.parametrize(
    ("assignments", "names"),
    [(["workers.count=24"], {"job.sh"}), ([ARRAY, "workers.count=22"], {"scheduler.sh", "workers.sh"})],
)
def test_scripts_are_rendered_as_in_the_golden_files(
    torque: None, prepared: Prepare, tmp_path: Path, assignments: list[str], names: set[str]
) -> None:
    files = prepared(EXAMPLE, *assignments, site=SITE).rendered.files
    for name in names:
        rendered = files[name].replace(str(tmp_path), "/home/user/monte-carlo-pi")
        assert rendered == (GOLDEN / "torquecluster" / name).read_text(encoding="utf-8"), name
    others = {file.name for file in (GOLDEN / "torquecluster").iterdir()} - names
    assert others.isdisjoint(files)


@pytest.mark.parametrize("assignments", [[], [ARRAY, "workers.timeout=1h"]])
def test_scripts_are_clean_and_short(torque: None, prepared: Prepare, tmp_path: Path, assignments: list[str]) -> None:
    made = prepared(EXAMPLE, "workers.count=22", *assignments, site=SITE)
    submitted = [one["file"] for one in made.submissions()]
    directory = write(made, tmp_path / "run")
    assert shellcheck(directory, *submitted, "environment.sh", "node.sh", "workload.sh") == ""
    assert all(len((directory / name).read_text().splitlines()) <= 80 for name in submitted)


def test_all_that_a_profile_may_say_becomes_a_directive(torque: None, prepared: Prepare, tmp_path: Path) -> None:
    keys = "rejects: [-l mem]\nresources: {gpus: 'gpus={n}'}\n"
    (tmp_path / "site.yaml").write_text(Path(SITE).read_text() + keys)
    more = ("constraint=bigmem", "mail.to=me@example.org", "mail.on=[begin, fail]", "walltime=1-02:03:04", "qos=high")
    made = prepared(
        EXAMPLE,
        "workers.count=22",
        "workers.gpus=1",
        "directives=[-l software=a]",
        *more,
        "begin=2026-12-01T22:00",
        site="./site.yaml",
    )
    directives = [line for line in made.rendered.files["job.sh"].splitlines() if line.startswith("#PBS")]
    assert "#PBS -l nodes=3:ppn=8:bigmem:gpus=8" in directives
    assert "#PBS -l walltime=26:03:04" in directives and "#PBS -l software=a" in directives
    assert "#PBS -M me@example.org" in directives and "#PBS -m ba" in directives
    assert not any("mem=" in line for line in directives)
    notes = [note.partition(": ")[2] for note in made.planned.notes]
    assert notes == [f"{key} is not used: torque has no such thing" for key in ("qos", "begin")]
    with pytest.raises(InvalidConfiguration, match="-l is already said"):
        prepared(EXAMPLE, "directives=['-l software=a,nodes=7']", site="./site.yaml")


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (qstat("8[].server R"), True),
        (qstat("8[].server C", "9.server Q"), True),
        (qstat("8[].server C", "9.server C exit_status=0"), False),
        (qstat("9.server C", wrong="Unknown Array ID Error 8[].server"), False),
        (qstat(wrong="Unknown Array ID Error 8[].server"), True),  # and not a word of the other
        (qstat("9.server C"), True),
        (qstat("9.server H", wrong="Unknown Array ID Error 8[].server"), True),
        (qstat(wrong="cannot connect to server torque (errno=111) Connection refused"), True),
        ("echo 'qstat: command not found' >&2; exit 127", True),
    ],
)
def test_the_schedulers_job_sees_whether_worker_jobs_are_left(
    torque: None, prepared: Prepare, tmp_path: Path, program: Program, answer: str, left: bool
) -> None:
    script = prepared(EXAMPLE, ARRAY, "workers.count=22", site=SITE).rendered.files["scheduler.sh"]
    functions = script.partition("# shellcheck disable=SC2329")[2].partition(". ./jobside/array.sh")[0]
    program("qstat", answer)
    done = subprocess.run(["bash", "-c", f":{functions}\nworker_jobs_left '8[].server' 9.server"], timeout=20)
    assert (done.returncode == 0) is left
    assert asked(tmp_path, "qstat") == ["qstat -f 8[].server 9.server"]


# How it speaks with Torque


def test_a_run_is_submitted_watched_and_cancelled(
    torque: None, prepared: Prepare, context: Context, tmp_path: Path, program: Program
) -> None:
    rendered = prepared(TINY, site=SITE).rendered
    program("qsub", "case $* in *workers*) echo '42[].server' ;; *) echo 'Welcome!'; echo 41.server ;; esac")
    place, record = submit(rendered, context, Path("run"))
    name = f"tiny-{record.id[-6:]}"
    assert record.job_ids == ["41.server", "42[].server"]
    assert asked(tmp_path, "qsub") == [
        f"qsub -N {name} scheduler.sh",
        f"qsub -N {name}-workers -t 0-2 -o logs/workers-job.log -W depend=after:41.server workers.sh",
    ]
    elements = [f"42[{number}].server H depend=after:41.server" for number in range(3)]
    program("qstat", qstat("41.server Q comment=Not", *elements))
    view = bring_up_to_date(place)
    assert view.standing.state == "queued"
    assert view.reports["workers"].elements == {"held": 3} and "another job" in view.reports["workers"].why
    program("qdel", "")
    program("qsig", "")
    cancel(place, lambda words: None, Patience(orderly=0.1, gone=0.1, look=0.05, ask=0.05))
    assert asked(tmp_path, "qdel") == ["qdel 41.server 42[].server"]
    assert read_record(place).cancel_requested


def test_a_refusal_is_told_in_torques_words(
    torque: None, prepared: Prepare, context: Context, program: Program
) -> None:
    program("qsub", "echo 'qsub: submit error (Unknown queue MSG=cannot locate queue)' >&2; exit 170")
    with pytest.raises(BatchSystemError, match=r"was not submitted: torque refused .*\n.*Unknown queue"):
        submit(prepared(TINY, site=SITE).rendered, context, Path("run"))


def system() -> BatchSystem:
    return batch.get("torque")


@pytest.mark.parametrize(
    ("words", "status", "exit_code"),
    [
        ("R", JobStatus.RUNNING, None),
        ("S", JobStatus.SUSPENDED, None),
        ("E", JobStatus.ENDING, None),
        ("Q", JobStatus.QUEUED, None),
        ("W", JobStatus.QUEUED, None),
        ("T", JobStatus.QUEUED, None),
        ("H", JobStatus.HELD, None),
        ("BEWITCHED", JobStatus.UNKNOWN, None),
        ("C exit_status=0", JobStatus.COMPLETED, 0),
        ("C exit_status=7", JobStatus.FAILED, 7),
        ("C exit_status=265", JobStatus.FAILED, 137),
        ("C exit_status=271", JobStatus.CANCELLED, 143),
        ("C exit_status=-11", JobStatus.TIMEOUT, None),
        ("C exit_status=-10", JobStatus.OUT_OF_MEMORY, None),
        ("C exit_status=-3", JobStatus.FAILED, None),
        ("C exit_status=", JobStatus.GONE, None),
        ("C", JobStatus.GONE, None),
    ],
)
def test_what_torque_says_of_a_job(
    torque: None, program: Program, words: str, status: JobStatus, exit_code: int | None
) -> None:
    program("qstat", qstat(f"7.server.example.org {words} exec_host=n1/0+n1/1+n2/0"))
    report = system().states(["7.server"])["7.server"]
    assert (report.status, report.exit_code, report.nodes) == (status, exit_code, "n1,n2")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (qstat("7.server R", "8[0].server C exit_status=0", "8[1].server R"), ["running", "running"]),
        (qstat("7.server R", "8[0].server C exit_status=0", "8[1].server C exit_status=1"), ["running", "failed"]),
        (qstat("7.server R", wrong="Unknown Array ID Error 8[].server"), ["running", "gone"]),
        (qstat("7.server C exit_status=0"), ["completed", "unknown"]),  # its elements are not made yet
        (qstat("8[0].server R", wrong="cannot connect to server s (errno=111)"), ["unknown", "running"]),
        (qstat(wrong="Unknown Job Id Error 7.server"), ["gone", "unknown"]),  # and not a word of the other
        (qstat("7.server R", "8[0].server C exit_status=0") + "exit 1", ["running", "unknown"]),
        ("exit 1", ["unknown", "unknown"]),
        ("exit 0", ["unknown", "unknown"]),
        ("echo '<html>COMPLETED 7.server</html>'", ["unknown", "unknown"]),
        ("head -c 5000 /dev/urandom", ["unknown", "unknown"]),
    ],
)
def test_what_torque_does_not_say_is_never_taken_for_a_good_end(
    torque: None, program: Program, answer: str, expected: list[str]
) -> None:
    program("qstat", answer)
    states = system().states(["7.server", "8[].server"], {"8[].server": 2})
    assert [str(report.status) for report in states.values()] == expected


def test_a_job_whose_answer_was_lost_is_found_by_its_name(torque: None, program: Program) -> None:
    program("qstat", qstat("7.server Q Job_Name=pi-1", "8[].server Q Job_Name=pi-1-workers", "9.server R Job_Name=x"))
    assert system().find("pi-1-workers", 0) == ["8[].server"]
    assert system().find("pi", 0) == []
    program("qstat", "exit 0")
    assert system().find("pi-1", 0) == []
    for bad in ("exit 1", "echo hello"):
        program("qstat", bad)
        with pytest.raises(NoAnswer):
            system().find("pi-1", 0)


def test_a_cancel_of_what_is_over_is_no_fault_and_a_refused_one_is(torque: None, program: Program) -> None:
    for harmless in ("Unknown Job Id Error 7.server", "Request invalid for state of job MSG=invalid state 7.server"):
        program("qdel", f"echo 'qdel: {harmless}' >&2; exit 170")
        system().cancel(["7.server"])
    program("qdel", "echo 'qdel: Unauthorized Request  MSG=operation not permitted 7.server' >&2; exit 159")
    with pytest.raises(Refused, match="not permitted"):
        system().cancel(["7.server"])
    program("qdel", "echo 'qdel: cannot connect to server s (errno=111) Connection refused' >&2; exit 1")
    with pytest.raises(NoAnswer):
        system().cancel(["7.server"])


# How it is found


@pytest.mark.parametrize(
    ("site", "own"),
    [("testcluster", {"hpc_launch.batch.slurm.dialect"}), (SITE, {"hpc_launch_torque"})],
    ids=["built-in", "plug-in"],
)
def test_rendering_loads_the_sites_own_dialect_and_no_commands(
    torque: None, tmp_path: Path, site: str, own: set[str]
) -> None:
    (tmp_path / "profile.yaml").write_text(EXAMPLE)
    code = (
        "import sys; from pathlib import Path\n"
        "from hpc_launch.context import Context; from hpc_launch.prepare import prepare\n"
        f"variables = {{'HOME': '.', 'HPC_LAUNCH_SITE_PATH': '{ROOT / 'tests/site'}'}}\n"
        "context = Context(Path('.'), Path('.'), variables, 'login', 'user', 4, 2**34, '/usr/bin/python3')\n"
        f"made = prepare(Path('profile.yaml'), context, {site!r}, ['environment.python=/usr/bin/python3'])\n"
        "assert 'nodes=' in made.rendered.files['job.sh']\n"
        "print(*(name for name in sys.modules if name.startswith(('hpc_launch_torque', 'hpc_launch.batch.'))))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{PLUG_IN}"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    shared = [
        "account",
        "base",
        "client",
        "command",
        "dialect",
        "environment",
        "faults",
        "machine",
        "report",
        "signals",
        "sizes",
        "slurm",
    ]
    assert done.stderr == ""
    assert own <= set(done.stdout.split()) <= own | {f"hpc_launch.batch.{name}" for name in shared}


def test_nobody_looks_for_plug_ins_who_needs_none(
    torque: None, prepared: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(**_: object) -> None:
        raise AssertionError("looked for plug-ins")

    prepared(EXAMPLE, site="local")  # pydantic looks once, for those of its own
    monkeypatch.setattr("importlib.metadata.entry_points", looked)
    for site in ("testcluster", "pbscluster", "lsfcluster", "gridcluster", "local"):
        for layout in ("single-job", "job-array"):
            assert prepared(EXAMPLE, f"layout={layout}", site=site).rendered.files
    with pytest.raises(AssertionError, match="looked for plug-ins"):
        prepared(EXAMPLE, site=SITE)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("slrum", r"site.yaml:\d+: batch_system: 'slrum' is not known; did you mean 'slurm'\?"),
        ("Torque", r"'Torque' is not known; did you mean 'torque'\?"),
        ("condor", r"'condor' is not known\n"),
    ],
)
def test_a_batch_system_that_nobody_knows_is_told_with_all_there_are(
    torque: None, prepared: Prepare, tmp_path: Path, name: str, sentence: str
) -> None:
    site = (ROOT / "tests/site/testcluster.yaml").read_text().replace("batch_system: slurm", f"batch_system: {name}")
    (tmp_path / "site.yaml").write_text(site)
    with pytest.raises(InvalidConfiguration, match=sentence) as refusal:
        prepared(EXAMPLE, site="./site.yaml")
    assert "there are: local, lsf, pbs, sge, slurm, torque" in str(refusal.value)


def test_a_launcher_that_nobody_knows_is_told_too(torque: None, prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(Path(SITE).read_text() + "launchers: {node: pbsdsh-uniqe}\n")
    with pytest.raises(InvalidConfiguration, match=r"launchers\.node: .*did you mean 'pbsdsh-unique'"):
        prepared(EXAMPLE, site="./site.yaml")


# Broken ones

GOOD = (PLUG_IN / "hpc_launch_torque/templates/directives/torque.sh.j2").read_text(encoding="utf-8")


def plug_in(directory: Path, name: str, entry: str, module: str, text: str | None, template: str | None) -> None:
    """Install a batch system in a directory that will be on sys.path: its module's file, and its template beside it."""
    info = directory / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[hpc_launch.batch_systems]\n{name} = {entry}\n")
    if text is not None:
        (directory / module).parent.mkdir(parents=True)
        (directory / module).write_text(text)
    if template is not None:
        place = (directory / module).parent / "templates" / "directives"
        place.mkdir(parents=True)
        (place / f"{name}.sh.j2").write_text(template, errors="surrogateescape")


BROKEN = "raise RuntimeError('half installed')\n"
LOADS = "from hpc_launch_torque import Torque as X\n"
CASES = {
    "fails": ("fails_plug:X", BROKEN, GOOD, r"'fails' \(fails_plug:X\) does not load: half installed"),
    "bare": ("bare_plug:X", "", None, r"'bare' is a plug-in's \(bare_plug:X\), which has no directives/bare"),
    "away": ("away_plug:X", None, None, r"'away' is a plug-in's \(away_plug:X\), which has no directives/away"),
    "under": ("under_plug.b:X", BROKEN, GOOD, r"is a plug-in's \(under_plug.b:X\), which has no"),
    "odd": ("1 + 1", None, None, r"'odd' is a plug-in's \(1 \+ 1\), which has no"),
    "dots": ("..:X", None, None, r"'dots' is a plug-in's"),
    "syntax": ("syntax_plug:X", LOADS, "{% if %}", r"template directives/syntax.sh.j2 is broken: "),
    "undefined": ("undefined_plug:X", LOADS, "{{ x }}", r"directives/undefined.sh.j2 is broken: 'x' is undefined"),
    "include": ("include_plug:X", LOADS, "{% include 'nowhere' %}", r"directives/include.sh.j2 is broken: nowhere"),
    "binary": ("binary_plug:X", LOADS, "\udcff", r"directives/binary.sh.j2 is broken: 'utf-8' codec"),
    "empty": ("empty_plug:X", LOADS, "", r"does not define directives, worker_jobs"),
}
"""Name → entry point, text of its module NAME_plug, its template, and the sentence."""


@pytest.mark.parametrize("name", CASES)
def test_a_broken_plug_in_is_told_with_a_sentence_and_hurts_nobody_else(
    torque: None,
    prepared: Prepare,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    entry, text, template, sentence = CASES[name]
    plug_in(tmp_path / "installed", name, entry, f"{name}_plug/__init__.py", text, template)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    (tmp_path / "site.yaml").write_text(
        Path(SITE).read_text().replace("batch_system: torque", f"batch_system: {name}\nlaunchers: {{node: ssh}}")
    )
    with pytest.raises(InvalidConfiguration, match=sentence):
        prepared(EXAMPLE, site="./site.yaml").submissions()
    assert prepared(EXAMPLE, site=SITE).submissions() and prepared(EXAMPLE, site="testcluster").submissions()


MISTAKES = {
    "array_index=": ("aray_index=", r"got an unexpected keyword argument 'aray_index'"),
    'memory_directives=("per-node", "omit")': (
        'memory_directives="per-node"',
        r"memory_directives is 'per-node', no tuple\[str, \.\.\.\]",
    ),
    '"queue": ("-q",)': ('"queue": ("-q")', r"said is \{.*, no collections\.abc\.Mapping\[str, tuple"),
    'job_id="${PBS_JOBID-}",': ("", r"missing 1 required keyword-only argument: 'job_id'"),
    "node_launchers=(": ("node_launchers=() and (", r"node_launchers and mpi_launchers hold at least the usual one"),
    "dialect = DIALECT": ("dialect = vars(DIALECT)", r"its dialect is no Dialect"),
    "    dialect = DIALECT\n": ("", r"it lacks dialect"),
}
"""A text of Torque's module → what somebody made of it, and the sentence."""


@pytest.mark.parametrize("good", MISTAKES, ids=lambda text: str(text).strip())
def test_a_mistake_in_the_dialect_of_a_plug_in_is_told_with_its_name_and_the_field(
    torque: None,
    context: Context,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    good: str,
) -> None:
    text = (PLUG_IN / "hpc_launch_torque/__init__.py").read_text(encoding="utf-8")
    bad, sentence = MISTAKES[good]
    assert text.count(good) == 1
    plug_in(tmp_path / "in", "theirs", "wrong_plug:Torque", "wrong_plug/__init__.py", text.replace(good, bad), GOOD)
    monkeypatch.syspath_prepend(tmp_path / "in")
    monkeypatch.delitem(sys.modules, "wrong_plug", raising=False)
    site = tmp_path / "site.yaml"
    site.write_text(Path(SITE).read_text().replace("batch_system: torque", "batch_system: theirs"))
    (tmp_path / "profile.yaml").write_text(EXAMPLE)
    line = 1 + site.read_text()[: site.read_text().index("batch_system")].count("\n")
    for command in ("render", "check"):
        assert main([command, str(tmp_path / "profile.yaml"), "--site", str(site)]) == 3
        said = capfd.readouterr().err
        assert said.startswith(f"hpc-launch: {site}:{line}: batch_system: 'theirs' (wrong_plug:Torque) ")
        assert re.search(sentence, said) and "Traceback" not in said


def test_a_plug_in_may_lie_deep_and_in_a_package_without_a_file(
    torque: None, prepared: Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, module = "their_company.queues.deep:Deep", "their_company/queues/deep.py"
    plug_in(tmp_path / "installed", "deep", entry, module, f"{LOADS}Deep = X\n", GOOD)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    (tmp_path / "site.yaml").write_text(
        Path(SITE).read_text().replace("batch_system: torque", "batch_system: deep\nlaunchers: {node: ssh}")
    )
    assert "#PBS -l nodes=" in prepared(EXAMPLE, site="./site.yaml").rendered.files["job.sh"]


# What the page for its authors shows


def test_every_excerpt_of_the_page_is_in_the_plug_in() -> None:
    files = [
        file.read_text(encoding="utf-8") for file in sorted(PLUG_IN.rglob("*")) if file.suffix in (".py", ".j2", ".txt")
    ]
    excerpts = re.findall(r"^```(?:python|jinja|ini)\n(.*?)^```$", DOCUMENT, re.M | re.S)
    assert len(excerpts) >= 4
    for excerpt in excerpts:
        for part in re.split(r"^ *\.\.\.\n", excerpt, flags=re.M):
            assert any(part in text for text in files), part


def test_the_page_names_all_that_a_batch_system_must_have() -> None:
    from hpc_launch.render.templates import NEEDED, OF_ARRAYS

    needed = {*BatchSystem.__abstractmethods__, "name", "programs", "dialect"}
    needed |= {*(field.name for field in fields(Dialect)), *(field.name for field in fields(Launcher))}
    needed |= {*NEEDED["directives"], *NEEDED["launchers"], *OF_ARRAYS}
    assert {name for name in needed if f"`{name}`" not in DOCUMENT and f"`{name}(" not in DOCUMENT} == set()
