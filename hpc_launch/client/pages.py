"""The pages that a run serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from hpc_launch.runs.settle import View

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Page:
    """Where one of them is."""

    host: str
    """The node's own name."""
    address: str
    """Where it listens on it."""
    port: int
    path: str
    token_file: Path
    lacks: str = ""

    @property
    def on_loopback(self) -> bool:
        return self.address == LOOPBACK

    def query(self) -> str:
        """What opens it; raises OSError where the token is gone."""
        return "?" + urlencode({"token": self.token_file.read_text().strip()}) if self.token_file.exists() else ""


def pages(view: View) -> dict[str, Page]:
    """`dashboard` → where it is."""
    evidence = view.evidence
    if view.standing.over or not evidence.progress or not evidence.progress.dashboard:
        return {}
    token = view.directory / "state" / str(evidence.attempt) / "token"
    return {"dashboard": Page(evidence.host or "", LOOPBACK, evidence.progress.dashboard, "/status", token)}
