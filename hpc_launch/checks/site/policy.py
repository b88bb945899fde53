"""The keys of profiles that users must, or must not, set."""

from __future__ import annotations

from collections.abc import Iterator

from hpc_launch.checks.site.places import word, words
from hpc_launch.checks.site.profile_keys import given
from hpc_launch.config.document import Document
from hpc_launch.config.layers import at
from hpc_launch.config.origin import KeyPath
from hpc_launch.errors import Problem
from hpc_launch.models.profile import Profile

NEEDED = {"workers.count": "every profile has it", "workload": "every profile has it"}
"""What the schema of profiles requires."""


def keys(document: Document) -> Iterator[Problem]:
    """Both lists are of keys that profiles have."""
    for kind in ("required", "forbidden"):
        for path, key in words(document, ("policy", kind)):
            unknown = _unknown_part(tuple(key.split(".")))
            if unknown is not None:
                from hpc_launch.config.keys import advice_on_unknown

                cause = f"policy.{kind}: {key!r} is not a key of profiles"
                yield Problem(cause, document.origins.get(path), advice_on_unknown(Profile, unknown))


def clashes(document: Document) -> Iterator[Problem]:
    """What is forbidden is not required, nor is a key below it. What `defaults` set, no user has to."""
    required = dict(NEEDED)
    if word(document, ("account",)) == "required":
        required["account"] = "account: required"
    required |= {key: "policy.required" for _, key in words(document, ("policy", "required"))}
    usual = given(document)
    left = {key: why for key, why in required.items() if at(usual, tuple(key.split("."))) is None}
    for path, key in words(document, ("policy", "forbidden")):
        for other, why in left.items():
            if other == key or other.startswith(f"{key}."):
                wanted = f"{key} is required too" if other == key else f"{key} forbids {other}, which is required"
                cause = f"policy.forbidden: {wanted}: no profile could satisfy both ({why})"
                hint = f"keep one of the two, or set {other} in defaults"
                yield Problem(cause, document.origins.get(path), hint)


def _unknown_part(path: tuple[str, ...]) -> KeyPath | None:
    """The beginning of a path at which it leaves the keys of profiles; None: it is one of them."""
    from hpc_launch.config.keys import keys_of, models_at

    for length, name in enumerate(path):
        models = models_at(Profile, path[:length])
        if any(name in keys_of(model) for model in models):
            continue
        return None if length == len(path) - 1 and name and _names_are_free(path[:length]) else path[: length + 1]
    return None


def _names_are_free(path: tuple[str, ...]) -> bool:
    """Whether users choose the names below a key, as in `workers.resources`."""
    from typing import get_origin

    from hpc_launch.config.keys import keys_of, models_at

    return any(get_origin(keys_of(model).get(path[-1])) is dict for model in models_at(Profile, path[:-1]) if path)
