"""Rendered files: golden ones that a person can read, and what hostile values become."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hpc_launch.batch import dialect_of
from hpc_launch.errors import DoesNotFit, InvalidConfiguration
from hpc_launch.prepare import Prepared
from tests.conftest import LEAST, ROOT
from tests.rendering import EXAMPLE, FULL, GOLDEN, SCRIPTS, shellcheck, write

Prepare = Callable[..., Prepared]


@pytest.mark.parametrize("site", ["local", "ceres", "testcluster", "pbscluster", "lsfcluster", "gridcluster"])
def test_the_example_is_rendered_as_in_the_golden_files(prepared: Prepare, tmp_path: Path, site: str) -> None:
    assignments = [] if site == "local" else ["workers.count=24"]
    files = prepared(EXAMPLE, *assignments, site=site).rendered.files
    for name in SCRIPTS:
        rendered = files[name].replace(str(tmp_path), "/home/user/monte-carlo-pi")
        assert rendered == (GOLDEN / site / name).read_text(encoding="utf-8"), f"{site}/{name}"


def test_a_profile_with_every_key_is_rendered_as_in_the_golden_files(prepared: Prepare) -> None:
    files = prepared(FULL, site="ceres").rendered.files
    for name in SCRIPTS:
        assert files[name] == (GOLDEN / "full" / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize(
    ("text", "site"),
    [
        (EXAMPLE, "local"),
        (EXAMPLE, "testcluster"),
        (EXAMPLE, "pbscluster"),
        (EXAMPLE, "lsfcluster"),
        (EXAMPLE, "gridcluster"),
        (FULL, "ceres"),
    ],
)
def test_rendered_scripts_are_clean_and_short(prepared: Prepare, tmp_path: Path, text: str, site: str) -> None:
    directory = write(prepared(text, site=site), tmp_path / "run")
    assert shellcheck(directory) == ""
    assert len((directory / "job.sh").read_text().splitlines()) <= 80


def test_the_same_input_gives_the_same_bytes(prepared: Prepare) -> None:
    assert dict(prepared(FULL, site="ceres").rendered.files) == dict(prepared(FULL, site="ceres").rendered.files)


HOSTILE = "a b'c\"d$(touch pwned)`touch pwned`;touch pwned;é\\"
IN_A_PATH = HOSTILE.replace("$", "").replace("`", "")
IN_A_VARIABLE = HOSTILE.replace("`", "")


def test_hostile_values_reach_the_workload_as_they_are(prepared: Prepare, tmp_path: Path) -> None:
    (tmp_path / IN_A_PATH).mkdir()
    profile = {
        "workers": {"count": 1, "memory": "1 GiB", "options": ["--preload", HOSTILE]},
        "environment": {"variables": {"HOSTILE": IN_A_VARIABLE.replace("$", "$$")}, "python": sys.executable},
        "workload": {"command": ["printf", "%s|", HOSTILE, "$HOME", "*"], "directory": IN_A_PATH},
    }
    directory = write(prepared(yaml.safe_dump(profile, allow_unicode=True), site="local"), tmp_path / "run")
    script = '. ./environment.sh; printf "%s|" "$HOSTILE"; bash ./workload.sh; pwd'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env={"HPC_LAUNCH_RUN_DIR": str(directory), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stdout == f"{IN_A_VARIABLE}|{HOSTILE}|$HOME|*|{directory}\n", done.stderr
    assert not list(tmp_path.rglob("pwned"))
    assert shellcheck(directory) == ""


def test_nothing_of_the_users_shell_text_stands_in_the_submitted_file(prepared: Prepare) -> None:
    marked = FULL.replace("ulimit", "#BSUB -q evil; ulimit").replace("main.py", "main.py '#$ -q evil'")
    assert "evil" not in prepared(marked, site="ceres").rendered.files["job.sh"]


@pytest.mark.parametrize(
    "assignment",
    [
        'queue="short\\n#SBATCH --uid=0"',
        'account="a b"',
        'name="x\\ty"',
        "reservation='$(id)'",
        'workers.interface="ib0;id"',
        'environment.modules=["a\\nb"]',
        'workload.directory="a\\u0000b"',
        'directives=["--licenses=a\\n#SBATCH --uid=0"]',
        "directives=[echo]",
        'directives=["-"]',
        'directives=["--"]',
        'directives=["- x"]',
    ],
)
def test_what_could_become_a_second_directive_is_refused(prepared: Prepare, assignment: str) -> None:
    with pytest.raises(InvalidConfiguration):
        prepared("workers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n", assignment)


@pytest.mark.parametrize("directive", ["--mem=5G", "-N 3", "-N3", "--time 5", "-t5"])
def test_a_directive_that_the_script_says_already_is_refused(prepared: Prepare, directive: str) -> None:
    text = f"directives: [--hint=nomultithread, {directive}]\n"
    text += "workers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n"
    with pytest.raises(InvalidConfiguration, match=r"profile.yaml:1: directives: .* already said") as refusal:
        prepared(text)
    assert refusal.value.exit_code == 3


def test_the_resolved_profile_is_a_profile_that_renders_the_same(prepared: Prepare, tmp_path: Path) -> None:
    first = prepared(FULL, site="ceres")
    again = prepared(first.rendered.files["resolved.yaml"], site="ceres")
    for name in SCRIPTS:
        assert again.rendered.files[name] == first.rendered.files[name]


def test_directives_that_a_site_rejects_are_left_out(prepared: Prepare, tmp_path: Path) -> None:
    site = (ROOT / "tests/site/testcluster.yaml").read_text() + "rejects: ['--mem']\n"
    (tmp_path / "site.yaml").write_text(site)
    job = prepared(EXAMPLE, site="./site.yaml").rendered.files["job.sh"]
    assert "--mem" not in job and "--nodes=1" in job


@pytest.mark.parametrize(
    ("directive", "said"),
    [
        ("--comment=x --mem=5G", "--mem is already said by the rendered script where workers.memory asks for it, in '"),
        ("--part=long", "--part is already said by the rendered script where queue asks for it, in '--part=long'\n"),
        ("--time-min=1", "--time-min is hpc-launch's own"),
        *(("-W", "-W is hpc-launch's own to say, or to leave unsaid\n"), ("-Mother", "-Mother is hpc-launch's own")),
    ],
)
def test_directives_in_disguise_are_refused_too(prepared: Prepare, directive: str, said: str) -> None:
    text = f"directives: ['{directive}']\nworkers: {{count: 1, memory: 1 GiB}}\nworkload: {{command: x}}\n"
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(text)
    assert str(refusal.value).startswith(f"profile.yaml:1: directives: {said}")


UNSAID = {
    "testcluster": "--dependency=after:1 --wait --export=ALL --array=0-3 -J%s --ntasks=3",
    "pbscluster": "-V -I -z -J%s -N%s",
    "gridcluster": "-hold_jid%s -sync%s -b%s -V -t%s",
    "lsfcluster": "-K -w%s -H -J%s -cwd%s",
}
"""What no script of these layouts says (``%s``: with a value), and what is on the submit command's line."""


