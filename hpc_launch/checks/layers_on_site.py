"""A profile's layers as they are written against the site: told along with what its schema finds."""

from __future__ import annotations

from hpc_launch.batch import dialect_of
from hpc_launch.checks.misfit import Misfit
from hpc_launch.checks.queue_names import no_such_queue, placed
from hpc_launch.config.document import Document
from hpc_launch.config.layers import at, dotted
from hpc_launch.config.origin import Origin
from hpc_launch.config.wording import as_word, nearest
from hpc_launch.errors import Problem
from hpc_launch.models.layout_name import is_known
from hpc_launch.models.profile import AUTO, NONE
from hpc_launch.models.site import Site

OF_JOBS = ("qos", "constraint", "directives")
"""Keys of the run that, where a site forbids them, worker jobs may not have for themselves either."""


def retired(site: Site, site_document: Document) -> list[Problem]:
    """A machine that is no more can be rendered for, not submitted to."""
    if site.status != "retired":
        return []
    successor = f"its successor is {site.successor}: --site {site.successor}" if site.successor else ""
    origin = site_document.origins.get(("status",))
    return [Misfit(f"{site.name} is retired and takes no jobs", origin, successor)]


def problems(document: Document, site: Site, site_document: Document) -> list[Problem]:
    """What the schema cannot know. Works on the layers as written, to be told along with the schema's errors."""
    return [
        *_layout(document, site),
        *_queue(document, site, "queue"),
        *_qos(document, site, "qos"),
        *(problem for workers in _workers(document) for problem in _queue(document, site, *workers, "queue")),
        *(problem for workers in _workers(document) for problem in _qos(document, site, *workers, "qos")),
        *_account(document, site),
        *_policy(document, site, site_document),
    ]


def _workers(document: Document) -> list[tuple[str, ...]]:
    """Where keys of workers stand: those of all, and those of each group."""
    groups = at(document.data, ("workers", "groups"))
    return [("workers",), *(("workers", "groups", str(name)) for name in (groups if isinstance(groups, dict) else ()))]


def _layout(document: Document, site: Site) -> list[Problem]:
    layout = document.data.get("layout", "single-job")
    if layout in site.layouts or not is_known(layout):
        return []
    cause = f"layout: {site.name} does not allow {layout!r}"
    if rule := site.ruled_out.get(layout):
        cause += f": {rule}"
    elif layout == "mpi" and site.launchers.mpi is None:
        cause += ", and names no launcher for MPI (launchers.mpi: mpiexec, say)"
    choose = f"choose another: --set layout={site.layouts[0]}; " if site.layouts else ""
    allowed = f"allowed there: {', '.join(site.layouts) or 'none'}; more: hpc-launch site show {site.name}"
    return [Problem(cause, document.origins.get(("layout",)), choose + allowed)]


def _queue(document: Document, site: Site, *path: str) -> list[Problem]:
    """A word, or a list of them: what else stands there is the schema's to tell."""
    problems = []
    for place, queue in placed(path, at(document.data, path)) if site.queues else ():
        key, origin = dotted(place), document.origins.get(place)
        if queue == AUTO and path != ("queue",):
            hint = "name one, or leave it out: workers then go where the run goes"
            problems.append(Problem(f"{dotted(path)}: auto is for `queue` alone", origin, hint))
        elif queue != AUTO and queue not in site.queues:
            several = _as_list(site, queue)
            cause = f"{site.name} has no queue {queue!r}" if several else no_such_queue(site, queue)
            hint = several or f"queues of {site.name}: {', '.join(site.queues)}"
            problems.append(Problem(f"{key}: {cause}", origin, hint))
    return problems


def _as_list(site: Site, word: str) -> str:
    """How to write several queues that stand in one word; empty: they are none, or no job may name several."""
    names = word.split(",")
    several = len(names) > 1 and dialect_of(site.batch_system).between_queues is not None
    return f"write [{', '.join(names)}]" if several and {*names} <= {*site.queues} else ""


def _qos(document: Document, site: Site, *path: str) -> list[Problem]:
    """A site that lists none leaves it to its batch system."""
    qos = as_word(at(document.data, path))
    if qos is None or not site.qos or qos in site.qos:
        return []
    near = nearest(qos, site.qos)
    cause = f"{dotted(path)}: {site.name} has no QOS {qos!r}" + (f"; did you mean {near!r}?" if near else "")
    return [Problem(cause, document.origins.get(path), f"those of {site.name}: {', '.join(site.qos)}")]


def _account(document: Document, site: Site) -> list[Problem]:
    if site.account != "required" or document.data.get("account") is not None:
        return []
    hint = "add `account: NAME` to the profile, or --set account=NAME"
    return [Problem(f"account: {site.name} wants an account on every job", document.whole, hint)]


def _policy(document: Document, site: Site, site_document: Document) -> list[Problem]:
    problems = []
    defaults = Document(site.defaults, {}, ())
    for number, key in enumerate(site.policy.required):
        of_workers = key.startswith("workers.") and document.data.get("workers") == NONE
        if at(document.data, tuple(key.split("."))) is None and not of_workers:
            rule = _rule(site_document, "required", number)
            hint = f"add it to the profile, or --set {key}=…; the rule is at {rule}"
            problems.append(Problem(f"{key}: {site.name} asks every user to set it", document.whole, hint))
    for number, key in enumerate(site.policy.forbidden):
        for path in _also_of_workers(document, tuple(key.split("."))):
            if at(document.data, path) is not None and at(defaults.data, path) != at(document.data, path):
                cause = f"{dotted(path)}: {site.name} does not let users set it"
                hint = f"leave it out; the rule is at {_rule(site_document, 'forbidden', number)}"
                problems.append(Problem(cause, document.origins.get(path), hint))
    return problems


def _also_of_workers(document: Document, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A key, and those that say the same of the worker jobs, or of a group."""
    if path[0] == "workers":
        return [(*workers, *path[1:]) for workers in _workers(document)]
    return [path, *((*workers, *path) for workers in _workers(document) if path[0] in OF_JOBS)]


def _rule(site_document: Document, kind: str, number: int) -> Origin:
    return site_document.origins[("policy", kind, number)]
