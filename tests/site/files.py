"""Site profiles that tests write, and who looks for them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from hpc_launch.context import Context


def site_file(directory: Path, name: str, file: str = "", **lines: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / (file or f"{name}.yaml")
    keys = {"name": name, "batch_system": "slurm", "queues": "{q: {cores: 4, memory: 8 GiB}}", **lines}
    path.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()))
    return path


def on(context: Context, *directories: Path, **environment: str) -> Context:
    path = ":".join(map(str, directories))
    return dataclasses.replace(context, environment={**environment, "HPC_LAUNCH_SITE_PATH": path})
