"""Commands that tell about a machine, not about jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hpc_launch.batch.client import Client
from hpc_launch.batch.command import Answer, run
from hpc_launch.batch.faults import NoAnswer, NotStarted


def answer_of(system: Client, *words: str) -> Answer:
    """The answer of a command; raises NoAnswer where it failed, or is not here."""
    return _good(system, _run(system, words))


def _good(system: Client, answer: Answer) -> Answer:
    if answer.returncode:
        raise system.fault(answer, certain=False)
    return answer


def _run(system: Client, words: Sequence[str]) -> Answer:
    try:
        return run(words, timeout=system.timeout, needed=system.needed)
    except NotStarted as missing:
        # A survey looks for its first command by itself: if another one is missing, the machine did not tell all.
        raise NoAnswer(*missing.problems) from missing


def text_of(system: Client, *words: str) -> str:
    """What a command printed; raises as `answer_of` does."""
    return answer_of(system, *words).stdout


def names_of(system: Client, nothing: re.Pattern[str], *words: str) -> list[str]:
    """The names that a command printed; none where it failed only to say that there is `nothing`.

    Raises as `answer_of` does.
    """
    answer = _run(system, words)
    if answer.returncode and not answer.stdout.strip() and nothing.fullmatch(answer.stderr.strip()):
        return []
    return _good(system, answer).stdout.split()


def text_or_nothing(system: Client, *words: str) -> str:
    """As `text_of`, of a command that one can do without; some say what they have to say on stderr."""
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
