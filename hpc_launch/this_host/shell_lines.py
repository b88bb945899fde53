"""Shell lines of a profile and of its site: what bash says of them without running them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping

from hpc_launch.config.origin import KeyPath
from hpc_launch.config.wording import printable
from hpc_launch.this_host.host import Found, Host

PATIENCE = 5
"""Seconds."""


def problems_of_shell_lines(host: Host) -> Iterator[Found]:
    """Lines that bash cannot read."""
    environment, command = host.plan.environment, host.plan.workload.command
    lines: list[tuple[KeyPath, str, bool]] = [
        (("environment", "setup"), environment.site_setup, True),
        (("environment", "setup"), environment.setup, False),
        (("workload", "command"), command if isinstance(command, str) else "", False),
    ]
    for path, text, of_site in lines:
        if text.strip() and (fault := _fault(text)):
            line, what = fault
            key = ".".join(map(str, path))
            yield Found(path, f"{key}: bash cannot read line {line} of it: {what}", line, of_site)


def _fault(text: str) -> tuple[int, str] | None:
    """The first line that is wrong, counted from 1, and bash's own words for it."""
    done = _bash("-n", given=text)
    match = re.search(r"line ([0-9]+): (.*)", done.stderr) if done and done.returncode else None
    return (min(int(match[1]), len(text.splitlines())), printable(match[2])) if match else None


def is_of_the_shell(word: str, environment: Mapping[str, str]) -> bool:
    """Whether a command is bash's own, or a function that login shells have: `cd`, `if`, `module`."""
    if f"BASH_FUNC_{word}%%" in environment or word in ("module", "ml", "conda"):
        return True
    done = _bash("-c", 'type -t -- "$1"', "bash", word)
    return done is None or done.stdout.strip() in ("builtin", "keyword")


def _bash(*words: str, given: str = "") -> subprocess.CompletedProcess[str] | None:
    """What bash answers, which runs nothing of the user's; None: it does not."""
    bare = {"PATH": os.defpath, "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["bash", "--norc", "--noprofile", *words],
            input=given, env=bare, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
