"""dask-jobqueue's words of one job, as keys of a profile; and what to say instead of those that have no use here."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from hpc_launch.config.origin import Origin
from hpc_launch.errors import Problem, UsageError
from hpc_launch.units import parse_memory

Keys = dict[tuple[str, ...], tuple[Any, Origin]]
"""Path of a key → its value, and the word that said it."""

IN_OUR_WORDS: Final = {
    "death_timeout": "workers look for their scheduler as long as the run goes on",
    "env_extra": "job_script_prologue=[…], or environment={'setup': …}",
    "extra": "worker_extra_args=[…], or workers={'options': […]}",
    "header_skip": "options that a site refuses stand in its site profile: `rejects`",
    "job_cpu": "cores= and processes=, or workers={'cores': …}",
    "job_directives_skip": "options that a site refuses stand in its site profile: `rejects`",
    "job_extra": "job_extra_directives=[…], or directives=[…]",
    "job_mem": "memory=, or workers={'memory': …}",
    "job_script_epilogue": "nothing runs after the workers have ended",
    "log_directory": "logs are kept with the run: `hpc-launch logs`, or get_logs()",
    "nanny": "workers always have one",
    "protocol": "connections are encrypted; security='none' leaves that out",
    "config_name": "site='…' names a site profile",
    "resource_spec": "it follows from cores, processes and memory",
    "scheduler_options": "scheduler={'interface': …, 'port': …, 'dashboard': …}",
    "dashboard_address": "scheduler={'dashboard': …}; cluster.dashboard_link tells where it is",
    "shared_temp_directory": "the keys of a run are in its directory; the site's `storage.runs` says where those are",
    "silence_logs": "logs are kept with the run: `hpc-launch logs`, or get_logs()",
    "submit_command_extra": "a site's own commands stand in its site profile: `commands`",
    "cancel_command_extra": "a site's own commands stand in its site profile: `commands`",
    "worker_class": "workers are Dask's own",
    "worker_command": "workers are Dask's own",
    "image": "environment={'container': {'image': …}}",
    "worker_cores": "workers={'cores': …, 'threads': …}",
    "worker_memory": "workers={'memory': …}",
    "cluster_options": "the keys of a profile are given as they are: HPCCluster(queue='…', workers={…})",
}
"""A word of dask-jobqueue or dask-gateway → what to say here."""


def refuse_foreign_words(words: Iterable[str]) -> None:
    """Raise UsageError where some of the words have others in their place here."""
    if found := [word for word in words if word in IN_OUR_WORDS]:
        raise UsageError(*(Problem(f"{word}= has no use here", said(word), IN_OUR_WORDS[word]) for word in found))


def said(word: str, value: Any = ...) -> Origin:
    """Where a keyword stands."""
    return Origin(f"HPCCluster({word}=…)" if value is ... else f"HPCCluster({word}={value!r})")


def _texts(value: Any) -> list[str]:
    """One text, or several; raises ValueError."""
    if not isinstance(value, str | list | tuple):
        raise ValueError("expected a text, or a list of texts")
    return [value] if isinstance(value, str) else [str(each) for each in value]


def _lines(value: Any) -> str:
    return "\n".join(_texts(value))


def _options(value: Any) -> list[str]:
    return [word for text in _texts(value) for word in shlex.split(text)]


def _interpreter(value: Any) -> Any:
    if len(str(value).split()) > 1:
        hint = "environment={'container': {'image': …}} runs everything in a container"
        raise UsageError(Problem("python= names an interpreter, not a command", said("python", value), hint))
    return value


_AS_THEY_ARE: Final[Mapping[str, tuple[tuple[tuple[str, ...], ...], Callable[[Any], Any]]]] = {
    "n_workers": ((("workers", "count"),), lambda value: value),
    "job_name": ((("name",),), lambda value: value),
    "interface": ((("workers", "interface"), ("scheduler", "interface")), lambda value: value),
    "local_directory": ((("workers", "local_directory"),), lambda value: value),
    "job_extra_directives": ((("directives",),), _texts),
    "job_script_prologue": ((("environment", "setup"),), _lines),
    "worker_extra_args": ((("workers", "options"),), _options),
    "python": ((("environment", "python"),), _interpreter),
}
_OF_A_JOB: Final = ("cores", "processes", "memory")
WORDS: Final = frozenset((*_AS_THEY_ARE, *_OF_A_JOB))


def keys_of(words: Mapping[str, Any], headroom: Fraction) -> Keys:
    """What these of dask-jobqueue's words mean.

    Args:
        headroom: share of a node's memory that a site leaves to everything but the workers: `memory` is what the
            job asks for, and theirs is what is left of it.
    """
    found: Keys = {}
    for word, value in words.items():
        if word in _AS_THEY_ARE and value is not None:
            found |= _as_it_is(word, value)
    return found | _sizes(words, headroom)


def _as_it_is(word: str, value: Any) -> Keys:
    paths, read = _AS_THEY_ARE[word]
    try:
        return dict.fromkeys(paths, (read(value), said(word, value)))
    except ValueError as fault:
        raise UsageError(Problem(str(fault), said(word, value))) from None


def _sizes(words: Mapping[str, Any], headroom: Fraction) -> Keys:
    given = {word: words[word] for word in _OF_A_JOB if words.get(word) is not None}
    if not given:
        return {}
    for word in given.keys() - {"memory"}:
        if not isinstance(given[word], int) or given[word] < 1:
            raise UsageError(Problem("expected a whole number, 1 or more", said(word, given[word])))
    origins = {word: said(word, value) for word, value in given.items()}
    cores, memory = given.get("cores"), given.get("memory")
    processes = given.get("processes") or _usual_processes(cores)
    found: Keys = {("workers", "per_node"): (processes, origins.get("processes") or next(iter(origins.values())))}
    if cores:
        found["workers", "threads"] = max(1, cores // processes), origins["cores"]
    if memory:
        found["workers", "memory"] = f"{int(_bytes(memory) * (1 - headroom)) // processes} B", origins["memory"]
    return found


def _usual_processes(cores: int | None) -> int:
    """As dask-jobqueue has it."""
    from distributed.deploy.utils import nprocesses_nthreads

    return 1 if cores is None else int(nprocesses_nthreads(cores)[0])


def _bytes(memory: Any) -> int:
    try:
        return parse_memory(memory)
    except ValueError as fault:
        raise UsageError(Problem(str(fault), said("memory", memory))) from None
