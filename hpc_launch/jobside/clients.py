"""Which of the scheduler's clients are a user's."""

from __future__ import annotations

NOT_OF_USERS = ("fire-and-forget", "Client-hpc-launch-", "Client-worker-")
"""How the others begin: Dask's own, those of hpc-launch, made as ``Client(name="hpc-launch")``, and those that workers
keep for their tasks."""


def is_a_users(client: str) -> bool:
    return not client.startswith(NOT_OF_USERS)