@pytest.mark.parametrize(
    ("site", "directive"), [(site, each.replace("%s", " y")) for site, all_ in UNSAID.items() for each in all_.split()]
)
def test_what_no_script_says_is_not_called_said(prepared: Prepare, site: str, directive: str) -> None:
    option = re.split("[ =]", directive)[0]
    script = prepared(EXAMPLE, site=site).rendered.files["job.sh"]
    assert not re.search(rf"^#(SBATCH|PBS|\$|BSUB) {option}(?![\w-])", script, re.MULTILINE)
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(EXAMPLE, f"directives=['{directive}']", site=site)
    whole = f", in '{directive}'" if directive != option else ""
    assert f": directives: {option} is hpc-launch's own to say, or to leave unsaid{whole}\n" in str(refusal.value)
    assert "already said" not in str(refusal.value)


SET = [
    "account=a",
    "begin=2026-12-01T22:00",
    "mail.to=a@b.example",
    "mail.on=[begin, end, fail]",
    "reservation=r",
    "constraint=a=b",
]


@pytest.mark.parametrize(
    ("site", "line"),
    [
        ("testcluster", "#SBATCH --begin=2026-12-01T22:00"),
        ("pbscluster", "#PBS -a 202612012200"),
        ("lsfcluster", "#BSUB -b 2026:12:01:22:00"),
        ("gridcluster", "#$ -a 202612012200"),
    ],
)
def test_the_main_job_alone_says_when_a_run_may_begin(prepared: Prepare, site: str, line: str) -> None:
    begin = "begin=2026-12-01T22:00"
    for layout in ("single-job", "mpi"):
        assert (
            prepared(EXAMPLE, begin, f"layout={layout}", site=site).rendered.files["job.sh"].count(f"\n{line}\n") == 1
        )
    files = prepared(EXAMPLE, begin, "layout=job-array", site=site).rendered.files
    assert files["scheduler.sh"].count(f"\n{line}\n") == 1 and "12:01:22" not in files["workers.sh"]
    assert "20261201" not in files["workers.sh"] and "2026-12-01" not in files["workers.sh"]


@pytest.mark.parametrize("wrong", ["2026-12-01", "2026-12-01T22:00:00", "2026-12-01 22:00", "2026-02-30T08:00", "now"])
def test_a_time_that_is_none_is_refused_with_its_line(prepared: Prepare, wrong: str) -> None:
    with pytest.raises(InvalidConfiguration, match=r"^profile.yaml:2: begin: (expected a date|there is no such time)"):
        prepared(f"name: x\nbegin: {wrong}\nworkers: {{count: 1, memory: 1 GiB}}\nworkload: {{command: x}}\n")


