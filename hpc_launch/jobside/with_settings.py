"""Starts a program of Dask with settings that hold where its user has none.

Arguments: the module, such as ``distributed.cli.dask_worker``, and the program's own. ``HPC_LAUNCH_DASK`` holds the
settings, ``KEY=VALUE`` each. Who has said otherwise, in a variable ``DASK_…`` or in a file of ``~/.config/dask``,
``$DASK_CONFIG`` or ``/etc/dask``, keeps that. So do preloads of theirs, in whose place Dask would take ours.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PRELOADS = {
    "distributed.cli.dask_scheduler": {"--preload": "scheduler"},
    "distributed.cli.dask_worker": {"--preload": "worker", "--preload-nanny": "nanny"},
}
"""Program → option with which files of ours are given to it → where in Dask's configuration the user's stand."""
OURS = "hpc_launch_"


@contextmanager
def quick_imports() -> Iterator[None]:
    """Meanwhile, and as Python ends, nobody looks for garbage; libyaml reads Dask's settings: a fifth less work."""
    gc.disable()  # nothing that is made by an import is garbage
    atexit.register(gc.freeze)  # nor is what is there when Python ends
    try:
        with libyaml():
            yield
    finally:
        gc.enable()


@contextmanager
def libyaml() -> Iterator[None]:
    """Meanwhile libyaml reads what is read with ``yaml.safe_load``, where it is there."""
    import yaml

    usual = yaml.SafeLoader
    yaml.SafeLoader = getattr(yaml, "CSafeLoader", usual)  # type: ignore[misc]
    try:
        yield
    finally:
        yaml.SafeLoader = usual  # type: ignore[misc]


def read_settings_quickly() -> None:
    """Have each worker, which reads its user's settings again, do that with libyaml: otherwise a tenth of its start."""
    import dask.config

    usual = dask.config.refresh

    @functools.wraps(usual)
    def refresh(*args: Any, **options: Any) -> None:
        with libyaml():
            usual(*args, **options)

    dask.config.refresh = refresh


def use_settings() -> None:
    """Set what its user has left to us; what they have not is printed."""
    import dask.config  # alone it knows of no default that `distributed` brings

    for setting in os.environ.get("HPC_LAUNCH_DASK", "").split():
        key, _, written = setting.partition("=")
        ours, theirs = dask.config.interpret_value(written), dask.config.get(key, None)
        if theirs is None:
            dask.config.set({key: ours})
        elif theirs != ours:
            print(f"{key} is {theirs!r}, by your own settings of Dask; otherwise it would be {ours!r} here", flush=True)


def method() -> str:
    """How a nanny starts its worker; the usual one where nobody has said."""
    import dask.config

    return str(dask.config.get("distributed.worker.multiprocessing-method", "forkserver"))


def own_preloads(role: str) -> list[str]:
    """What its user has Dask load into a scheduler, a nanny or a worker."""
    import dask.config

    given: Any = dask.config.get(f"distributed.{role}.preload", None) or []
    return [given] if isinstance(given, str) else [*given]


def with_own_preloads(module: str, words: list[str]) -> list[str]:
    """The words for this program, with the user's preloads behind ours."""
    for option, role in PRELOADS[module].items():
        ours = [at for at, word in enumerate(words[1:], 1) if OURS in word and words[at - 1] == option]
        if ours:
            theirs = [word for each in own_preloads(role) for word in (option, each)]
            words = words[: ours[-1] + 1] + theirs + words[ours[-1] + 1 :]
    return words


def main() -> None:
    name = sys.argv.pop(1)
    with quick_imports():
        use_settings()
        program = importlib.import_module(name)
    sys.argv[1:] = with_own_preloads(name, sys.argv[1:])
    program.main()
