"""What a profile asks for and its site refuses is noted: no script says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpc_launch.prepare import Prepared

SITES = Path(__file__).parent / "site"
PROFILE = """\
queue: small
account: proj01
walltime: 10m
workers: {count: 1, memory: 1 GiB}
workload: {command: x}
"""
OPTIONS = {
    "testcluster": ("--partition", "--account"),
    "pbscluster": ("-q", "-A"),
    "lsfcluster": ("-q", "-P"),
    "gridcluster": ("-q", "-P"),
}


@pytest.fixture
def notes(prepared: Callable[..., Prepared], tmp_path: Path) -> Callable[..., list[str]]:
    """Those on such a site, whose only queue is called `small`: ``notes("pbscluster", "queue=small", rejects=[])``."""

    def told(base: str, *assignments: str, queue: dict[str, Any] | None = None, **keys: Any) -> list[str]:
        site = yaml.safe_load((SITES / f"{base}.yaml").read_text())
        site |= {
            "queues": {"small": {"cores": 8, "memory": "16 GiB", **(queue or {})}},
            "detect": {},
            "account": "none",
        }
        site |= {"defaults": {}, "layouts": ["single-job", "job-array"], **keys}
        (tmp_path / "site.yaml").write_text(yaml.safe_dump(site, sort_keys=False))
        made = prepared(PROFILE, *assignments, site="./site.yaml")
        return [note for note in made.planned.notes if "left out" in note]

    return told


@pytest.mark.parametrize("base", OPTIONS)
def test_a_queue_or_an_account_that_no_script_says_is_noted(notes: Callable[..., list[str]], base: str) -> None:
    queue, account = OPTIONS[base]
    assert notes(base) == []
    assert notes(base, rejects=[queue, account]) == [
        f"profile.yaml:2: account is left out of the scripts: {base} refuses {account}",
        f"profile.yaml:1: queue is left out of the scripts: {base} refuses {queue}",
    ]


@pytest.mark.parametrize("base", OPTIONS)
def test_of_worker_jobs_too(notes: Callable[..., list[str]], base: str) -> None:
    option, _ = OPTIONS[base]
    assert notes(base, "workers.queue=small", "queue=null", "layout=job-array", rejects=[option]) == [
        f"--set workers.queue=small: workers.queue is left out of the scripts: {base} refuses {option}"
    ]


def test_what_comes_from_the_site_or_is_said_otherwise_is_no_note(notes: Callable[..., list[str]]) -> None:
    assert notes("testcluster", rejects=["--partition"], defaults={"queue": "small"}) == []
    assert notes("testcluster", rejects=["--partition"], queue={"directives": ["--comment=small"]}) == []
    assert notes("testcluster", rejects=["--account"], directives=["--wckey={account}"]) == []
    assert notes("testcluster", "mail.to=me@x.org", rejects=["--mail-user"]) == [
        "--set mail.to=me@x.org: mail.to is left out of the scripts: testcluster refuses --mail-user"
    ]
