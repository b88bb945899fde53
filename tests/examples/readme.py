"""What a README has people type, and what it says that they will see."""

from __future__ import annotations

import platform
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.local.runs import PATIENCE, Here

MOVING = re.compile(r"\d\d:\d\d:\d\d (?!succeeded)")
"""How lines begin that tell how far a run is: which of them come depends on how fast the machine is."""
ANYTHING = "…"
"""Stands in a README for lines that it leaves out."""
DIFFERENT_EACH_TIME = [
    (r"-\d{8}-\d{6}-[0-9a-f]{6}\b", "-ID"),
    (r"\bvm:\d+:\d+@[0-9a-f]+", "JOB"),
    (r"token=[0-9a-f]+", "token=TOKEN"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\w+@vm\b", "user@vm"),
    (r"\bprograms: \d+", "programs: SOME"),
    (r"\bseconds = [\d.]+", "seconds = SOME"),
]


@dataclass(frozen=True)
class Step:
    """One command, and the lines below it."""

    command: str
    shown: str


def steps(text: str) -> Iterator[Step]:
    """All commands in blocks of the language `console`, in order."""
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        for text in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, shown = text.partition("\n")
            yield Step(command, shown)


def follow(readme: Path, here: Here, *titles: str) -> None:
    """Type what a README says, or its sections of these titles, in order; each command shows what stands below it."""
    text = readme.read_text(encoding="utf-8")
    found = list(steps("".join(section(text, title) for title in titles) if titles else text))
    assert found
    for step in found:
        # What was submitted a moment ago is not there yet.
        patience = PATIENCE if step.command in ("hpc-launch connect", "hpc-launch status") else 0
        assert shows(step, here, time.monotonic() + patience), "it shows what the README says"


def section(text: str, title: str) -> str:
    """Of a README, up to the next title of its level."""
    [found] = re.findall(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", text, re.M | re.S)
    return str(found)


def shows(step: Step, here: Here, give_up: float) -> bool:
    """Whether a command shows what it is said to; it is typed again until then."""
    while True:
        code, seen = here.typed(step.command)
        if code == 0 and re.fullmatch(pattern(step.shown, here), "\n".join(lasting(seen, here)), re.S):
            return True
        if time.monotonic() > give_up:
            print(f"$ {step.command}\n{seen}exit code {code}; the README says\n{step.shown}")
            return False


def pattern(shown: str, here: Here) -> str:
    """What the lasting lines are to look like."""
    return "\n".join(".*" if line == ANYTHING else re.escape(line) for line in lasting(shown, here))


def lasting(text: str, here: Here) -> list[str]:
    """The lines that are the same each time and on each machine, with the names that READMEs use."""
    for ours, theirs in {str(here.home): "/home/user", sys.prefix: "/home/user/hpc"}.items():
        text = text.replace(ours, theirs)
    text = re.sub(rf"\b{re.escape(platform.node())}\b", "vm", text)
    for volatile, word in DIFFERENT_EACH_TIME:
        text = re.sub(volatile, word, text)
    return [line for line in text.splitlines() if not MOVING.match(line)]