@pytest.mark.parametrize("site", UNSAID)
def test_what_is_called_said_is_said_once_its_key_is_set(prepared: Prepare, site: str) -> None:
    batch = prepared(EXAMPLE, site=site).plan.batch_system
    said = {option for options in dialect_of(batch).said.values() for option in options}
    words = [word for word in SET if site != "gridcluster" or "constraint" not in word]
    qos = ["qos=q"] if site == "testcluster" else []
    script = prepared(EXAMPLE, *words, *qos, site=site).rendered.files["job.sh"]
    lines = [line.partition(" ")[2] for line in script.splitlines() if re.match(r"#(SBATCH|PBS|\$|BSUB) -", line)]
    written = {word for line in lines for word in (line.split("=")[0], line.split()[0].split("=")[0])}
    short = {"-r", "--requeue"}  # what says it is `-rn` or `--no-requeue` here
    by_long = {option for option in said if batch == "slurm" and not option.startswith("--")}
    assert said - short - by_long <= written | {"-q"}, "a reservation is PBS's queue"


def test_each_of_several_wrong_directives_is_named(prepared: Prepare) -> None:
    wrong = ["-l select=2", "-q short", "-l walltime=1:00", "-l software=a,mem=1gb"]
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(EXAMPLE, f"directives={wrong}", site="pbscluster")
    told = [problem.message.partition(", in ")[2] for problem in refusal.value.problems]
    assert told == [repr(each) for each in wrong]


def test_the_next_step_is_the_key_that_says_it(prepared: Prepare, tmp_path: Path) -> None:
    hints = {
        "-q": "set queue for it,",
        "-V": "set environment.variables for it,",
        "-r": "leave it out:",
        "-o": "leave ",
    }
    for option, hint in hints.items():
        with pytest.raises(InvalidConfiguration) as refusal:
            prepared(EXAMPLE, f"directives=[{option}]", site="pbscluster")
        assert refusal.value.problems[0].hint.startswith(hint)
    site = (ROOT / "tests/site/pbscluster.yaml").read_text() + "directives: [-q x]\n"
    (tmp_path / "site.yaml").write_text(site)
    with pytest.raises(InvalidConfiguration, match=r"leave it out: it comes from queue$"):
        prepared(EXAMPLE, site="./site.yaml")


def test_a_unit_of_memory_that_there_is_not_is_told_in_a_sentence(prepared: Prepare, tmp_path: Path) -> None:
    site = (ROOT / "tests/site/testcluster.yaml").read_text()
    (tmp_path / "site.yaml").write_text(re.sub(r"(?m)^memory:.*$", "memory: {unit: MB}", site))
    with pytest.raises(
        InvalidConfiguration, match="none, leave it out: a job's memory is asked for in a unit that slurm"
    ):
        prepared(EXAMPLE, site="./site.yaml")


@pytest.mark.parametrize("lines", ["directives: [--nodes=7]\n", "rejects: [--licenses]\n"])
def test_a_sites_own_rules_hold_for_directives_too(prepared: Prepare, tmp_path: Path, lines: str) -> None:
    site = (ROOT / "tests/site/testcluster.yaml").read_text() + lines
    (tmp_path / "site.yaml").write_text(site)
    text = "directives: [--licenses=a]\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n"
    with pytest.raises(InvalidConfiguration, match=r"already said|refuses --licenses"):
        prepared(text, site="./site.yaml")


NO_MEMORY = "rejects: ['--mem', '--gres', '--gpus-per-task']\n"


@pytest.mark.parametrize(
    ("directive", "rule"),
    [
        *(("--gres=gpu:1", "--gres"), ("--gre=gpu:1", "--gres"), ("--gpus-per-t=1", "--gpus-per-task")),
        *(("--licenses=a --gre gpu:1", "--gres"), ("--mem 5G", "--mem")),
    ],
)
def test_what_a_site_refuses_is_refused_however_it_is_written(
    prepared: Prepare, tmp_path: Path, directive: str, rule: str
) -> None:
    site = (ROOT / "tests/site/testcluster.yaml").read_text() + NO_MEMORY
    (tmp_path / "site.yaml").write_text(site)
    text = f"directives: ['{directive}']\nworkers: {{count: 1, memory: 1 GiB}}\nworkload: {{command: x}}\n"
    with pytest.raises(InvalidConfiguration) as refusal:
        prepared(text, site="./site.yaml")
    told = str(refusal.value).splitlines()
    assert told[0] == f"profile.yaml:1: directives: testcluster refuses {rule}, in '{directive}'"
    line = len(site.splitlines())
    assert told[-1].strip().startswith("leave it out: ") and told[-1].endswith(f"site.yaml:{line}")


