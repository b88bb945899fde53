"""What the keeper writes and asks for, with a batch system in a directory."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hpc_launch.keeper.hands import Over
from hpc_launch.keeper.lease import Lost
from hpc_launch.keeper.leftover import call_off_all
from hpc_launch.keeper.loop import Keeper
from tests.keeper.world import GROUP, NAME, QUICK, World


def settle(world: World, keeper: Keeper, *running: int) -> None:
    """Until these elements run, and nothing changes any more."""

    def step() -> None:
        keeper.turn()
        world.go_on()

    world.until(lambda: not keeper.changing and world.running() == set(running), step)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_submission_is_written_down_with_its_number_size_and_id(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=3)
    keeper.turn()
    world.wish(workers=4)
    time.sleep(QUICK.submit)
    keeper.turn()
    first, second = world.submissions()
    assert (first["first"], first["size"], first["workers"], first["array"], first["job_id"]) == (0, 3, 3, 3, "100")
    assert (second["first"], second["size"], second["array"], second["by"]) == (3, 1, None, "keeper")
    assert [each["job_name"] for each in (first, second)] == [f"{NAME}-workers", f"{NAME}-workers-2"]
    assert world.jobs() == {"100": f"{NAME}-workers", "101": f"{NAME}-workers-2"}
    array, plain = (call.split() for call in world.said("sbatch"))
    assert "--array=0-2" in array and array[-1] == "workers.sh" and not any("--array" in word for word in plain)
    assert any(word.endswith("logs/workers-2-job.log") for word in plain)


def test_the_jobs_of_a_submission_read_its_keys_line_by_line(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=3)
    keeper.turn()
    lines = [line.split() for line in (world.directory / "pool" / "1.json").read_text().splitlines()]
    for key, value in {"first": 0, "array": 3, "workers": 3, "per_node": 1}.items():
        assert [f'"{key}":', f"{value},"] in lines


def left_by_submit(world: World, age: float) -> None:
    """A submission that was written down so long ago, and of which no answer was kept."""
    group = {**GROUP, "count": 2}
    world.write("pool/groups.json", **{**world.read("pool/groups.json"), "groups": {"workers": group}})
    keys = {"number": 1, "group": "workers", "first": 0, "size": 2, "array": 2, "per_node": 1, "workers": 2}
    world.write("pool/1.json", **keys, job_name=f"{NAME}-workers", by="submit", job_id=None, refused=None)
    written = time.time() - age
    os.utime(world.directory / "pool" / "1.json", (written, written))


def test_what_a_submit_that_was_killed_never_made_is_made(world: World) -> None:
    left_by_submit(world, age=60)
    settle(world, world.keeper(), 2, 3)
    never, made = world.submissions()
    assert "there is no job of this name" in never["refused"] and never["job_id"] is None
    assert (made["first"], made["size"], made["by"], made["job_id"]) == (2, 2, "keeper", "100")


def test_what_a_submit_may_yet_make_is_not_made_twice(world: World) -> None:
    left_by_submit(world, age=0)
    keeper = world.keeper(replace(QUICK, find=60))
    for _ in range(5):
        keeper.turn()
        time.sleep(QUICK.ask)
    assert len(world.submissions()) == 1 and world.jobs() == {}


def test_an_element_that_ends_before_a_worker_came_is_seen_also_when_nothing_else_changes(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=1)
    keeper.turn()
    world.start(0)
    world.tell(connected=set())
    world.until(lambda: not keeper.changing and keeper.starting, keeper.turn)
    world.end(0)
    world.until(lambda: keeper.memory.of("workers").failed == 1, keeper.turn)


def test_how_the_groups_stand_is_told_to_everybody(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=3)
    keeper.turn()
    world.start(0)
    world.start(1)
    world.tell({0})
    keeper.turn()
    status = world.read("pool/status.json")
    group = status["groups"]["workers"]
    assert (status["serial"], status["keeper"]) == (1, keeper.lease.owner)
    assert (group["target"], group["connected"], group["starting"], group["queued"]) == (3, 1, 1, 1)
    assert (group["mode"], group["paused"], group["ended"], group["draining"]) == ("fixed", None, 0, 0)


def test_nothing_is_written_or_asked_while_nothing_changes(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=2)
    settle(world, keeper, 0, 1)
    said, status = world.said("squeue"), (world.directory / "pool" / "status.json").stat()
    for _ in range(5):
        time.sleep(QUICK.ask)
        keeper.turn()
    assert world.said("squeue") == said
    assert (world.directory / "pool" / "status.json").stat().st_mtime_ns == status.st_mtime_ns


def test_a_wish_that_is_half_seen_changes_nothing(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=1)
    keeper.turn()
    (world.directory / "control" / "scale.json").write_text('{"schema": 1, "serial": 2, "gro')
    keeper.turn()
    (world.directory / "control" / "scale.json").write_text('{"schema": 2, "serial": 3, "groups": {}}')
    keeper.turn()
    assert keeper.watch.wish.serial == 1 and len(world.submissions()) == 1


def test_what_waits_is_called_off_an_array_by_its_own_id(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=3)
    keeper.turn()
    world.wish(workers=2)
    keeper.turn()
    assert world.submissions()[0]["called_off"] == [[2, 2]] and sorted(world.alive()) == [0, 1]
    world.wish(workers=0)
    keeper.turn()
    assert world.submissions()[0]["called_off"] == [[0, 2]] and world.alive() == {}
    cancels = [call.split()[-1] for call in world.said("scancel") if "PENDING" in call]
    assert cancels == ["100_2", "100"]


def test_elements_that_run_are_asked_to_retire(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=2)
    settle(world, keeper, 0, 1)
    world.wish(workers={"target": 1, "grace_seconds": 60})
    keeper.turn()
    (retiring,) = world.read("pool/retire.json")["elements"].items()
    assert retiring == ("0", {"grace_seconds": 60.0, "close_at": None, "why": "surplus"})
    assert world.said("scancel") == []
    settle(world, keeper, 1)
    assert world.read("pool/retire.json")["elements"] == {} and world.running() == {1}


def test_a_refusal_is_kept_and_told_and_tried_again(world: World) -> None:
    keeper = world.keeper()
    (world.batch / "refuses").touch()
    world.wish(workers=1)
    keeper.turn()
    keeper.turn()
    paused = world.read("pool/status.json")["groups"]["workers"]["paused"]
    assert "Job violates accounting/QOS policy" in paused and "QOS policy" in world.submissions()[0]["refused"]
    (world.batch / "refuses").unlink()
    world.until(lambda: bool(world.alive()), keeper.turn)
    assert [bool(each["refused"]) for each in world.submissions()][-1] is False
    keeper.turn()
    assert world.read("pool/status.json")["groups"]["workers"]["paused"] is None


def test_a_submission_of_which_no_id_is_known_is_found_by_its_name(world: World) -> None:
    world.wish(workers=2)
    world.keeper().turn()
    document = world.read("pool/1.json")
    world.write("pool/1.json", **{**document, "job_id": None, "submitted": None, "asked": None})
    keeper = world.keeper()
    world.until(lambda: world.submissions()[0]["job_id"] == "100", keeper.turn)
    assert len(world.jobs()) == 1


def test_one_that_submit_never_made_is_made_by_the_keeper(world: World) -> None:
    world.wish(workers=2)
    world.keeper().turn()
    document = world.read("pool/1.json")
    world.write("pool/1.json", **{**document, "job_id": None, "submitted": None, "asked": None, "by": "submit"})
    for file in list(world.alive().values()):
        file.unlink()
    keeper = world.keeper()
    world.until(lambda: len(world.alive()) == 2, keeper.turn)
    lost, made = world.submissions()
    assert "no job of this name" in lost["refused"] and (made["first"], made["size"], made["job_id"]) == (2, 2, "101")


def test_an_answer_that_was_lost_makes_no_second_job(world: World) -> None:
    keeper = world.keeper(replace(QUICK, find=600.0))
    (world.batch / "silent").touch()
    world.wish(workers=1)
    for _ in range(5):
        keeper.turn()
        time.sleep(0.05)
    assert len(world.submissions()) == 1 and world.submissions()[0]["job_id"] is None
    assert "Unable to contact" in world.read("pool/status.json")["groups"]["workers"]["paused"]


def test_nothing_is_submitted_once_there_is_an_outcome(world: World) -> None:
    keeper = world.keeper()
    (world.state / "outcome").write_text("succeeded 0 \n")
    world.wish(workers=1)
    with pytest.raises(Over):
        keeper.turn()
    assert world.jobs() == {} and world.submissions() == []


def test_what_was_submitted_while_the_outcome_was_written_is_called_off(world: World) -> None:
    script = (world.batch / "sbatch").read_text()
    outcome = f"open({str(world.state / 'outcome')!r}, 'w').write('succeeded 0 ')"
    (world.batch / "sbatch").write_text(
        script.replace("def submit() -> None:\n", f"def submit() -> None:\n    {outcome}\n")
    )
    keeper = world.keeper()
    world.wish(workers=2)
    with pytest.raises(Over):
        keeper.turn()
    assert len(world.jobs()) == 1 and world.alive() == {}


def test_nothing_is_done_without_the_lease(world: World) -> None:
    keeper = world.keeper()
    keeper.turn()
    (world.directory / "pool" / "lease").write_text("other:1:1@boot 5\n")
    world.wish(workers=1)
    with pytest.raises(Lost):
        keeper.turn()
    assert world.jobs() == {} and world.submissions() == []


def test_nothing_is_done_before_the_schedulers_job_has_begun(world: World) -> None:
    (world.directory / "state" / "attempt").unlink()
    keeper = world.keeper()
    world.wish(workers=1)
    keeper.turn()
    assert world.submissions() == []


def test_the_next_keeper_knows_of_the_brake_and_of_those_on_their_way_out(world: World) -> None:
    world.wish(workers=1)
    keeper = world.keeper()
    for _ in range(3):
        world.until(lambda: bool(world.alive()), keeper.turn)
        (number,) = world.alive()
        world.start(number)
        world.tell(set())
        keeper.turn()
        world.end(number)
    world.until(lambda: bool(world.read("pool/status.json")["groups"]["workers"]["paused"]), keeper.turn)
    again = world.keeper()
    for _ in range(5):
        again.turn()
        time.sleep(0.05)
    assert len(world.jobs()) == 3
    group = world.read("pool/status.json")["groups"]["workers"]
    assert (group["failed"], group["ended"], "scale" in group["paused"]) == (3, 3, True)
    world.wish(workers=1)
    world.until(lambda: len(world.jobs()) == 4, again.turn)


def test_an_element_whose_node_went_down_with_it_is_replaced(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=2)
    settle(world, keeper, 0, 1)
    world.alive()[1].unlink()  # its file in state/ says that it runs
    world.tell({0})
    world.until(lambda: len(world.jobs()) == 2, keeper.turn)
    assert sorted(world.alive()) == [0, 2]


def test_one_that_runs_without_a_worker_is_ended(world: World) -> None:
    keeper = world.keeper(replace(QUICK, worker=0.2))
    world.wish(workers=2)
    keeper.turn()
    world.start(0)
    world.start(1)
    world.tell({0})
    world.until(lambda: "100_1" in " ".join(world.said("scancel")), keeper.turn)
    assert sorted(world.alive()) == [0]


def test_at_the_end_everything_is_called_off_by_id_and_by_name(world: World) -> None:
    world.wish(workers=2)
    keeper = world.keeper()
    keeper.turn()
    world.wish(workers=3)
    time.sleep(QUICK.submit)
    keeper.turn()
    world.write("pool/2.json", **{**world.read("pool/2.json"), "job_id": None})
    again = world.keeper()
    assert sorted(call_off_all(again.system, again.watch)) == ["100", "101"]
    assert world.alive() == {}


def test_each_group_has_arrays_and_names_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path, cpu={**GROUP, "file": "cpu.sh"}, fat={**GROUP, "file": "fat.sh", "arrays": False})
    keeper = world.keeper()
    world.wish(cpu=2, fat=1)
    world.until(lambda: len(world.jobs()) == 2, keeper.turn)
    assert [each["job_name"] for each in world.submissions()] == [f"{NAME}-cpu", f"{NAME}-fat-2"]
    assert [call.split()[-1] for call in world.said("sbatch")] == ["cpu.sh", "fat.sh"]


def test_when_the_schedulers_job_was_put_back_into_the_queue_its_elements_are_replaced(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers=2)
    settle(world, keeper, 0, 1)
    world.end(0)  # its workers have lost their scheduler
    world.alive()[1].unlink()
    world.state = world.directory / "state" / "2"
    world.state.mkdir()
    world.tell(set())
    (world.directory / "state" / "attempt").write_text("2\n")
    settle(world, world.keeper(), 2, 3)
    group = world.read("pool/status.json")["groups"]["workers"]
    assert (group["failed"], group["ended"], group["paused"]) == (0, 2, None)


def test_what_is_submitted_does_not_grow_with_the_number_of_elements(tmp_path: Path) -> None:
    sizes = []
    for workers in (10, 1000):
        world = World(tmp_path / str(workers), workers={**GROUP, "array_limit": 1000})
        keeper = world.keeper()
        world.wish(workers=workers)
        keeper.turn()
        keeper.turn()
        files = list((world.directory / "pool").iterdir())
        sizes.append((len(world.said("sbatch")), len(files), sum(file.stat().st_size for file in files)))
    assert sizes[0][:2] == sizes[1][:2] and sizes[1][2] - sizes[0][2] < 50  # digits


def test_an_adaptive_group_follows_what_the_tasks_need(world: World) -> None:
    keeper = world.keeper()
    world.wish(workers={"minimum": 0, "maximum": 3, "interval": 0.1, "wait_count": 2})
    world.needs = 7
    settle(world, keeper, 0, 1, 2)
    assert world.read("pool/status.json")["groups"]["workers"]["mode"] == "adaptive"
    world.needs, world.busy = 0, {1}
    settle(world, keeper, 1)
    world.busy = set()
    settle(world, keeper)
    world.needs = 1
    settle(world, keeper, 3)


def test_a_keeper_that_cannot_see_the_wish_that_another_worked_on_does_nothing(world: World) -> None:
    world.wish(workers=3)
    before = world.keeper()
    before.turn()
    wish = (world.directory / "control/scale.json").read_text()
    (world.directory / "control/scale.json").unlink()
    before.lease.release()
    keeper = world.keeper()
    with pytest.raises(OSError, match="the wish cannot be seen"):
        keeper.turn()
    assert world.said("scancel") == [] and len(world.submissions()) == 1
    (world.directory / "control/scale.json").write_text(wish)
    keeper.turn()


def test_nothing_is_submitted_while_one_of_the_submissions_cannot_be_read(world: World) -> None:
    world.wish(workers=3)
    keeper = world.keeper()
    (world.directory / "pool/1.json").write_text("{")
    with pytest.raises(OSError, match="cannot be read"):
        keeper.turn()
    assert world.said("sbatch") == []
