"""Options that several groups of commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from hpc_launch.cli import completion

JSON = Annotated[bool, typer.Option("--json", help="print JSON")]
SITE = Annotated[
    str | None,
    typer.Option(
        "--site",
        metavar="S",
        help="name or path of a site profile",
        show_default=False,
        autocompletion=completion.sites,
    ),
]
