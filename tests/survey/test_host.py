"""What can be seen of a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpc_launch.file_systems import kind_of
from hpc_launch.survey import host
from hpc_launch.survey.host import Host, Interface
from hpc_launch.survey.scratch import candidates, look


@pytest.mark.parametrize(
    ("names", "fastest"),
    [
        (["eth0"], None),
        (["eth0", "ib0"], "ib0"),
        (["eno1", "hsn0", "hsn1"], "hsn0"),
        (["ibm-tape", "docker0"], None),
        ([], None),
    ],
)
def test_a_fast_network_is_known_by_its_name(names: list[str], fastest: str | None) -> None:
    found = Host("h", tuple(Interface(name, "10.0.0.1") for name in names)).fastest
    assert (found.name if found else None) == fastest


def test_of_several_the_one_with_more_speed() -> None:
    two = Host("h", (Interface("ib0", "10.0.0.1", 1000), Interface("ib1", "10.0.0.2", 100000)))
    assert two.fastest is not None and two.fastest.name == "ib1"


@pytest.mark.parametrize(
    ("filesystem", "kind"),
    [
        *[(name, "disk") for name in ("ext4", "xfs", "overlay")],
        *[(name, "memory") for name in ("tmpfs", "ramfs")],
        *[(name, "shared") for name in ("nfs4", "lustre", "gpfs", "beegfs", "fuse.sshfs", "ceph")],
        *[(name, None) for name in ("", "unknown", "newfs")],
    ],
)
def test_kinds_of_file_systems(filesystem: str, kind: str | None) -> None:
    assert kind_of(filesystem) == kind


def test_the_deepest_and_last_mount_holds_a_directory(tmp_path: Path) -> None:
    scratch = tmp_path / "my scratch" / "deep"
    scratch.mkdir(parents=True)
    (tmp_path / "my scratch2").mkdir()
    point = str(tmp_path / "my scratch").replace(" ", r"\040")
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"rootfs / rootfs rw 0 0\n/dev/a / ext4 rw 0 0\nx {point} nfs4 rw 0 0\ny {point} tmpfs rw 0 0\nz\n"
    )
    assert look(str(scratch), mounts).kind == "memory"
    assert look(str(tmp_path / "my scratch2"), mounts).kind == "disk"


def test_without_a_list_of_mounts_nothing_is_known(tmp_path: Path) -> None:
    assert look(str(tmp_path), tmp_path / "none").kind is None


def test_a_directory_that_is_not_there_or_not_for_us_is_no_scratch(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    places = [str(tmp_path / "none"), str(file), str(tmp_path)]
    assert [found.path for found in candidates(places)] == [str(tmp_path)]
    assert look(places[0]).filesystem == ""


def test_programs_and_modules_are_looked_up_where_the_environment_says(tmp_path: Path) -> None:
    program, modules = tmp_path / "apptainer", tmp_path / "modules"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in ("gcc", "miniconda3", ".hidden-python"):
        (modules / name).mkdir(parents=True)
    found = host.look("h", {"PATH": str(tmp_path), "MODULEPATH": f"/nonexistent:{modules}"})
    assert found.programs == {"apptainer": str(program)}
    assert (found.has_modules, found.modules) == (True, ("miniconda3",))


def test_this_hosts_interfaces_have_addresses() -> None:
    for interface in host.look("h", {}).interfaces:
        assert interface.address.count(".") == 3 and interface.name != "lo"
