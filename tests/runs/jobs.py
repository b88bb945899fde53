"""Small jobs, submitted for real, and a batch system that says what a test wants to hear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from hpc_launch.batch.report import JobReport
from hpc_launch.batch.slurm.answers import FIELDS
from hpc_launch.context import Context
from hpc_launch.models.record import Record, RecordedJob, Request
from hpc_launch.prepare import Prepared, Rendered
from hpc_launch.runs.cancel import cancel
from hpc_launch.runs.settle import View
from hpc_launch.runs.status import bring_up_to_date
from hpc_launch.runs.submit import submit

Prepare = Callable[..., Prepared]
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)

BEGIN = r"""#!/bin/bash
mkdir -p state/1/fit state/1/unfit && echo 1 >state/attempt
event() { echo "$(date +%s) $*" >>state/1/events; }
finish() {
  echo "$1 $2 $3" >state/1/outcome.new && mv state/1/outcome.new state/1/outcome
  event ending
  kill $(jobs -p) 2>/dev/null
  event ended
  exit "$2"
}
event started "$(hostname)" $$
"""
"""What a job does first, told in state/ as the real ones do."""
ORDERLY = "trap 'finish cancelled 1 \"the job was told to end\"' TERM\n"
WORKLOAD = "event workload tcp://127.0.0.1:1\n"
FOREVER = "sleep 600 & wait\n"
SUCCEEDS = BEGIN + WORKLOAD + "echo computed >logs/workload.log\nfinish succeeded 0\n"
FAILS_WITH_7 = BEGIN + WORKLOAD + "finish failed 7\n"
RUNS = BEGIN + ORDERLY + WORKLOAD + FOREVER
STUBBORN = BEGIN + "trap '' TERM\n" + WORKLOAD + "sleep 600 & while :; do wait; done\n"
SILENT = "#!/bin/bash\nexit 0\n"


def rendered(prepared: Prepare, script: str, security: str = "none", site: str = "local") -> Rendered:
    """A real plan whose job is this script."""
    text = f"name: tiny\nworkers: {{count: 1, memory: 100 MB}}\nworkload: {{command: x}}\nsecurity: {security}\n"
    full = prepared(text, site=site).rendered
    return replace(full, files={**full.files, "job.sh": script})


def record(batch_system: str = "slurm", job_id: str | None = "36", **others: Any) -> Record:
    """The record of a run that was submitted just before NOW."""
    job = RecordedJob(
        name="job",
        role="all",
        group="workers",
        file="job.sh",
        job_name="tiny-abc123",
        command=("sbatch", "job.sh"),
        job_id=job_id,
        nodes=1,
        cores_per_node=1,
        memory_bytes_per_node=2**30,
    )
    full = Record(
        schema=1,
        id="tiny-20261122-120000-abc123",
        name="tiny",
        site="somewhere",
        batch_system=batch_system,
        layout="single-job",
        created=NOW,
        version="0.1.0",
        user="user",
        host="login",
        profile="/home/user/profile.yaml",
        plan=Request(workers_wanted=4, minimum=4, security="tls"),
        jobs=(job,),
        commands={},
    )
    return replace(full, **others)


def until(directory: Path, condition: Callable[[View], bool], seconds: float = 20.0) -> View:
    """Look at a run until it is as expected."""
    import time

    give_up = time.monotonic() + seconds
    while not condition(view := bring_up_to_date(directory)):
        assert time.monotonic() < give_up, f"it is still {view.standing}"
        time.sleep(0.05)
    return view


def said(report: JobReport) -> dict[str, JobReport]:
    """A batch system's words on the only job."""
    return {"job": report}


def batch_commands(directory: Path, **scripts: str) -> dict[str, list[str]]:
    """Commands that answer as these bash lines do: ``submit="echo 36"``. They run as the real ones do."""
    commands = {}
    for purpose in ("submit", "status", "cancel", "history"):
        file = directory / f"batch-{purpose}"
        file.write_text("#!/bin/bash\n" + scripts.get(purpose, ":") + "\n")
        file.chmod(0o755)
        commands[purpose] = [str(file)]
    return commands


NOT_QUEUED = r"""[[ "$*" =~ --jobs=[^,\ ]+(\ |$) ]] || exit 0
echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"""
"""Bash lines that do what squeue does when it knows no job (any more): only alone each is an error to it."""


def squeue_line(state: str, job_id: str = "36", reason: str = "None", exit_code: int = 0) -> str:
    """A bash line that prints what squeue prints of one job, or of a name when asked for that."""
    values = {"JobArrayID": job_id, "State": state, "exit_code": str(exit_code), "Reason": reason}
    line = "".join(values.get(field, "").ljust(width) for field, width in FIELDS.items())
    by_name = f'all="$*"; echo "{job_id} ${{all##*--name=}}" | cut -d" " -f1,2'
    return f'case "$*" in *--name=*) {by_name} ;; *) echo "{line}" ;; esac'


def on_slurm(prepared: Prepare, tmp_path: Path, **scripts: str) -> Rendered:
    """A job for a batch system that answers as these bash lines say."""
    commands = batch_commands(tmp_path, **scripts)
    return replace(rendered(prepared, SUCCEEDS, security="tls", site="testcluster"), commands=commands)


ARRAY = "name: tiny\nlayout: job-array\nworkers: {count: 3, per_node: 1, memory: 100 MB}\nworkload: {command: x}\n"
IDS = 'case "$*" in *workers*) echo 37 ;; *) echo 36 ;; esac'
QUEUED = squeue_line("PENDING", "36")
OVER = "mkdir -p state/1; echo 'succeeded 0 ' >state/1/outcome; printf '1 started c1\\n2 ended\\n' >state/1/events"
"""What the scheduler's job leaves behind, in bash."""


def arrays(prepared: Prepare, tmp_path: Path, **scripts: str) -> Rendered:
    """A scheduler's job and an array of three, for a Slurm that answers as these bash lines say."""
    logged = {"cancel": f'echo "$*" >>"{tmp_path}/cancelled"'}
    commands = batch_commands(tmp_path, **{"submit": IDS, "status": QUEUED, **logged, **scripts})
    return replace(prepared(ARRAY).rendered, commands=commands)


def cancelled(tmp_path: Path) -> list[str]:
    """The words of every call of the cancel command."""
    file = tmp_path / "cancelled"
    return file.read_text().splitlines() if file.exists() else []


def start(prepared: Prepare, context: Context, script: str) -> tuple[Path, str]:
    directory, record = submit(rendered(prepared, script), context)
    return directory, record.id


def finished(prepared: Prepare, context: Context, script: str) -> tuple[Path, str]:
    directory, run_id = start(prepared, context, script)
    until(directory, lambda view: view.final)
    return directory, run_id


def end(directory: Path) -> None:
    cancel(directory, lambda _: None)
