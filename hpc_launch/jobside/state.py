"""Files of the run directory that tell something of this attempt, as a job's Python programs write them."""

from __future__ import annotations

import os

HOST = os.uname().nodename


def path(*names: str) -> str:
    """Of a file in ``state/N``."""
    return os.path.join(os.environ["HPC_LAUNCH_RUN_DIR"], "state", os.environ["HPC_LAUNCH_ATTEMPT"], *names)


def tell(name: str, text: str) -> None:
    """Write such a file. A reader on any node sees the old text or the new one, never a part.

    Several processes may do so at once, of one host or of several.
    """
    part = path(f"{os.path.basename(name)}-{HOST}-{os.getpid()}.new")
    with open(part, "w") as file:
        file.write(text)
    os.replace(part, path(name))


def tell_unfit(sentence: str) -> None:
    """Tell that this host cannot be used, and why."""
    tell(os.path.join("unfit", HOST), sentence + "\n")
