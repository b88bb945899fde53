"""What is read out of answers as OpenPBS gives them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import yaml

from hpc_launch import batch
from hpc_launch.batch.faults import NoAnswer
from hpc_launch.batch.machine import LiveQueue
from hpc_launch.survey.draft import draft
from hpc_launch.units import GIB, MIB
from tests.survey.machines import LOGIN, Make, machine, write


@pytest.fixture
def queues(make: Make) -> dict[str, LiveQueue]:
    make("pbs")
    return {queue.name: queue for queue in machine("pbs").queues}


def names(queue: LiveQueue) -> list[str]:
    return [node.name for node in queue.nodes or ()]


def test_the_server(make: Make) -> None:
    make("pbs")
    found = machine("pbs")
    assert (found.version, found.default_queue, found.array, found.submitted) == ("PBS 23.06.06", "workq", 5000, 200)


def test_only_queues_that_users_submit_to(queues: dict[str, LiveQueue]) -> None:
    assert list(queues) == ["workq", "big", "main"]


def test_limits(queues: dict[str, LiveQueue]) -> None:
    work = queues["workq"]
    assert (work.walltime, work.default_walltime, work.max_nodes) == (48 * 3600, 3600, 4)
    assert work.remarks == () and work.limits == {"max_jobs": 10}
    assert queues["big"].walltime == 86400
    assert queues["big"].remarks == ("acl_group_enable is set: not for everyone",)


LIMITS = """\
            "resources_min": {"ncpus": 4, "nodect": 2, "mem": "8gb"},
            "resources_max": {"ncpus": 96, "mem": "190gb", "nodect": 4, "walltime": "48:00:00"},
            "max_queued": "[u:PBS_GENERIC=40]",
            "max_run_res.ncpus": "[u:PBS_GENERIC=192],[o:PBS_ALL=9999]",
            "max_run_res": {"mem": "[u:PBS_GENERIC=380gb]"},
