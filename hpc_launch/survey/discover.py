"""A draft of a site profile for this machine."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

from hpc_launch.batch.machine import Machine
from hpc_launch.config.document import parse_document
from hpc_launch.context import Context
from hpc_launch.survey import batch_system_here, host
from hpc_launch.survey.draft import Draft, draft


@dataclass(frozen=True)
class Discovered:
    """What was found, and the draft that was made of it."""

    machine: Machine
    host: host.Host
    draft: Draft
    notes: tuple[str, ...] = ()
    """What else there is to know: other batch systems that are here, and do not answer."""

    @property
    def text(self) -> str:
        """The draft, as YAML."""
        return self.draft.text

    @property
    def not_found(self) -> tuple[str, ...]:
        """`KEY: why` for what the draft could not say."""
        return self.draft.not_found

    def as_json(self) -> dict[str, Any]:
        """`site discover --json`: the profile's keys, what it could not say, and everything that was found."""
        return {
            "schema": 1,
            "site": parse_document(self.text, "the draft").data,
            "not_found": list(self.not_found),
            "notes": list(self.notes),
            "machine": _plain(self.machine),
            "host": asdict(self.host),
        }


def _plain(machine: Machine) -> dict[str, Any]:
    """The machine as JSON has it: what is None stays so, sets are lists in order."""
    plain = asdict(machine)
    if machine.resources is not None:
        plain["resources"] = sorted(machine.resources)
    if machine.environments is not None:
        plain["environments"] = {
            name: {**asdict(each), "queues": sorted(each.queues)} for name, each in machine.environments.items()
        }
    plain["more"] = [{"key": ".".join(each.key), "value": each.value, "source": each.source} for each in machine.more]
    return plain


def discover(batch_system: str | None, context: Context) -> Discovered:
    """Ask this machine; raises as `batch_system_here.listen` and `draft.draft` do."""
    heard = batch_system_here.listen(batch_system)
    here = host.look(context.hostname, context.environment)
    made = draft(heard.machine, here, datetime.date.today())
    return Discovered(heard.machine, here, made, heard.notes)
