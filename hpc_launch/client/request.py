"""What `HPCCluster(…)` asks for, prepared for a site: a profile, keys of one, dask-jobqueue's words, or nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import yaml

from hpc_launch.client import jobqueue
from hpc_launch.config.document import Document
from hpc_launch.config.layers import merge
from hpc_launch.config.origin import KeyPath, Origin
from hpc_launch.config.wording import dotted
from hpc_launch.context import Context
from hpc_launch.errors import Problem, UsageError
from hpc_launch.prepare import Prepared, prepare_resolved
from hpc_launch.resolve import Given, Resolved, load, resolve_given

CALL: Final = Path("HPCCluster")
"""In place of a profile's file, where there is none."""
STANDING: Final = {"workload": "none"}
"""Above all others."""


def prepared(
    profile: str | os.PathLike[str] | None, site: str | None, words: Mapping[str, Any], context: Context
) -> Prepared:
    """A standing cluster, ready to be submitted.

    Args:
        profile: a file, or nothing.
        site: name or path of a site profile; left out: the profile's, or the one of this host.
        words: keys of a profile, which win over the file's, and dask-jobqueue's of one job.
        context: where and who we are.

    Raises:
        InvalidConfiguration, DoesNotFit, UsageError: as `submit` would refuse it.
    """
    jobqueue.refuse_foreign_words(words)
    ours = {word: value for word, value in words.items() if word not in jobqueue.WORDS}
    ours |= {"site": site} if site is not None else {}
    theirs = {word: value for word, value in words.items() if word in jobqueue.WORDS}
    given = Given(CALL, "", Document({}, {}, ())) if profile is None else load(Path(profile), context)
    keys = _document(_plain(ours), None)
    usual = _document(_usual(merge([given.document, keys]).data), "HPCCluster()")

    def resolved(headroom: Fraction) -> Resolved:
        above = [keys, _of_a_job(jobqueue.keys_of(theirs, headroom)), _document(STANDING, "HPCCluster()")]
        found = resolve_given(given, context, below=[usual], above=above, to_submit=True)
        return found if profile is not None else replace(found, text=_text(merge([usual, *above])))

    first = resolved(Fraction(0))
    return prepare_resolved(resolved(first.site.memory.headroom) if theirs else first, context, to_submit=True)


def _usual(asked: dict[str, Any]) -> dict[str, Any]:
    """What holds below all other layers: it begins without workers, of each group that is asked for."""
    workers = asked.get("workers")
    groups = workers.get("groups") if isinstance(workers, dict) else None
    none = {"groups": {name: {"count": 0} for name in groups}} if isinstance(groups, dict) and groups else {"count": 0}
    return {"name": "cluster", "layout": "job-array", "workers": none}


def _plain(value: Any) -> Any:
    """Values as a file would hold them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(below) for below in value]
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise UsageError(Problem(f"{value!r} cannot be the value of a key", hint="texts, numbers, lists and mappings can"))


def _document(data: dict[str, Any], source: str | None) -> Document:
    """A layer of these keys; its values come from `source`, or each from its own keyword."""
    origins: dict[KeyPath, Origin] = {}

    def note(path: KeyPath, value: Any) -> None:
        if path:
            origins[path] = Origin(source or f"HPCCluster({dotted(path)}={_shown(value)})")
        below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, each in below:
            note((*path, key), each)

    note((), data)
    return Document(data, origins, ())


def _shown(value: Any) -> str:
    return "…" if isinstance(value, dict | list) else repr(value)


def _of_a_job(keys: jobqueue.Keys) -> Document:
    data: dict[str, Any] = {}
    for (*above, key), (value, _) in keys.items():
        place = data
        for each in above:
            place = place.setdefault(each, {})
        place[key] = _plain(value)
    found = _document(data, "HPCCluster()")
    return Document(data, {**found.origins, **{path: origin for path, (_, origin) in keys.items()}}, ())


def _text(asked: Document) -> str:
    """What stands in the run's `profile.yaml` where no file was given."""
    return f"# HPCCluster(…)\n{yaml.safe_dump(asked.data, sort_keys=False, allow_unicode=True)}"