"""


def test_limits_of_jobs_and_of_users_are_read(make: Make) -> None:
    of_user = '"max_run": "[u:PBS_GENERIC=30]", "max_run_res": {"ncpus": "[u:PBS_GENERIC=500]"}, "max_queued"'

    def edit(name: str, text: str) -> str:
        if name == "server":
            return text.replace('"max_queued"', of_user, 1)
        if name != "queues":
            return text
        return text.replace(text[text.index('"resources_max"') : text.index('"resources_default"')], LIMITS.strip(), 1)

    make("pbs", edit)
    found = machine("pbs")
    assert (found.submitted, found.running) == (200, {"jobs": 30, "cores": 500})
    work = {queue.name: queue for queue in found.queues}["workq"]
    assert work.limits == {
        "max_cores": 96,
        "max_memory": 190 * GIB,
        "least.cores": 4,
        "least.memory": 8 * GIB,
        "least.nodes": 2,
        "max_jobs": 10,
        "max_submitted": 40,
        "max_user_cores": 192,
        "max_user_memory": 380 * GIB,
    }
    text = draft(found, LOGIN, datetime.date(2026, 11, 28)).text
    drafted = yaml.safe_load(text)
    assert drafted["limits"] == {"array": 5000, "submitted": {"jobs": 200}, "running": {"jobs": 30, "cores": 500}}
    queue = drafted["queues"]["workq"]
    assert (queue["max_cores"], queue["max_memory"], queue["max_submitted"]) == (96, "190 GiB", 40)
    assert queue["least"] == {"cores": 4, "memory": "8 GiB", "nodes": 2}


def test_of_a_queue_that_passes_jobs_on_its_own_limits_count_and_the_mildest_of_the_others(make: Make) -> None:
    main, other = '"queue_type": "Route",', '"default_chunk": {\n                "Qlist": "wide"\n            },'
    most = (main, f'{main} "resources_max": {{"ncpus": 90}}, "resources_min": {{"ncpus": 8}},')
    both = changed(make, most, (other, f'{other} "resources_min": {{"ncpus": 16}},'))
    # workq wants no least, so main's own 8 count alone
    assert both["main"].limits == {"max_cores": 90, "least.cores": 8}


def test_nodes_belong_to_their_queue_alone_or_to_those_without_nodes_of_their_own(queues: dict[str, LiveQueue]) -> None:
    assert names(queues["workq"]) == ["n1", "n2", "n3", "n4"]
    assert names(queues["big"]) == ["n5"]
    assert queues["big"].memory == (2048 * GIB,)


def test_an_offline_node_takes_no_jobs(queues: dict[str, LiveQueue]) -> None:
    work = queues["workq"]
    assert work.ready == 3
    assert [node.out for node in work.nodes or () if node.out] == ['offline: disk "sda"\nfails']
    assert work.cores == (48, 48, 64)  # without those of n3
    assert work.memory == (96 * GIB, *[196608000 * 1024 // MIB * MIB] * 2)


def test_a_queue_that_passes_jobs_on_has_the_nodes_and_the_widest_limits_of_the_others(
    queues: dict[str, LiveQueue],
) -> None:
    main = queues["main"]
    assert (main.walltime, main.max_nodes) == (48 * 3600, None)  # wide: 12 hours, any number of nodes
    assert sorted(names(main)) == ["n1", "n2", "n3", "n4"]
    assert main.remarks[0] == "passes jobs on to wide, workq"


def changed(make: Make, *changes: tuple[str, str]) -> dict[str, LiveQueue]:
    """The queues, with some texts of the answers replaced wherever they stand."""

    def edit(name: str, text: str) -> str:
        for old, new in changes:
            text = text.replace(old, new)
        return text

    make("pbs", edit)
    return {queue.name: queue for queue in machine("pbs").queues}


@pytest.mark.parametrize("to", ["", "away", "workq@other", "wide,away", "workq@other.example.org,wide"])
def test_a_queue_that_passes_jobs_on_to_nobody_knows_where_has_unknown_nodes_and_limits(make: Make, to: str) -> None:
    main = changed(make, ('"wide,workq"', f'"{to}"'))["main"]
    assert (main.nodes, main.ready, main.walltime, main.max_nodes) == (None, None, None, None)
    assert (main.exclusive, main.gpus) == (None, None)
    assert "not known" in main.remarks[1]


@pytest.mark.parametrize("to", ["workq@pbshost", "workq@pbshost.example.org", "workq"])
def test_a_destination_may_name_this_server(make: Make, to: str) -> None:
    main = changed(make, ('"wide,workq"', f'"{to}"'))["main"]
    assert (main.ready, main.walltime, main.max_nodes) == (3, 48 * 3600, 4)


def test_a_queue_may_pass_jobs_on_to_one_that_does_so_too(make: Make) -> None:
    further = '"wide,workq", "enabled": "True", "started": "True"}, "front": {"queue_type": "Route", '
    further += '"route_destinations": "main"'
    found = changed(make, ('"wide,workq"', further))
    assert found["front"].walltime == found["main"].walltime == 48 * 3600


def test_queues_that_lead_nowhere_are_closed(make: Make) -> None:
    make("pbs", lambda name, text: text.replace('"wide,workq"', '"closed,main"'))  # the second in a circle
    assert machine("pbs").closed == {
        "wide": "from_route_only = True",
        "main": "none of its destinations takes jobs",
        "closed": "enabled = False",
    }


@pytest.mark.parametrize("state", ["Stale", "stale", "down", "state-unknown", "wait-provisioning", "free,offline"])
def test_states_in_which_a_node_takes_no_jobs(make: Make, state: str) -> None:
    assert changed(make, ('"state": "job-busy"', f'"state": "{state}"'))["workq"].ready == 2


SHARED = '"sharing": "default_shared"'


@pytest.mark.parametrize(
    ("old", "new", "exclusive"),
    [
        (SHARED, SHARED, False),
        *[(SHARED, f'"sharing": "{word}"', True) for word in ("default_excl", "force_excl", "force_exclhost")],
        (SHARED, '"sharing": "ignore_excl"', False),
        (SHARED, '"ntype": "PBS"', None),
        ('"walltime": "01:00:00"', '"walltime": "01:00:00", "place": "scatter:excl"', False),  # not of our jobs
    ],
)
def test_whole_nodes(make: Make, old: str, new: str, exclusive: bool | None) -> None:
    assert changed(make, (old, new))["workq"].exclusive is exclusive


def test_nodes_of_which_some_are_given_whole(make: Make) -> None:
    make("pbs", lambda name, text: text.replace(SHARED, '"sharing": "force_excl"', 1))
    assert {queue.name: queue.exclusive for queue in machine("pbs").queues} == {
        "workq": None,
        "big": False,
        "main": None,
    }


def test_gpus(make: Make, queues: dict[str, LiveQueue]) -> None:
    assert {queue.gpus for queue in queues.values()} == {None}  # nobody made the resource
    found = changed(make, ('"ncpus": 128', '"ncpus": 128, "ngpus": 8'))
    assert (found["big"].gpus, found["workq"].gpus) == (8, 0)
    assert changed(make, ('"ncpus": 48', '"ncpus": 48, "ngpus": 4'))["workq"].gpus is None  # n4 has none


@pytest.mark.parametrize("answer", ["", "[]", "{", "qstat: no such option"])
def test_what_is_no_json_is_no_answer(programs: Path, answer: str) -> None:
    write(programs / "pbsnodes", f"echo '{answer}'")
    with pytest.raises(NoAnswer):
        batch.get("pbs").survey()


def test_an_answer_of_another_shape_is_a_machine_without_queues(programs: Path) -> None:
    for program in ("pbsnodes", "qstat"):
        write(programs / program, """echo '{"nodes": [1], "Queue": {"q": 7}, "Server": {"s": null}}'""")
    assert machine("pbs").queues == ()


def test_a_queue_that_passes_jobs_on_has_no_more_than_those_that_take_them(make: Make) -> None:
    own = '"resources_max": {"walltime": "100:00:00", "nodect": 50}, "route_destinations": "workq"'
    main = changed(make, ('"route_destinations": "wide,workq"', own))["main"]
    assert (main.walltime, main.max_nodes, main.unknown) == (48 * 3600, 4, ())


def test_its_own_limits_count_where_they_are_lower(make: Make) -> None:
    own = '"resources_max": {"walltime": "10:00:00", "nodes": 2}, "route_destinations": "workq"'
    main = changed(make, ('"route_destinations": "wide,workq"', own))["main"]
    assert (main.walltime, main.max_nodes) == (10 * 3600, 2)


SERVER = (
    '"ncpus": 1\n            },',
    '"ncpus": 1, "walltime": "02:00:00"}, "resources_max": {"walltime": "20:00:00"},',
)


def test_the_servers_limits_hold_for_queues_that_have_none(make: Make) -> None:
    found = changed(make, SERVER, ('"walltime": "48:00:00"', '"cput": "1:00:00"'))
    assert (found["workq"].walltime, found["main"].walltime) == (20 * 3600, 20 * 3600)


@pytest.mark.parametrize(
    ("to", "more", "server", "default", "certain"),
    [
        ("workq", '"resources_default": {"walltime": "00:30:00"}, ', False, 1800, True),
        ("workq", "", False, 3600, True),
        ("wide", "", False, None, True),
        ("wide", "", True, 7200, True),
        ("wide,workq", "", False, None, False),  # 01:00:00 in one of them
        ("away", "", True, 7200, False),
        ("away", "", False, None, False),
    ],
)
def test_the_walltime_of_jobs_that_say_none_and_are_passed_on(
    make: Make, to: str, more: str, server: bool, default: int | None, certain: bool
) -> None:
    route = ('"route_destinations": "wide,workq"', f'{more}"route_destinations": "{to}"')
    main = changed(make, route, *([SERVER] if server else []))["main"]
    assert (main.default_walltime, "default_walltime" not in main.unknown) == (default, certain)


def test_limits_of_a_queue_that_leads_nobody_knows_where_are_not_known_to_be_none(make: Make) -> None:
    main = changed(make, ('"wide,workq"', '"away"'))["main"]
    assert main.unknown == ("walltime", "max_nodes", "default_walltime")
    assert not main.tells("walltime") and not main.tells("max_nodes")


@pytest.mark.parametrize(("name", "why"), [("", "no default_queue is set"), ("closed", "is closed, which takes no")])
def test_a_default_queue_that_is_none_has_a_reason(make: Make, name: str, why: str) -> None:
    make("pbs", lambda _, text: text.replace('"default_queue": "workq"', f'"default_queue": "{name}"'))
    found = machine("pbs")
    assert found.default_queue is None
    said = found.missing["defaults.queue"]
    assert said.startswith("qstat -B -f -F json: ") and why in said
