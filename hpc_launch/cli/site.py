"""The commands around site profiles."""

from __future__ import annotations

from typing import Annotated

import typer

site = typer.Typer(no_args_is_help=True, help="Look at site profiles.", rich_markup_mode=None)


@site.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """List the site profiles on the search path, broken and shadowed ones too."""
    from hpc_launch import context, sites
    from hpc_launch.cli.output import print_json, say, table

    entries = sites.listed(context.collect())
    rows = [
        {
            "name": entry.name,
            "status": entry.found.site.status if entry.found else "broken",
            "batch_system": entry.found.site.batch_system if entry.found else None,
            "title": entry.found.site.title if entry.found else None,
            "file": str(entry.file),
            "shadowed_by": str(entry.shadowed_by) if entry.shadowed_by else None,
            "error": str(entry.error) if entry.error else None,
        }
        for entry in entries
    ]
    if json:
        return print_json({"schema": 1, "sites": rows})
    print(table(["NAME", "STATUS", "BATCH SYSTEM", "TITLE", "FILE"], [_row(row) for row in rows]))
    for entry in entries:
        if entry.error:
            say(f"broken: {entry.error}")


def _row(row: dict[str, str | None]) -> list[str]:
    status = f"{row['status']}, shadowed by {row['shadowed_by']}" if row["shadowed_by"] else str(row["status"])
    return [str(row["name"]), status, row["batch_system"] or "", row["title"] or "", str(row["file"])]


@site.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="name or path of a site profile", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show one site profile."""
    from hpc_launch import context, sites
    from hpc_launch.cli.output import print_json, say
    from hpc_launch.config.origin import Origin

    here = context.collect()
    found = sites.find(name, here, Origin("site show"), here.directory)
    if json:
        return print_json({"schema": 1, "file": str(found.file), "site": found.document.data})
    say(str(found.file))
    print(found.text, end="")
