"""Commands that are not on this host, or that know of no machine here: nothing was asked, and that is told as that."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch.batch import get
from hpc_launch.batch.faults import NoAnswer, NotConfigured
from hpc_launch.batch.report import JobStatus
from tests.batch.recording import Program, Replay

RECORDED = {
    "sbatch-unconfigured": "slurm",
    "sbatch-unconfigured-empty": "slurm",
    "sge/qsub-unconfigured": "sge",
    "sge/qsub-unconfigured-cell": "sge",
    "sge/qsub-unconfigured-root": "sge",
}
IN_THEIR_SOURCE = {
    "pbs": ("qsub", "pbsconf error: pbs conf variables not found: PBS_HOME PBS_EXEC PBS_SERVER"),
    "lsf": ("bsub", "Failed in an LSF library call: Unable to open file lsf.conf. Job not submitted."),
}
"""What the programs say; of LSF its descendants of which the source is public."""
ONLY_AWAY = (
    "sbatch: error: fetch_config: Unable to contact slurm controller (connect failure)\\n"
    "sbatch: fatal: Could not establish a configuration source",
    "sbatch: error: resolve_ctls_from_dns_srv: res_nsearch error: Host name lookup failure\\n"
    "sbatch: fatal: Could not establish a configuration source",
    "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
)


@pytest.mark.parametrize("recording", RECORDED)
def test_what_has_no_configuration_here_submits_nothing(replay: Replay, tmp_path: Path, recording: str) -> None:
    replay(recording)
    (tmp_path / "job.sh").touch()
    with pytest.raises(NotConfigured, match="no configuration on this host") as told:
        get(RECORDED[recording]).submit(tmp_path, "job.sh", "pi-a1b2c3")
    assert told.value.exit_code == 6


@pytest.mark.parametrize("name", IN_THEIR_SOURCE)
def test_so_does_one_that_says_it_in_its_own_words(program: Program, tmp_path: Path, name: str) -> None:
    command, words = IN_THEIR_SOURCE[name]
    program(command, f"echo '{words}' >&2; exit 1")
    (tmp_path / "job.sh").touch()
    with pytest.raises(NotConfigured):
        get(name).submit(tmp_path, "job.sh", "pi-a1b2c3")


@pytest.mark.parametrize("words", ONLY_AWAY)
def test_a_controller_that_is_away_is_no_lack_of_configuration(program: Program, tmp_path: Path, words: str) -> None:
    program("sbatch", f"printf '{words}\\n' >&2; exit 1")
    with pytest.raises(NoAnswer) as told:
        get("slurm").submit(tmp_path, "job.sh", "pi-a1b2c3")
    assert (type(told.value), told.value.exit_code) == (NoAnswer, 5)


@pytest.mark.parametrize(
    ("recording", "name", "job"), [("squeue-unconfigured", "slurm", "36"), ("sge/qstat-unconfigured", "sge", "2")]
)
def test_how_a_job_stands_is_unknown_then(replay: Replay, recording: str, name: str, job: str) -> None:
    replay(recording)
    report = get(name).states([job])[job]
    assert report.status is JobStatus.UNKNOWN and "no configuration on this host" in report.raw
