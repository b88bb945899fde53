"""What the keeper types on batch systems of which there is no real one here: single elements are plain jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch.keeper.actions import CallOff, Decision, Submit
from hpc_launch.keeper.elements import elements
from hpc_launch.keeper.loop import Keeper
from hpc_launch.keeper.memory import Memory
from tests.batch.recording import Program, recorded
from tests.keeper.world import GROUP, NAME, World

ARRAY, PLAIN = Submit("workers", size=3, workers=3), Submit("workers", size=1, workers=1)
TYPED = {
    "pbs": [
        f"qsub -N {NAME}-workers -J 0-2 -r y -o logs/workers-job-^array_index^.log workers.sh",
        f"qsub -N {NAME}-workers-2 -o logs/workers-2-job.log workers.sh",
        "qdel 7[2].pbshost 1.pbshost",
    ],
    "lsf": [
        f"bsub -J {NAME}-workers[1-3] -o logs/workers-job-%I.log",
        f"bsub -J {NAME}-workers-2 -o logs/workers-2-job.log",
        "bkill 2[3] 1",
    ],
}
PROGRAMS = {"pbs": ("qsub", "qdel"), "lsf": ("bsub", "bkill")}


@pytest.mark.parametrize("system", TYPED)
def test_arrays_and_single_elements_are_submitted_and_called_off(tmp_path: Path, program: Program, system: str) -> None:
    submit, cancel = PROGRAMS[system]
    said = tmp_path / "said"
    for name in ("accepted-array", "accepted"):
        (tmp_path / name).write_text(recorded(f"{system}/{submit}-{name}").stdout)
    answer = f'case $* in *-J\\ 0-2*|*"[1-3]"*) cat {tmp_path}/accepted-array ;; *) cat {tmp_path}/accepted ;; esac'
    program(submit, f'echo "{submit} $*" >>{said}; {answer}')
    program(cancel, f'echo "{cancel} $*" >>{said}')
    world = World(tmp_path)
    (world.directory / "workers.sh").touch()
    world.write("pool/groups.json", run=NAME, batch_system=system, groups={"workers": GROUP})
    keeper = world.keeper()
    keeper.watch.read()
    for action in (ARRAY, PLAIN, CallOff(frozenset({2, 3}))):
        keeper.hands.carry_out(decided(keeper, action))
    assert said.read_text().splitlines() == TYPED[system]


def decided(keeper: Keeper, action: Submit | CallOff) -> Decision:
    look = keeper.watch.look({})
    return Decision((action,), Memory(), elements(keeper.run, look), {}, changing=False)
