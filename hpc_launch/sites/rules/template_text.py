"""What a batch system's template of directives speaks of, seen without reading it as one (as `template_names.says`)."""

from __future__ import annotations

import re

from hpc_launch import template_names
from hpc_launch.locations import TEMPLATES, plug_in_templates


def option_of(batch_system: str | None, value: str) -> str | None:
    """The option with which it writes a value, and which a site may reject: of `job.queue`, `--partition` or `-q`."""
    written = re.search(rf'\bline\(plan, "(-[^"]+)", [^)}}]*\b{re.escape(value)}\b', _text(batch_system))
    return written.group(1) if written else None


def reads(batch_system: str | None, value: str) -> bool:
    """Whether it asks for a value, such as `plan.parallel_environments`."""
    return value in _text(batch_system)


def _text(batch_system: str | None) -> str:
    """Empty where there is no such template."""
    if batch_system is None:
        return ""
    ours = template_names.is_ours("directives", batch_system)
    if not ours and batch_system not in template_names.known("directives"):
        return ""
    places = [TEMPLATES] if ours else plug_in_templates()
    files = [place / "directives" / f"{batch_system}{template_names.SUFFIX}" for place in places]
    return next((file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()), "")