REQUESTS = [
    ("totals", ["-l ncpus=16", "-l mem=5454mb", "-l ngpus=8", "-l cpu_type=milan"]),
    ("nodes", ["-l nodes=2:ppn=8", "-l mem=5454mb", "-l ngpus=8", "-l cpu_type=milan"]),
]


@pytest.mark.parametrize(("request_", "expected"), REQUESTS)
def test_pbs_without_chunks_is_asked_for_the_whole_job(
    prepared: Prepare, tmp_path: Path, request_: str, expected: list[str]
) -> None:
    text = (ROOT / "tests/site/pbscluster.yaml").read_text()
    text += f"request: {request_}\nrejects: [-l select]\nresources: {{gpus: 'ngpus={{total}}'}}\n"
    (tmp_path / "site.yaml").write_text(text)
    profile = "constraint: cpu_type=milan\nworkload: {command: x}\nscheduler: {memory: 300 MB}\n"
    profile += "workers: {count: 8, per_node: 4, threads: 2, memory: 64 MiB, gpus: 1}\n"
    files = prepared(profile, "workload.memory=2 GiB", site="./site.yaml").rendered.files
    lines = [line.removeprefix("#PBS ") for line in files["job.sh"].splitlines() if line.startswith("#PBS -l")]
    assert lines[:4] == expected
    assert not any("select" in line or "place" in line for line in lines)
    # one process on each host, though $PBS_NODEFILE has a line for each core
    assert 'pbsdsh -n "$(($(grep -nxF -m1 -- "${hosts[index]}" "$PBS_NODEFILE" | cut -d: -f1) - 1))"' in files["job.sh"]


@pytest.mark.parametrize(
    ("site", "lines", "problem"),
    [
        ("pbscluster", "request: pieces", "request: pbs knows no 'pieces'"),
        ("testcluster", "request: nodes", "request: slurm knows no 'nodes'"),
        ("lsfcluster", "directives: ['-nnodes {node}']", "directives[0]: '{node}' stands for nothing"),
    ],
)
def test_a_way_of_asking_that_there_is_not_is_refused(
    prepared: Prepare, tmp_path: Path, site: str, lines: str, problem: str
) -> None:
    (tmp_path / "site.yaml").write_text((ROOT / f"tests/site/{site}.yaml").read_text() + f"{lines}\n")
    with pytest.raises(InvalidConfiguration, match=re.escape(problem)):
        prepared(EXAMPLE, site="./site.yaml")


REPLACED = [
    ("testcluster", "[--cpus-per-task, --ntasks-per-node]", "--ntasks-per-node={cores}", "--ntasks-per-node=8"),
    ("lsfcluster", "[-n, -R]", "-nnodes {nodes}", "-nnodes 3"),
    ("pbscluster", "[-l select]", "-l select={nodes}:ncpus={cores}:mem={memory}mb", "-l select=3:ncpus=8:mem=5020mb"),
    ("gridcluster", "[-pe]", "-pe mpi-{cores} {nodes}", "-pe mpi-8 3"),
]


@pytest.mark.parametrize(("site", "rejects", "own", "expected"), REPLACED)
def test_a_sites_own_directive_with_the_plans_numbers_stands_in_place_of_ours(
    prepared: Prepare, tmp_path: Path, site: str, rejects: str, own: str, expected: str
) -> None:
    text = (ROOT / f"tests/site/{site}.yaml").read_text() + f"rejects: {rejects}\ndirectives: ['{own}']\n"
    (tmp_path / "site.yaml").write_text(text)
    files = prepared(EXAMPLE, "workers.count=22", site="./site.yaml").rendered.files
    lines = [line.partition(" ")[2] for line in files["job.sh"].splitlines() if line.startswith("#")]
    option = expected.replace("=", " ").split()[0]
    assert [line for line in lines if line.replace("=", " ").startswith(option)][-1] == expected
    assert "--cpus-per-task" not in files["job.sh"] or site != "testcluster"


def test_a_machine_with_a_launch_node_starts_its_nodes_by_jsrun(prepared: Prepare, tmp_path: Path) -> None:
    """Its list of hosts begins with the launch node, where the script runs."""
    files = prepared(EXAMPLE, "workers.count=84", "account=proj01", site="summit").rendered.files
    assert 'jsrun -n 2 -r 1 -a 1 -c ALL_CPUS bash "$HPC_LAUNCH_RUN_DIR/node.sh"' in files["job.sh"]
    assert "hosts, 2 are needed" not in files["job.sh"]
    assert "HPC_LAUNCH_NODE=${PMIX_RANK:-${JSM_NAMESPACE_RANK:?}}" in files["node.sh"]


def test_what_a_site_rejects_the_mpi_launcher_does_not_say_either(prepared: Prepare, tmp_path: Path) -> None:
    text = (ROOT / "tests/site/testcluster.yaml").read_text() + "rejects: [--cpus-per-task]\n"
    (tmp_path / "site.yaml").write_text(text)
    for layout in ("single-job", "mpi"):
        job = prepared(EXAMPLE, f"layout={layout}", site="./site.yaml").rendered.files["job.sh"]
        assert "srun --overlap" in job and "--cpus-per-task" not in job


