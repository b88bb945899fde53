"""Which batch system is here: one that answers is taken, one that is here and silent is told of, a broken one too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.context import Context
from hpc_launch.errors import BatchSystemError, UsageError
from hpc_launch.survey import batch_system_here
from hpc_launch.survey.discover import discover
from tests.survey.machines import Make, write

SILENT = "echo 'error: commlib error: got select error' >&2; exit 1"
HEAD = (
    "from hpc_launch.batch.base import BatchSystem\n"
    "from hpc_launch.batch.local.dialect import DIALECT\n"
    "from hpc_launch.batch.report import Told\n"
)
CLASS = HEAD + (
    "class Theirs(BatchSystem):\n"
    "    name, programs, dialect = 'theirs', {'submit': ('t',), 'cancel': ('t',)}, DIALECT\n"
    "    def submit_command(self, file, job_name, array=None, after=None): return []\n"
    "    def job_id(self, text): return None\n"
    "    def queued(self, ids): return Told({})\n"
    "    def find(self, job_name, since): return []\n"
)

PlugIn = Callable[[str], None]


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> PlugIn:
    """Install a batch system `theirs`, the class Theirs of a module with this text."""
    directory = tmp_path / "installed"
    module = f"theirs_{abs(hash(request.node.name))}"  # one that no other test has loaded

    def install(text: str) -> None:
        info = directory / "theirs-1.0.dist-info"
        info.mkdir(parents=True)
        (directory / f"{module}.py").write_text(text, encoding="utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n", encoding="utf-8")
        entry = f"[hpc_launch.batch_systems]\ntheirs = {module}:Theirs\n"
        (info / "entry_points.txt").write_text(entry, encoding="utf-8")
        monkeypatch.syspath_prepend(str(directory))

    return install


def test_the_one_that_answers_is_the_machine_and_there_is_nothing_to_note(make: Make) -> None:
    make("slurm")
    heard = batch_system_here.listen()
    assert (heard.machine.batch_system, heard.notes) == ("slurm", ())


def test_one_that_is_here_and_silent_is_noted_with_its_words(make: Make, programs: Path, context: Context) -> None:
    make("slurm")
    write(programs / "qconf", SILENT)
    found = discover(None, context)
    (note,) = found.notes
    assert note.startswith("sge was asked too, and did not answer: ") and "got select error" in note
    assert "\n" not in note
    assert found.as_json()["notes"] == [note]
    assert found.machine.batch_system == "slurm"


def test_one_of_which_a_later_command_is_missing_is_here_and_silent(make: Make, programs: Path) -> None:
    make("slurm")
    make("sge")
    (programs / "qhost").unlink()
    (note,) = batch_system_here.listen().notes
    assert note.startswith("sge was asked too") and "qhost" in note


def test_of_a_batch_system_that_was_named_no_other_is_asked(make: Make, programs: Path) -> None:
    make("slurm")
    write(programs / "qconf", "touch $0.asked; exit 1")
    assert batch_system_here.listen("slurm").notes == ()
    assert not (programs / "qconf.asked").exists()


def test_where_all_are_silent_each_ones_words_are_told(programs: Path) -> None:
    write(programs / "qconf", SILENT)
    write(programs / "scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(BatchSystemError) as told:
        batch_system_here.listen()
    for words in ("no batch system answers", "got select error", "Unable to contact"):
        assert words in str(told.value)


BROKEN = {
    "does not load": "import nothing_of_this_name\n",
    "is no class": "Theirs = 7\n",
    "cannot be made": CLASS + "    def __init__(self, *words): raise RuntimeError('no licence')\n",
    "breaks": CLASS + "    def survey(self): return 1 // 0\n",
    "tells of no machine": CLASS + "    def survey(self): return {'queues': []}\n",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plug_in_stops_nothing_and_is_noted(make: Make, plug_in: PlugIn, how: str) -> None:
    make("slurm")
    plug_in(BROKEN[how])
    heard = batch_system_here.listen()
    assert heard.machine.batch_system == "slurm"
    (note,) = heard.notes
    assert note.startswith("theirs was asked too, and did not answer: ")


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plug_in_alone_is_told_and_is_no_traceback(programs: Path, plug_in: PlugIn, how: str) -> None:
    plug_in(BROKEN[how])
    with pytest.raises(BatchSystemError, match="theirs"):
        batch_system_here.listen()
    with pytest.raises((BatchSystemError, UsageError), match="theirs"):
        batch_system_here.listen("theirs")


def test_a_plug_in_with_nothing_to_tell_is_not_noted(make: Make, plug_in: PlugIn) -> None:
    make("slurm")
    plug_in(CLASS)
    assert batch_system_here.listen().notes == ()
    with pytest.raises(UsageError, match="no machine to tell about"):
        batch_system_here.listen("theirs")


def test_a_fault_of_our_own_is_not_hidden(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make("slurm")

    def broken(system: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hpc_launch.batch.slurm.survey.survey", broken)
    with pytest.raises(ZeroDivisionError):
        batch_system_here.listen()


def test_a_machine_whose_queues_are_all_closed_is_refused_with_why(make: Make, context: Context) -> None:
    make("slurm", lambda name, text: text.replace("State=UP", "State=DOWN") if name == "partitions" else text)
    with pytest.raises(BatchSystemError) as told:
        discover(None, context)
    assert told.value.exit_code == 5
    assert "it has short (State=DOWN), long (State=DOWN)" in str(told.value)
    assert "scontrol show partition -o" in str(told.value)


@pytest.mark.parametrize(("system", "resources"), [("slurm", None), ("sge", True)])
def test_what_a_machine_does_not_have_stays_null_in_json(
    make: Make, context: Context, system: str, resources: bool | None
) -> None:
    make(system)
    plain = discover(system, context).as_json()["machine"]
    assert (plain["resources"] is None) is (resources is None)
    assert (plain["environments"] is None) is (resources is None)
    if resources:
        assert plain["environments"]["smp"] == {
            "one_host": True,
            "slots": None,
            "starts_elsewhere": True,
            "queues": ["all.q"],
        }
        assert plain["resources"] == sorted(plain["resources"]) and "mem_free" in plain["resources"]


@pytest.mark.parametrize("system", ["slurm", "sge", "pbs", "lsf"])
def test_all_of_it_can_be_written_as_json(make: Make, context: Context, system: str) -> None:
    import json

    make(system)
    found = discover(None, context).as_json()
    assert json.loads(json.dumps(found))["site"]["batch_system"] == system
