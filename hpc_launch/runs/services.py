"""The pages that a run serves, Dask's dashboard and JupyterLab: where they are, and which file holds the token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

LOOPBACK = "127.0.0.1"
PATHS = {"dashboard": "/status", "jupyter": "/lab"}
TOKENS = {"dashboard": "token", "jupyter": "jupyter-token"}
"""What opens each: a file of `state/N/`, which goes when the run ends."""


@dataclass(frozen=True)
class Page:
    """Where one of them is."""

    host: str
    """The node's own name."""
    address: str
    """Where it listens on it: on loopback for that node alone."""
    port: int | None
    """None: it is not there."""
    path: str
    token_file: Path | None
    """None: there is no token, in runs of earlier versions."""
    lacks: str = ""
    """Why it is not there; nothing where all is well. Other pages may be served at its port all the same."""

    @property
    def is_there(self) -> bool:
        """Whether somebody who goes there finds it."""
        return self.port is not None and not self.lacks

    @property
    def url(self) -> str | None:
        """As the node has it, without the token."""
        return f"http://{self.address}:{self.port}{self.path}" if self.is_there else None

    @property
    def on_loopback(self) -> bool:
        """Whether its node alone reaches it."""
        return self.address == LOOPBACK

    def query(self) -> str:
        """What opens it, to be put behind the address; raises OSError where the token is gone."""
        return "?" + urlencode({"token": self.token_file.read_text().strip()}) if self.token_file else ""

    def as_json(self) -> dict[str, Any]:
        """What `status --json` says of it."""
        token_file = str(self.token_file) if self.token_file else None
        return {
            "host": self.host,
            "port": self.port,
            "url": self.url,
            "token_file": token_file,
            "lacks": self.lacks or None,
        }

    def sentence(self) -> str:
        """The same in a few words."""
        where = f" on {self.host} itself" if self.on_loopback else ""
        return f"{self.url}{where}" if self.is_there else self.lacks


def page(state: Path, name: str, text: str) -> Page | None:
    """What the job wrote of its dashboard, or of its JupyterLab; None: nothing, or nothing that can be understood.

    Args:
        state: the directory of the attempt.
        name: `dashboard` or `jupyter`.
        text: of the file that tells it.
    """
    try:
        told = json.loads(text)
        host, address, port, lacks = (told[key] for key in ("host", "address", "port", "lacks"))
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    texts = all(isinstance(each, str) and each.isprintable() for each in (host, address, lacks))
    number = isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536
    if told.get("schema") != 1 or not texts or not (number or (port is None and lacks)):
        return None
    return Page(host, address, port, PATHS[name], state / TOKENS[name], lacks)