def test_slurm_is_asked_for_memory_of_each_gpu(prepared: Prepare, tmp_path: Path) -> None:
    text = re.sub(
        r"(?m)^memory:.*$", "memory: {directive: per-gpu}", (ROOT / "tests/site/testcluster.yaml").read_text()
    )
    (tmp_path / "site.yaml").write_text(text + "resources: {gpus: '--gres=gpu:{n}'}\n")
    profile = "workers: {count: 3, per_node: 3, memory: 1 GiB, gpus: GPUS}\nworkload: {command: x, memory: 1 GiB}\n"
    job = prepared(profile.replace("GPUS", "1"), site="./site.yaml").rendered.files["job.sh"]
    mebibytes = prepared(profile.replace("GPUS", "1"), site="./site.yaml").plan.jobs[0].memory_bytes_per_node // 2**20
    assert f"#SBATCH --mem-per-gpu={-(-mebibytes // 3)}M" in job and "#SBATCH --mem=" not in job
    job = prepared(profile.replace("GPUS", "0"), site="./site.yaml").rendered.files["job.sh"]
    assert f"#SBATCH --mem={mebibytes}M" in job and "per-gpu" not in job


GPU_WORDS = [
    ("testcluster", "--gres=gpu:{n}", "--gres=gpu:1"),
    ("testcluster", "--gres=gpu:{n}", "--gres=nvme:1,gpu:a100:1"),
    ("testcluster", "--gres=gpu:{n}", "--gre=nvme:1"),
    ("testcluster", "--gres=gpu:{n}", "--exclusive --gres=nvme:1"),
    ("testcluster", "--gres=gpu:{n}", "--gpus=4"),
    ("testcluster", "--gres=gpu:{n}", "-G4"),
    ("testcluster", "--gpus-per-node={n}", "--gres=gpu:2"),
    ("testcluster", "--gpus-per-node={n}", "--tres-per-task=gres/gpu:1"),
    ("pbscluster", "ngpus={n}", "-l ngpus=2"),
    ("pbscluster", "ngpus={n}", "-l software=a,gpus=2"),
    ("lsfcluster", "-gpu num={n}", "-gpu num=1"),
    ("gridcluster", "-l gpu={n}", "-l gpu=1"),
    ("gridcluster", "-l gpus={n}", "-l arch=x,gpus=1"),
]


@pytest.mark.parametrize(("site", "words", "directive"), GPU_WORDS)
@pytest.mark.parametrize("by_site", [False, True])
def test_gpus_are_asked_for_once(
    prepared: Prepare, tmp_path: Path, site: str, words: str, directive: str, by_site: bool
) -> None:
    text = (ROOT / f"tests/site/{site}.yaml").read_text() + f"resources: {{gpus: '{words}'}}\n"
    own = f"directives: ['{directive}']\n"
    (tmp_path / "site.yaml").write_text(text + (own if by_site else ""))
    profile = f"{'' if by_site else own}workers: {{count: 2, memory: 1 GiB, gpus: GPUS}}\nworkload: {{command: x}}\n"
    with pytest.raises(InvalidConfiguration, match=r"yaml:\d+: directives: -\S+ is said for workers.gpus"):
        prepared(profile.replace("GPUS", "1"), site="./site.yaml")
    assert directive in prepared(profile.replace("GPUS", "0"), site="./site.yaml").rendered.files["job.sh"]


def test_of_slurm_other_generic_resources_are_asked_for_with_the_gpus(prepared: Prepare, tmp_path: Path) -> None:
    """Of two --gres it takes the last alone: no GPU would come."""
    text = (ROOT / "tests/site/testcluster.yaml").read_text()
    (tmp_path / "site.yaml").write_text(text + "resources: {gpus: '--gres=gpu:{n}'}\ndirectives: [--gres=bb:1]\n")
    profile = "directives: [--gres=nvme:2, --exclusive]\nworkers: {count: 1, gpus: 1}\nworkload: {command: x}\n"
    lines = prepared(profile, site="./site.yaml").rendered.files["job.sh"].splitlines()
    assert [line for line in lines if "--gres" in line] == ["#SBATCH --gres=gpu:1,bb:1,nvme:2"]
    assert "#SBATCH --exclusive" in lines


@pytest.mark.parametrize("directive", ["--gpus=2", "--gres-flags=enforce-binding", "--mem-bind=local"])
def test_an_option_that_only_begins_like_one_that_is_refused_is_not(
    prepared: Prepare, tmp_path: Path, directive: str
) -> None:
    (tmp_path / "site.yaml").write_text((ROOT / "tests/site/testcluster.yaml").read_text() + NO_MEMORY)
    text = f"directives: ['{directive}']\nworkers: {{count: 1, memory: 1 GiB}}\nworkload: {{command: x}}\n"
    assert f"#SBATCH {directive}\n" in prepared(text, site="./site.yaml").rendered.files["job.sh"]


