"""Profile × site: the layers merged, checked as a whole, with the origin of every value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from hpc_launch import sites
from hpc_launch.config.assignments import parse_assignments
from hpc_launch.config.document import Document, load_document, load_text, parse_document
from hpc_launch.config.kinds import of_another_kind
from hpc_launch.config.layers import at, dotted, merge
from hpc_launch.config.origin import BUILT_IN, Origin
from hpc_launch.config.validation import validate
from hpc_launch.config.wording import as_word, nearest, printable
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.models.profile import AUTO, Profile
from hpc_launch.models.site import Layout, Site
from hpc_launch.sites import rules


@dataclass(frozen=True)
class Resolved:
    """A profile with every layer applied, and the site it is for."""

    profile: Profile
    site: Site
    document: Document
    """The merged layers as written, with origins."""
    file: Path
    """The profile's file."""
    text: str
    site_document: Document
    site_text: str

    def origin(self, *path: str) -> Origin:
        """Where a value was set; of its nearest parent where it was not set itself."""
        for length in range(len(path), 0, -1):
            if found := self.document.origins.get(path[:length]):
                return found
        return (_whole(self.document) if not path else None) or BUILT_IN

    def said_by_site(self, *path: str) -> str:
        """Where the site profile says it."""
        return str(self.site_document.origins.get(path, f"{BUILT_IN} of site profiles"))


def resolve(file: Path, context: Context, site: str | None = None, assignments: Sequence[str] = ()) -> Resolved:
    """Load a profile and its site; raises InvalidConfiguration with everything that is wrong in both."""
    text = load_text(context.directory / file, str(file))  # once: what a command prints cannot be read twice
    own = parse_document(text, str(file))
    if wrong_kind := of_another_kind(Profile, own):
        raise InvalidConfiguration(*wrong_kind)
    options = [parse_assignments(assignments)]
    if site is not None:
        options.append(Document({"site": site}, {("site",): Origin(f"--site {printable(site)}")}, ()))
    user_file = context.configuration / "config.yaml"
    user = load_document(user_file, may_be_empty=True) if user_file.is_file() else Document({}, {}, ())
    problems: list[Problem] = []
    try:
        found = _site(merge([user, own, *options]), context)
    except InvalidConfiguration as broken:
        problems, found = list(broken.problems), None
    layers = [*([rules.layer(found.document)] if found else []), user, own, *options]
    document = merge(layers)
    profile, wrong = validate(Profile, document)
    wrong += _against_site(document, found.site, found.document) if found else []
    if problems or wrong or profile is None or found is None:
        raise InvalidConfiguration(*sorted([*problems, *wrong], key=_place))
    profile = profile if profile.name else profile.model_copy(update={"name": _name(file)})
    return Resolved(profile, found.site, document, file, text, found.document, found.text)


def _site(document: Document, context: Context) -> sites.SiteFile:
    name = as_word(document.data.get("site"))
    if name is None:
        return sites.detect(context)
    origin = document.origins[("site",)]
    # A path is relative to the file that it stands in.
    base = context.directory if origin.line is None else (context.directory / origin.source).parent
    return sites.find(name, context, origin, base)


def _against_site(document: Document, site: Site, site_document: Document) -> list[Problem]:
    """What the schema cannot know. Works on the layers as written, to be told along with the schema's errors."""
    return [
        *_layout(document, site),
        *_queue(document, site, "queue"),
        *_queue(document, site, "workers", "queue"),
        *_qos(document, site),
        *_account(document, site),
        *_policy(document, site, site_document),
    ]


def _layout(document: Document, site: Site) -> list[Problem]:
    layout = document.data.get("layout", "single-job")
    if layout not in get_args(Layout) or layout in site.layouts:
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
    queue, origin, key = as_word(at(document.data, path)), document.origins.get(path), dotted(path)
    if queue is None or queue in site.queues or not site.queues:
        return []
    if queue == AUTO:
        hint = "name one, or leave it out: workers then go where the run goes"
        return [] if path == ("queue",) else [Problem(f"{key}: auto is for `queue` alone", origin, hint)]
    allowed = f"queues of {site.name}: {', '.join(site.queues)}"
    return [Problem(f"{key}: {sites.no_such_queue(site, queue)}", origin, allowed)]


def _qos(document: Document, site: Site) -> list[Problem]:
    """A site that lists none leaves it to its batch system."""
    qos = as_word(document.data.get("qos"))
    if qos is None or not site.qos or qos in site.qos:
        return []
    near = nearest(qos, site.qos)
    cause = f"qos: {site.name} has no QOS {qos!r}" + (f"; did you mean {near!r}?" if near else "")
    return [Problem(cause, document.origins.get(("qos",)), f"those of {site.name}: {', '.join(site.qos)}")]


def _account(document: Document, site: Site) -> list[Problem]:
    if site.account != "required" or document.data.get("account") is not None:
        return []
    hint = "add `account: NAME` to the profile, or --set account=NAME"
    return [Problem(f"account: {site.name} wants an account on every job", _whole(document), hint)]


def _whole(document: Document) -> Origin | None:
    """The document, for what is missing in it: its first line has nothing to do with that."""
    origin = document.origins.get(())
    return replace(origin, text="") if origin else None


def _policy(document: Document, site: Site, site_document: Document) -> list[Problem]:
    problems = []
    defaults = Document(site.defaults, {}, ())
    for number, key in enumerate(site.policy.required):
        if at(document.data, tuple(key.split("."))) is None:
            rule = _rule(site_document, "required", number)
            hint = f"add it to the profile, or --set {key}=…; the rule is at {rule}"
            problems.append(Problem(f"{key}: {site.name} asks every user to set it", _whole(document), hint))
    for number, key in enumerate(site.policy.forbidden):
        path = tuple(key.split("."))
        if at(document.data, path) is not None and at(defaults.data, path) != at(document.data, path):
            hint = f"leave it out; the rule is at {_rule(site_document, 'forbidden', number)}"
            problems.append(Problem(f"{key}: {site.name} does not let users set it", document.origins.get(path), hint))
    return problems


def _rule(site_document: Document, kind: str, number: int) -> Origin:
    return site_document.origins[("policy", kind, number)]


def _name(file: Path) -> str:
    """The file's stem as a run's name: what may not stand in a job's name becomes ``-``."""
    import re

    return re.sub(r"^[^A-Za-z]+", "", re.sub(r"[^A-Za-z0-9_.-]+", "-", file.stem))[:64].strip("-") or "run"


def _place(problem: Problem) -> tuple[str, int]:
    origin = problem.origin
    return (origin.source, origin.line or 0) if origin else ("", 0)
