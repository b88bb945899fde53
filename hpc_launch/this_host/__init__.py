"""What a run needs and this host does not have: notes for `check` and `submit`, for nodes may see other things."""

from __future__ import annotations

from dataclasses import replace

from hpc_launch.context import Context
from hpc_launch.models.plan import Plan
from hpc_launch.resolve import Resolved
from hpc_launch.this_host.environments import problems_of_environment
from hpc_launch.this_host.host import Found, Host
from hpc_launch.this_host.programs import problems_of_command, problems_of_directory, problems_of_launcher
from hpc_launch.this_host.shell_lines import problems_of_shell_lines


def notes(resolved: Resolved, plan: Plan, context: Context) -> list[str]:
    """One sentence each, with the place where it is written.

    Files are looked at, bash reads the shell lines, and a Python that may find packages in several places is started.
    """
    host = Host(resolved, plan, context)
    found = [
        *problems_of_environment(host),
        *problems_of_launcher(host),
        *problems_of_directory(host),
        *problems_of_command(host),
        *problems_of_shell_lines(host),
    ]
    return [_sentence(resolved, each) for each in found]


def _sentence(resolved: Resolved, found: Found) -> str:
    document = resolved.site_document if found.of_site else resolved.document
    origin = document.nearest(*found.path) or document.whole
    if origin and origin.line and found.line and origin.text.rstrip().endswith(("|", "|-", "|+")):
        origin = replace(origin, line=origin.line + found.line)
    return f"{origin}: {found.what}"
