"""What `make demo` and the tests install: locked for every Python, and what pyproject.toml asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = Path(__file__).resolve().parent.parent / "requirements"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def entries(name: str) -> list[str]:
    """The entries of a lock, one line each, comments left out."""
    text = re.sub(r"^ *#.*\n", "", (LOCKS / name).read_text(encoding="utf-8"), flags=re.M)
    return text.replace("\\\n", " ").splitlines()


def locked(name: str, python: str) -> dict[str, Requirement]:
    """Name of a package → what the lock says of it for this Python, on Linux."""
    machine = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux", "extra": ""}
    found = [Requirement(entry.partition(" --hash")[0]) for entry in entries(name)]
    return {canonicalize_name(one.name): one for one in found if one.marker is None or one.marker.evaluate(machine)}


def asked(extras: set[str]) -> Iterator[Requirement]:
    """What the package itself requires, with these extras."""
    for text in requires("hpc-launch") or ():
        one = Requirement(text)
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
            yield one


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("lock", "extras"), [("demo.txt", {""}), ("test.txt", {"", "test"}), ("bench.txt", {""})])
def test_a_lock_has_all_that_is_required(lock: str, extras: set[str], python: str) -> None:
    there = locked(lock, python)
    wanted = [*asked(extras), Requirement("hatchling>=1.27")]
    assert len(wanted) > 10
    for one in wanted:
        [version] = there[canonicalize_name(one.name)].specifier
        assert version.operator == "=="
        assert version.version in one.specifier, f"{lock} has {version.version} of {one}: `make lock`"


@pytest.mark.parametrize("lock", ["demo.txt", "test.txt", "bench.txt"])
def test_a_lock_has_hashes_and_names_no_index(lock: str) -> None:
    for entry in entries(lock):
        assert re.fullmatch(r"[\w.-]+==\S+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+", entry), entry
