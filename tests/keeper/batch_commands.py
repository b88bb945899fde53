"""Slurm's commands with jobs that exist in a directory only. Run as `sbatch`, `squeue`, `scancel` or `sacct`.

`jobs/ID/name` holds a job's name, `jobs/ID/INDEX` (plain jobs: `-`) the state of each element that is not over. `said`
holds each call; `refuses` and `silent` are there when submissions are refused, or nothing is answered.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
WIDTHS = (24, 16, 12, 200, 120)
REASON = {"SUSPENDED": "None", "PENDING": "Priority"}


def value(option: str) -> str | None:
    return next((word.partition("=")[2] for word in sys.argv if word.startswith(f"{option}=")), None)


def jobs() -> list[Path]:
    return sorted((HERE / "jobs").iterdir(), key=lambda job: int(job.name))


def elements(job: Path) -> list[Path]:
    return [file for file in job.iterdir() if file.name != "name"]


def id_of(element: Path) -> str:
    job = element.parent.name
    return job if element.name == "-" else f"{job}_{element.name}"


def submit() -> None:
    if (HERE / "refuses").exists():
        sys.exit("sbatch: error: Batch job submission failed: Job violates accounting/QOS policy")
    number = 100 + len(jobs())
    job = HERE / "jobs" / f"{number}"
    aside = HERE / f"{number}.new"
    aside.mkdir()
    (aside / "name").write_text(str(value("--job-name")))
    span = value("--array")
    indices = range(int(span.partition("-")[2]) + 1) if span else ["-"]
    for index in indices:
        (aside / str(index)).write_text("PENDING")
    aside.rename(job)
    print(number)


def squeue() -> None:
    if (names := value("--format")) is not None:
        assert names == "%i %j"
        for job in jobs():
            if elements(job) and value("--name") in (None, (job / "name").read_text()):
                print(job.name, (job / "name").read_text())
        return
    asked = dict.fromkeys(str(value("--jobs")).split(","))
    found = False
    for job in jobs():
        for element in elements(job):
            if job.name in asked or id_of(element) in asked:
                found, state = True, element.read_text()
                cells = (id_of(element), state, "0", "", REASON.get(state, "None"))
                print("".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)))
    if not found and str(value("--jobs")).count(",") == 0:
        sys.exit("slurm_load_jobs error: Invalid job id specified")


def scancel() -> None:
    state = value("--state")
    if any(word.startswith("--signal") for word in sys.argv):
        return
    asked = [word for word in sys.argv[1:] if not word.startswith("-")]
    for job in jobs():
        for element in elements(job):
            if (job.name in asked or id_of(element) in asked) and state in (None, element.read_text()):
                element.unlink()


def main() -> None:
    command = os.path.basename(sys.argv[0])
    with open(HERE / "said", "a") as said:
        print(command, *sys.argv[1:], file=said)
    if (HERE / "silent").exists():
        sys.exit(f"{command}: error: Unable to contact slurm controller (connect failure)")
    if command == "sacct":
        sys.exit("Slurm accounting storage is disabled")
    {"sbatch": submit, "squeue": squeue, "scancel": scancel}[command]()


if __name__ == "__main__":
    main()
