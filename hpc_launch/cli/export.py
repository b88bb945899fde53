"""The commands that say in other programs' words what the project knows: editors, dask-jobqueue."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from hpc_launch.cli.options import JSON, SITE

export = typer.Typer(no_args_is_help=True, help="Write a site profile for other programs.", rich_markup_mode=None)


class Document(str, Enum):
    """Of what there is a schema."""

    profile = "profile"
    site = "site"


def schema(
    document: Annotated[Document, typer.Argument(help="of what")] = Document.profile,
) -> None:
    """Print the JSON Schema of profiles or site profiles, for editors."""
    from hpc_launch import schema as schemas
    from hpc_launch.cli.output import print_json

    print_json({Document.profile: schemas.profile_schema, Document.site: schemas.site_schema}[document]())


@export.command()
def jobqueue(
    site: SITE = None,
    queue: Annotated[
        str | None, typer.Option("--queue", metavar="Q", help="default: the site's own", show_default=False)
    ] = None,
    json: JSON = False,
) -> None:
    """Print the site as a section of dask-jobqueue's configuration."""
    from hpc_launch import context, export, sites
    from hpc_launch.cli.output import print_json
    from hpc_launch.config.origin import Origin

    here = context.current()
    found = sites.detect(here) if site is None else sites.find(site, here, Origin(f"--site {site}"), here.directory)
    text = export.jobqueue(found, queue)
    if json:
        import yaml

        return print_json({"schema": 1, "site": found.site.name, "file": str(found.file), **yaml.safe_load(text)})
    print(text, end="")
