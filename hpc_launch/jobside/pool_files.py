"""All file work of the scheduler's preload: one daemon thread, so that a file system that hangs stops nothing else.

A blocking read in the event loop would stop the scheduler; one in a thread of its pool would keep it from ending.
"""

from __future__ import annotations

import json
import os
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .elements import Known, Submission, groups_from, retire_from, submission_from
from .intervals import seconds

SCHEMA = 1
TELL_AGAIN = 3
"""While nothing changes every third look gives way to writing that it is so."""
SELDOM = 6
"""Without a keeper the next look is as far away as six of these: nobody has written what would be read."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)
"""A file that is not there, not readable, or not what was agreed: what was known before still holds."""


def load(*path: str) -> Mapping[str, Any]:
    """A JSON document of ours; raises one of UNREADABLE."""
    with open(os.path.join(*path), encoding="utf-8") as file:
        document: Mapping[str, Any] = json.load(file)
    if document["schema"] != SCHEMA:
        raise ValueError(f"schema {document['schema']}")
    return document


class Reader:
    """Reads what the launcher and the keeper have written; remembers what it knows already."""

    def __init__(self, run: str, state: str) -> None:
        self.pool = os.path.join(run, "pool")
        self.elements = os.path.join(state, "elements")
        self.known = Known()
        self.submissions: dict[str, Submission] = {}

    def sees_keeper(self) -> bool:
        """Whether there is one, or was one that could not say that it ends."""
        return os.path.exists(os.path.join(self.pool, "lease"))

    def read(self, unresolved: bool, kept: bool) -> Known:
        """The list of elements to retire, a keeper's; others until it is known, or where a worker's element is not."""
        if not self.known.groups:
            with suppress(*UNREADABLE):
                self._read_groups()
        if kept:
            with suppress(*UNREADABLE):
                self.known = replace(self.known, retire=retire_from(load(self.pool, "retire.json")))
        if unresolved:
            with suppress(OSError):
                self._read_submissions()
            with suppress(OSError):
                self._read_hosts()
        return self.known

    def _read_groups(self) -> None:
        self.known = replace(self.known, groups=groups_from(load(self.pool, "groups.json")))

    def _read_submissions(self) -> None:
        for name in os.listdir(self.pool):
            stem, _, kind = name.partition(".")
            if kind == "json" and stem.isdecimal() and name not in self.submissions:
                with suppress(*UNREADABLE):
                    self.submissions[name] = submission_from(load(self.pool, name))
        self.known = replace(self.known, submissions=tuple(self.submissions.values()))

    def _read_hosts(self) -> None:
        """Elements that run: what their files say does not change, so each is read once."""
        numbers = {int(name) for name in os.listdir(self.elements) if name.isdecimal()}
        hosts = {number: host for number, host in self.known.hosts.items() if number in numbers}
        for number in numbers - hosts.keys():
            with suppress(OSError, IndexError), open(os.path.join(self.elements, str(number))) as file:
                hosts[number] = file.read().split()[0]
        self.known = replace(self.known, hosts=hosts)


class Files(threading.Thread):
    """Reads at intervals, tells the event loop what is known, and writes what the event loop offers."""

    def __init__(self, reader: Reader, output: str, loop: AbstractEventLoop, take: Callable[[Known], None]) -> None:
        super().__init__(name="hpc-launch files", daemon=True)
        self.reader, self.output, self.loop, self.take = reader, output, loop, take
        self.look_every, self.quiet_every = seconds("look", 2), seconds("quiet", 10)
        self.woken = threading.Event()
        self.kept = False
        """Whether a keeper is at work."""
        self.expected_until = time.monotonic() + SELDOM * self.quiet_every
        """Until then one may begin at any moment."""
        self.changing = True
        """Whether anything changes just now: set by the event loop."""
        self.unresolved = False
        """Whether there is a worker whose element or group is not known yet: set by the event loop."""
        self.offered: Mapping[str, Any] | None = None
        self.written: Mapping[str, Any] | None = None
        self.write_at_once = False
        self.written_at = 0.0
        self.read_at_once = True
        self.read_at = 0.0

    def poke(self) -> None:
        """Read now."""
        self.read_at_once = True
        self.woken.set()

    def expect_keeper(self) -> None:
        """Read now, and often for a while."""
        self.expected_until = time.monotonic() + SELDOM * self.quiet_every
        self.poke()

    def offer(self, document: Mapping[str, Any], at_once: bool) -> None:
        """This may be written; what was offered before and is not yet written is left out."""
        self.offered = document
        if at_once:
            self.write_at_once = True
            self.woken.set()

    def run(self) -> None:
        with suppress(RuntimeError):  # the event loop has ended
            while not self.loop.is_closed():
                self.turn(time.monotonic())
                self.woken.wait(max(0.01, self.next_read() - time.monotonic()))
                self.woken.clear()

    def write(self, text: str) -> None:
        """A reader on any node sees the old text or the new one, never a part."""
        with open(self.output + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(self.output + ".new", self.output)

    def next_read(self) -> float:
        if self.kept:
            return self.read_at + (self.look_every if self.changing else self.quiet_every)
        soon = self.unresolved or self.read_at < self.expected_until
        return self.read_at + (self.look_every if soon else SELDOM * self.quiet_every)

    def turn(self, now: float) -> None:
        """While nothing changes, what is written takes the place of a look: no more than one of them in ten seconds.

        Without a keeper nobody needs to be told that nothing changes.
        """
        if self.write_at_once or (self.kept and now >= self.written_at + TELL_AGAIN * self.quiet_every):
            self.write_at_once, self.written_at = False, now
            document = self.offered
            if document is not None and document is not self.written:
                with suppress(OSError):
                    self.write(json.dumps(document))
                    self.written = document
                self.read_at = self.read_at if self.changing else now
        if self.read_at_once or now >= self.next_read():
            self.read_at_once, self.read_at = False, now
            self.kept = self.reader.sees_keeper()
            known = self.reader.read(self.unresolved, self.kept)
            self.loop.call_soon_threadsafe(self.take, known)