@pytest.mark.parametrize(
    ("rule", "directive"), [("-l software", "-l software=a,color=1"), ("-l", "-lsoftware=a"), ("-W", "-W umask=77")]
)
def test_what_a_site_with_short_options_refuses(prepared: Prepare, tmp_path: Path, rule: str, directive: str) -> None:
    site = (ROOT / "tests/site/pbscluster.yaml").read_text() + f"rejects: ['{rule}']\n"
    (tmp_path / "site.yaml").write_text(site)
    with pytest.raises(InvalidConfiguration, match=rf"pbscluster refuses {rule}, in '{directive}'\n"):
        prepared(EXAMPLE, f"directives=['{directive}']", site="./site.yaml")


CHUNK = "-l select=1:ncpus=2:mpiprocs=1:ompthreads=1:"


@pytest.mark.parametrize(
    "constraint",
    [
        "x+5:ncpus=128:mem=900gb",
        "x=1+5:ncpus=128",
        "x=1:mem=900gb",
        "ncpus=128",
        "NCPUS=128",
        "x=1:Mem=900gb",
        "mpiprocs=8",
        "ompthreads=8",
        "x=1,walltime=999:00:00",
        "x=1,y",
        "x=1:2:y=1",
        "x=1:",
        ":x=1",
        "x",
        "x=",
        "a&b|c",
        "[x*2]",
        "x=1=2",
    ],
)
def test_of_pbs_a_constraint_cannot_ask_for_more_than_the_workers_do(prepared: Prepare, constraint: str) -> None:
    text = f"constraint: '{constraint}'\nworkers: {{count: 2, memory: 1 GiB}}\nworkload: {{command: x}}\n"
    with pytest.raises(
        InvalidConfiguration, match=r"(?s)profile.yaml:1: constraint: pbs does not take '.*\n.*NAME=VALUE"
    ):
        prepared(text, site="pbscluster")


def test_of_lsf_a_constraint_cannot_end_its_select(prepared: Prepare) -> None:
    text = "workers: {count: 2, memory: 1 GiB}\nworkload: {command: x}\n"
    with pytest.raises(InvalidConfiguration, match=r"(?s)lsf does not take '.*\n.*select expression without"):
        prepared(text, "constraint=x]rusage[mem=1]order[y", site="lsfcluster")
    job = prepared(text, "constraint=(x86|arm)&mem>9000", site="lsfcluster").rendered.files["job.sh"]
    assert '#BSUB -R "select[(x86|arm)&mem>9000] span[' in job


@pytest.mark.parametrize(
    "constraint", ["cpu_type=milan", "cpu_type=milan:bigmem=True", "memory_type=hbm", "host=n-01.a"]
)
def test_resources_of_a_chunk_are_a_constraint_of_pbs(prepared: Prepare, constraint: str) -> None:
    text = f"constraint: '{constraint}'\nworkers: {{count: 2, memory: 1 GiB}}\nworkload: {{command: x}}\n"
    [line] = [
        line for line in prepared(text, site="pbscluster").rendered.files["job.sh"].splitlines() if "select" in line
    ]
    assert line.startswith(f"#PBS {CHUNK}mem=") and line.endswith(f"mb:{constraint}") and line.count("=") < 8


@pytest.mark.parametrize("constraint", ["a&b|c", "[x*2]", "[rack1|rack2]", "(a|b)&!c", "x"])
def test_of_slurm_every_constraint_stays_as_it_is(prepared: Prepare, constraint: str) -> None:
    job = prepared(EXAMPLE, f"constraint='{constraint}'", site="testcluster").rendered.files["job.sh"]
    assert f"#SBATCH --constraint={constraint}\n" in job


def test_paths_of_a_profile_are_relative_to_it(prepared: Prepare, tmp_path: Path) -> None:
    text = "environment: {venv: .venv}\nworkers: {count: 1, memory: 1 GiB}\nworkload: {command: x}\n"
    assert f". {tmp_path}/.venv/bin/activate" in prepared(text).rendered.files["environment.sh"]
    for wrong in (
        "workers.local_directory=scratch",
        "workload.directory=~root/x",
        "environment.variables={HPC_LAUNCH_X: 1}",
    ):
        with pytest.raises(InvalidConfiguration):
            prepared(text, wrong)


