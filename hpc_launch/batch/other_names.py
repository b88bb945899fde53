"""What batch systems are called elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

OURS = {
    **dict.fromkeys(("pbspro", "openpbs", "pbsprofessional", "altairpbs"), "pbs"),
    **dict.fromkeys(("gridengine", "sungridengine", "uge", "univagridengine", "age", "ogs", "soge", "ocs"), "sge"),
    **dict.fromkeys(("openlava", "spectrumlsf", "ibmlsf"), "lsf"),
    **dict.fromkeys(("slurmwlm", "sbatch"), "slurm"),
    **dict.fromkeys(("none", "bash", "localhost"), "local"),
}
"""Another name, in small letters and digits → ours. Torque is none: its commands answer in another way than PBS's."""


def meant_by(word: str, known: Iterable[str]) -> str | None:
    """Which of those that are known a word probably means, by another name or by its spelling."""
    import difflib

    folded = re.sub(r"[^a-z0-9]", "", word.casefold())
    if folded in OURS:
        return OURS[folded]
    near = difflib.get_close_matches(folded, [*known], n=1)
    return near[0] if near else None
