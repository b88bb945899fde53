"""A draft of a site profile for this machine."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

from hpc_launch.batch.machine import Machine
from hpc_launch.config.document import parse_document
from hpc_launch.context import Context
from hpc_launch.survey import host, live
from hpc_launch.survey.draft import draft


@dataclass(frozen=True)
class Discovered:
    """What was found, and the draft that was made of it."""

    machine: Machine
    host: host.Host
    text: str

    def as_json(self) -> dict[str, Any]:
        """`site discover --json`: the profile's keys, what it could not say, and everything that was found."""
        machine = asdict(self.machine)
        machine["resources"] = sorted(self.machine.resources or ())
        machine["more"] = [
            {"key": ".".join(each.key), "value": each.value, "source": each.source} for each in self.machine.more
        ]
        return {
            "schema": 1,
            "site": parse_document(self.text, "the draft").data,
            "not_found": [line.partition("not found: ")[2] for line in self.text.splitlines() if "not found: " in line],
            "machine": machine,
            "host": asdict(self.host),
        }


def discover(batch_system: str | None, context: Context) -> Discovered:
    """Ask this machine; raises as `live.machine` does."""
    machine = live.machine(batch_system)
    here = host.look(context.hostname, context.environment)
    return Discovered(machine, here, draft(machine, here, datetime.date.today()))