def test_render_writes_only_where_nothing_else_is(prepared: Prepare, tmp_path: Path) -> None:
    made = prepared()
    assert made is not None
    command = [sys.executable, "-m", "hpc_launch", "render", "profile.yaml", "--site", "local", "--output"]
    for directory, code in ((".", 2), ("new", 0), ("new", 0)):
        done = subprocess.run([*command, directory], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
    (tmp_path / "new" / "run.json").write_text("{}")
    assert subprocess.run([*command, "new"], cwd=tmp_path, capture_output=True, timeout=60).returncode == 2


RULES = [
    (["walltime=1-02:03:04"], "-l walltime=26:03:04", "-W 26:04"),  # no days; minutes, rounded up
    (["constraint=cpu_type=milan"], "ompthreads=1:mem=5020mb:cpu_type=milan", '-R "select[cpu_type=milan] span['),
    (["reservation=R12"], "-q R12", "-U R12"),
    (["mail.to=me@example.org"], "-m ea", "-N"),
    (["mail.to=me@example.org", "mail.on=[begin]"], "-m b", "-B"),
    (["directives=[-l job_priority=premium]"], "-l job_priority=premium", None),
]


@pytest.mark.parametrize(("assignments", "pbs", "lsf"), RULES)
def test_what_a_profile_says_becomes_a_directive_of_pbs_and_of_lsf(
    prepared: Prepare, assignments: list[str], pbs: str, lsf: str | None
) -> None:
    for site, mark, expected in (("pbscluster", "#PBS", pbs), ("lsfcluster", "#BSUB", lsf)):
        if expected is not None:
            job = prepared(EXAMPLE, "workers.count=24", *assignments, site=site).rendered.files["job.sh"]
            lines = [line for line in job.splitlines() if line.startswith(mark)]
            assert any(expected in line for line in lines), lines
            assert sum("-R" in line for line in lines) <= 1  # OpenLava takes no second one
            assert not any("#" in line[1:] for line in lines)  # PBS takes no comment behind a directive


def test_what_a_batch_system_has_no_word_for_is_told(prepared: Prepare) -> None:
    for site in ("pbscluster", "lsfcluster"):
        notes = prepared(EXAMPLE, "qos=high", site=site).planned.notes
        assert notes == (f"--set qos=high: qos is not used: {site[:3]} has no such thing",)


@pytest.mark.parametrize(
    "directive",
    [
        "-l select=2",
        "-lwalltime=1:00",
        "-l software=a,walltime=9:00",
        "-l place=pack",
        "-l software=a -l walltime=9:00",
        '-l "walltime=9:00"',
    ],
)
def test_of_an_option_for_many_things_only_what_is_ours_is_refused(prepared: Prepare, directive: str) -> None:
    with pytest.raises(InvalidConfiguration, match="already said"):
        prepared(EXAMPLE, f"directives=['{directive}']", site="pbscluster")


def test_a_large_unit_of_memory_never_asks_for_more_than_a_node_has(prepared: Prepare, tmp_path: Path) -> None:
    site = (ROOT / "tests/site/lsfcluster.yaml").read_text() + "memory: {unit: GB}\n"
    (tmp_path / "site.yaml").write_text(site)  # a node has 16000 MiB, which is no whole number of GiB
    text = "workers: {count: 8}\nworkload: {command: x}\n"
    made = prepared(text, site="./site.yaml")
    assert made.plan.jobs[0].memory_bytes_per_node == 15 * 2**30
    assert "rusage[mem=15]" in made.rendered.files["job.sh"]
    with pytest.raises(DoesNotFit):
        prepared(text, "workers.memory=1.31 GiB", "workers.per_node=8", site="./site.yaml")


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ("{}", "rusage[mem=5020MB]"),
        ("{unit: MB}", "rusage[mem=5020]"),  # OpenLava and older LSF take no unit
        ("{unit: GB}", "rusage[mem=5]"),
        ("{unit: KB}", "rusage[mem=5140480]"),
        ("{directive: per-slot}", "rusage[mem=628MB]"),
        ("{directive: omit}", 'span[ptile=8]"'),
    ],
)
def test_lsf_is_asked_for_memory_in_the_sites_unit(
    prepared: Prepare, tmp_path: Path, memory: str, expected: str
) -> None:
    site = (ROOT / "tests/site/lsfcluster.yaml").read_text() + f"memory: {memory}\n"
    (tmp_path / "site.yaml").write_text(site)
    assert expected in prepared(EXAMPLE, "workers.count=24", site="./site.yaml").rendered.files["job.sh"]


def test_scripts_say_only_what_every_lsf_takes_unless_the_site_says_more(prepared: Prepare, tmp_path: Path) -> None:
    site = (ROOT / "tests/site/lsfcluster.yaml").read_text()
    for takes, memory, no_rerun in (
        ("[]", "mem=5020]", False),
        ("[units]", "mem=5020MB]", False),
        ("[-rn]", "mem=5020]", True),
    ):
        (tmp_path / "site.yaml").write_text(site.replace("takes: [-rn, units]", f"takes: {takes}"))
        job = prepared(EXAMPLE, "workers.count=24", site="./site.yaml").rendered.files["job.sh"]
        assert memory in job and ("#BSUB -rn" in job) is no_rerun
    (tmp_path / "site.yaml").write_text(site.replace("takes: [-rn, units]", "takes: [-r]"))
    with pytest.raises(InvalidConfiguration, match=r"takes\[0\]: '-r' is nothing that only some lsf take"):
        prepared(EXAMPLE, site="./site.yaml")


