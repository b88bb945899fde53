"""Commands that tell about a machine, not about jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hpc_launch.batch.client import Client
from hpc_launch.batch.command import Answer, run
from hpc_launch.batch.faults import NoAnswer


def answer_of(system: Client, *words: str) -> Answer:
    """The answer of a command.

    Raises:
        NotStarted: the command is not here.
        NoAnswer: it failed.
    """
    answer = run(words, timeout=system.timeout, needed=system.needed)
    if answer.returncode:
        raise system.fault(answer, certain=False)
    return answer


def text_of(system: Client, *words: str) -> str:
    """What a command printed; raises as `answer_of` does."""
    return answer_of(system, *words).stdout


def text_or_nothing(system: Client, *words: str) -> str:
    """The same of a command that one can do without; some say what they have to say on stderr."""
    try:
        answer = answer_of(system, *words)
    except NoAnswer:
        return ""
    return answer.stdout or answer.stderr


def json_of(system: Client, *words: str) -> Mapping[str, Any]:
    """The mapping that a command printed as JSON; raises as `answer_of` does."""
    answer = answer_of(system, *words)
    try:
        found = json.loads(answer.stdout, strict=False)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise system.fault(answer, certain=False)
    return found


def mapping(value: Any) -> Mapping[str, Any]:
    """A part of an answer that should be a mapping; an empty one where it is none."""
    return value if isinstance(value, dict) else {}
