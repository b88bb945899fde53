"""Whatever a batch system from outside does when it is asked, there is a sentence for it."""

from __future__ import annotations

from typing import Any

import pytest

from hpc_launch.batch.asking import text_of
from hpc_launch.batch.environment import locate
from hpc_launch.batch.faults import NoAnswer, NotStarted
from hpc_launch.batch.local.commands import Local
from hpc_launch.batch.machine import LiveQueue, Machine, Node
from hpc_launch.survey.batch_system_here import survey


def from_outside(answer: Any) -> Local:
    """A batch system of which a survey gives this, or raises it."""

    class Odd(Local):
        name = "odd"

        def survey(self) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    return Odd()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ValueError("a\nb"), "'odd': its plug-in broke: ValueError: a"),
        (RecursionError(), "'odd': its plug-in broke: RecursionError"),
        ({"queues": ()}, "'odd': its plug-in tells of no machine, but dict"),
        ("", "'odd': its plug-in tells of no machine, but str"),
        (NoAnswer("down"), "down"),
        (Machine("odd", "1", None, {}, "-q"), "tells of no machine, but of queues that are None"),  # type: ignore[arg-type]
        (Machine("odd", "1", ("q",), {}, "-q"), r"of queues that are \('q',\)"),  # type: ignore[arg-type]
        (Machine("odd", "1", (LiveQueue("q", ("c1",)),), {}, "-q"), "of nodes that are none"),  # type: ignore[arg-type]
        (Machine("odd", "1", (LiveQueue("q", 3),), {}, "-q"), "of nodes that are none"),  # type: ignore[arg-type]
        (Machine("odd", "1", (), None, "-q"), "of commands that are None"),  # type: ignore[arg-type]
        (Machine("odd", "1", (), {"queues": ("ask",)}, "-q"), "of commands that are"),  # type: ignore[dict-item]
        (Machine("odd", None, (), {}, "-q"), "of names that are no texts"),  # type: ignore[arg-type]
    ],
)
def test_a_broken_plug_in_gives_no_answer(answer: Any, words: str) -> None:
    with pytest.raises(NoAnswer, match=words) as fault:
        survey("odd", lambda: from_outside(answer))
    assert not isinstance(fault.value, NotStarted)


def test_one_that_is_not_here_or_tells_nothing() -> None:
    with pytest.raises(NotStarted, match="gone"):
        survey("odd", lambda: from_outside(NotStarted("gone")))
    assert survey("odd", lambda: from_outside(None)) is None


def test_a_machine_is_taken_as_it_is() -> None:
    told = Machine("odd", "1", (LiveQueue("q", (Node("c1"),)), LiveQueue("r", None)), {"queues": "ask"}, "-q")
    assert survey("odd", lambda: from_outside(told)) is told


@pytest.mark.parametrize("commands", [["no-such-command", "true"], ["true", "no-such-command"]])
def test_only_without_its_first_command_a_batch_system_is_not_here(commands: list[str]) -> None:
    class Two(Local):
        name = "two"

        def survey(self) -> None:
            locate(commands[0])
            for each in commands:
                text_of(self, each)

    with pytest.raises(NoAnswer, match="the command `no-such-command` was not found") as fault:
        survey("two", Two)
    assert isinstance(fault.value, NotStarted) is (commands[0] == "no-such-command")