def test_a_unit_of_memory_that_the_batch_system_does_not_know_is_refused(prepared: Prepare, tmp_path: Path) -> None:
    for name in ("lsfcluster", "testcluster"):
        site = (ROOT / f"tests/site/{name}.yaml").read_text()
        site = site.replace("memory: {directive: per-node, headroom: 5%}", "") + "memory: {unit: furlong}\n"
        (tmp_path / "site.yaml").write_text(site)
        with pytest.raises(InvalidConfiguration, match=r"memory\.unit: 'furlong'"):
            prepared(EXAMPLE, site="./site.yaml")


def test_no_other_file_holds_a_directive(prepared: Prepare) -> None:
    for site in ("pbscluster", "lsfcluster"):
        files = prepared(EXAMPLE, site=site).rendered.files
        assert [name for name, text in files.items() if "#BSUB" in text or "#PBS" in text] == ["job.sh"]


@pytest.mark.parametrize("site", ["pbscluster", "lsfcluster"])
def test_ssh_can_start_the_nodes_of_every_batch_system(prepared: Prepare, tmp_path: Path, site: str) -> None:
    text = (ROOT / f"tests/site/{site}.yaml").read_text() + "launchers: {node: ssh}\n"
    (tmp_path / "site.yaml").write_text(text)
    directory = write(prepared(EXAMPLE, "workers.count=24", site="./site.yaml"), tmp_path / "run")
    assert shellcheck(directory) == ""


@pytest.mark.parametrize("launcher", ["ssh", "blaunch"])
def test_a_node_that_failed_is_the_failure_of_a_launcher_that_is_called_for_each(
    prepared: Prepare, tmp_path: Path, launcher: str
) -> None:
    """Workers that all end with 0 were sent home by the workload; with anything else, the run has lost them."""
    text = (ROOT / "tests/site/lsfcluster.yaml").read_text() + f"launchers: {{node: {launcher}}}\n"
    (tmp_path / "site.yaml").write_text(text)
    files = prepared(EXAMPLE, "workers.count=24", site="./site.yaml").rendered.files
    start = files["job.sh"].partition("scheduler=$!\n")[2].partition("workers=$!\n")[0]
    assert start
    (tmp_path / "jobside").mkdir()
    for name in ("jobside/watch.sh", "jobside/hosts.sh"):
        (tmp_path / name).write_text(files[name])
    alive = re.search(r"^alive\(\) .*$", files["jobside/attempt.sh"], re.M)
    assert alive
    stand_in = f"{launcher}() {{ [[ $* != *1 ]]; }}"  # the node of index 1
    for fate, expected in ((stand_in, 1), (f"{launcher}() {{ :; }}", 0)):
        state = f"state=$(mktemp -d -p {tmp_path})\nmkdir $state/unfit\nsee() {{ :; }}\n{alive[0]}\n. jobside/watch.sh"
        script = f"{state}\nhosts=(a b c)\nbash() {{ :; }}\n{fate}\n{start}wait $!"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={"HPC_LAUNCH_RUN_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert (done.returncode, done.stderr) == (expected, "")


@pytest.mark.parametrize("layout", ["single-job", "job-array", "mpi"])
@pytest.mark.parametrize(("security", "lines"), [("tls", 1), ("none", 0)])
def test_an_address_without_a_scheme_means_the_runs_own_way_to_speak(
    prepared: Prepare, layout: str, security: str, lines: int
) -> None:
    files = prepared(LEAST, f"layout={layout}", f"security={security}").rendered.files
    assert files["environment.sh"].count("export DASK_DISTRIBUTED__COMM__DEFAULT_SCHEME=tls") == lines


def test_modules_that_workers_share_are_named_where_they_are_started(prepared: Prepare) -> None:
    scripts = prepared(LEAST, "workers.imports=[xarray, scipy.signal]", site="testcluster").rendered.files
    assert "export HPC_LAUNCH_IMPORTS='xarray scipy.signal' #" in scripts["node.sh"]


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (("workers.imports=[torch.nn]",), "may take hold of a GPU"),
        (("workers.imports=['os; rm']",), "the name of a Python module"),
        (("workers.imports=[xarray]", "layout=mpi"), "workers.imports: each MPI rank imports for itself"),
    ],
)
def test_what_workers_cannot_share_is_refused(prepared: Prepare, assignments: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidConfiguration, match=said):
        prepared(LEAST, *assignments, site="testcluster")
