"""What a batch system's template of directives speaks of, seen without reading it as one (as `template_names.says`)."""

from __future__ import annotations

import re

from hpc_launch import template_names


def option_of(batch_system: str | None, value: str) -> str | None:
    """The option with which it writes a value, and which a site may reject: of `job.queue`, `--partition` or `-q`."""
    written = re.search(
        rf'\bline\(plan, "(-[^"]+)", [^)}}]*\b{re.escape(value)}\b', template_names.text_of(batch_system or "")
    )
    return written.group(1) if written else None


def reads(batch_system: str | None, value: str) -> bool:
    """Whether it asks for a value, such as `plan.parallel_environments`."""
    return value in template_names.text_of(batch_system or "")
