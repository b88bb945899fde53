"""Run directories on a file system that is full, or becomes so: small ones in memory, where one may mount them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.runs import Here, Run, until

Mount = Callable[[str], Path]
FILL = 'dd if=/dev/zero of="$HPC_LAUNCH_RUN_DIR/big" bs=64k 2>/dev/null; '


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Mount]:
    """A directory with a file system of its own, made with these options."""
    place = tmp_path / "small"
    place.mkdir(mode=0o700)

    def mount(options: str) -> Path:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "none", place], capture_output=True)
        if done.returncode:
            pytest.skip("this machine does not let us mount")
        return place

    yield mount
    subprocess.run(["umount", "--lazy", place], capture_output=True)


def test_a_disk_that_fills_up_meanwhile_does_not_change_how_the_run_ended(here: Here, mounted: Mount) -> None:
    done = here.command("submit", here.profile(FILL + "exit 7"), "--run-dir", str(mounted("size=4m")))
    assert done.returncode == 0, done.stderr
    status = Run(here, done.stdout.strip()).ended_as("failed", 7)
    assert status["reason"].endswith("No space left on device")


@pytest.mark.parametrize(("options", "said"), [("size=300k", "no space left: "), ("nr_inodes=40", "no inodes left: ")])
def test_without_room_for_a_run_nothing_is_submitted(here: Here, mounted: Mount, options: str, said: str) -> None:
    place = mounted(options)
    done = here.command("submit", here.profile(["true"]), "--run-dir", str(place))
    assert done.returncode == 2 and said in done.stderr and "--run-dir DIR" in done.stderr
    assert "Traceback" not in done.stderr and list(place.iterdir()) == []
    assert json.loads(here.command("list", "--json").stdout)["runs"] == []


def test_a_disk_that_is_full_when_the_job_begins_is_told(here: Here, mounted: Mount) -> None:
    place = mounted("size=4m")
    shell = here.project / "shell"
    shell.write_text(f'#!/bin/bash\ndd if=/dev/zero of={place}/big bs=64k 2>/dev/null\nexec bash "$@"\n')
    shell.chmod(0o755)
    site = f"name: full\nbatch_system: local\ncommands: {{submit: [{shell}]}}\nqueues: {{all: {{}}}}\n"
    (here.project / "full.yaml").write_text(site + "defaults: {walltime: 01:00:00}\n")
    done = here.command("submit", here.profile(["true"], site="./full.yaml"), "--run-dir", str(place))
    assert done.returncode == 0, done.stderr
    run = Run(here, done.stdout.strip())
    status = until(lambda: (s := run.status())["outcome"] and s, "the job to end")
    assert status["outcome"] == "lost" and "no space is left in the run directory" in status["reason"]
    assert ("logs/job.log" in status["reason"]) == bool((place / "logs/job.log").stat().st_size)
