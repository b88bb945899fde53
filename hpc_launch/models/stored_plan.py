"""`plan.json`: a run's plan, as scaling finds it later."""

from __future__ import annotations

import json
from typing import Final

from hpc_launch.models.plan import Plan
from hpc_launch.models.stored import read

SCHEMA: Final = 1


def stored(plan: Plan) -> str:
    """The text of the file; the same plan gives the same bytes."""
    return json.dumps({"schema": SCHEMA, **plan.as_data()}, indent=2, ensure_ascii=False) + "\n"


def read_plan(text: str) -> Plan:
    """The plan again, equal to the one that was stored; raises ValueError for what is none, or of another schema."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.pop("schema", None) != SCHEMA:
        raise ValueError(f"no plan of schema {SCHEMA}")
    return read(Plan, data)
