"""Profile × site: the layers merged, checked as a whole, with the origin of every value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from hpc_launch import sites
from hpc_launch.checks import layers_on_site
from hpc_launch.checks import site as site_checks
from hpc_launch.checks.misfit import refuse
from hpc_launch.config.assignments import parse_assignments
from hpc_launch.config.document import Document, load_document, load_text, parse_document
from hpc_launch.config.kinds import of_another_kind
from hpc_launch.config.layers import merge
from hpc_launch.config.origin import BUILT_IN, Origin
from hpc_launch.config.validation import validate
from hpc_launch.config.wording import as_word, printable
from hpc_launch.context import Context
from hpc_launch.errors import InvalidConfiguration, Problem
from hpc_launch.models.profile import Profile
from hpc_launch.models.site import Site


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
    group: str | None = None
    """Of the run's groups of workers, the one whose keys `profile.workers` are; None: they are those of all workers."""

    @property
    def workers_path(self) -> tuple[str, ...]:
        """Where the keys of its workers stand."""
        return ("workers",) if self.group is None else ("workers", "groups", self.group)

    def of_group(self, name: str | None) -> Resolved:
        """The same for the workers of a group; the whole run, where the profile has none, or for no group."""
        workers = self.profile.workers
        if name is None or not workers.groups:
            return self
        return replace(self, profile=self.profile.model_copy(update={"workers": workers.of_group(name)}), group=name)

    def of_groups(self) -> list[Resolved]:
        """One for each group of workers, in order; the whole run, where the profile has workers, but no groups."""
        if not self.profile.has_workers:
            return []
        return [self.of_group(name) for name in self.profile.workers.groups or [None]]

    def origin(self, *path: str | int) -> Origin:
        """Where a value was set; of its nearest parent where it was not set itself."""
        if self.group is not None and path[:1] == ("workers",) and not self.is_for_all(*path[1:2]):
            path = (*self.workers_path, *path[1:])
        return (self.document.nearest(*path) if path else self.document.whole) or BUILT_IN

    def is_for_all(self, *key: str | int) -> bool:
        """Whether a key of the workers is said of all of them, and not of this group."""
        origins = self.document.origins
        return ("workers", *key) in origins and (*self.workers_path, *key) not in origins

    def said_by_site(self, *path: str) -> str:
        """Where the site profile says it."""
        return str(self.site_document.origins.get(path, f"{BUILT_IN} of site profiles"))


class Given(NamedTuple):
    """What was given for a profile."""

    file: Path
    """Paths in it are relative to where this is."""
    text: str
    document: Document


def load(file: Path, context: Context) -> Given:
    """A profile's file; raises InvalidConfiguration where it cannot be read, or is something else."""
    text = load_text(context.directory / file, str(file))  # once: what a command prints cannot be read twice
    own = parse_document(text, str(file))
    refuse(of_another_kind(Profile, own))
    return Given(file, text, own)


def resolve(
    file: Path,
    context: Context,
    site: str | None = None,
    assignments: Sequence[str] = (),
    *,
    to_submit: bool = False,
) -> Resolved:
    """Load a profile and its site; raises InvalidConfiguration with everything that is wrong in both.

    `to_submit`: of a site that is retired nothing else is said; raises DoesNotFit.
    """
    given = load(file, context)
    options = [parse_assignments(assignments)]
    if site is not None:
        options.append(Document({"site": site}, {("site",): Origin(f"--site {printable(site)}")}, ()))
    return resolve_given(given, context, above=options, to_submit=to_submit)


def resolve_given(
    given: Given,
    context: Context,
    below: Sequence[Document] = (),
    above: Sequence[Document] = (),
    *,
    to_submit: bool = False,
) -> Resolved:
    """The same with layers below all others, and above the profile."""
    user_file = context.configuration / "config.yaml"
    user = load_document(user_file, may_be_empty=True) if user_file.is_file() else Document({}, {}, ())
    problems: list[Problem] = []
    try:
        found = _site(merge([*below, user, given.document, *above]), context)
    except InvalidConfiguration as broken:
        problems, found = list(broken.problems), None
    refuse(layers_on_site.retired(found.site, found.document) if found and to_submit else ())
    layers = [*below, *([site_checks.layer(found.document)] if found else []), user, given.document, *above]
    document = merge(layers)
    profile, wrong = validate(Profile, document)
    wrong += layers_on_site.problems(document, found.site, found.document) if found else []
    refuse(sorted([*problems, *wrong], key=_place))
    assert profile is not None and found is not None
    profile = profile if profile.name else profile.model_copy(update={"name": _name(given.file)})
    return Resolved(profile, found.site, document, given.file, given.text, found.document, found.text)


def _site(document: Document, context: Context) -> sites.SiteFile:
    name = as_word(document.data.get("site"))
    if name is None:
        return sites.detect(context)
    origin = document.origins[("site",)]
    # A path is relative to the file that it stands in.
    base = context.directory if origin.line is None else (context.directory / origin.source).parent
    return sites.find(name, context, origin, base)


def _name(file: Path) -> str:
    """The file's stem as a run's name: what may not stand in a job's name becomes ``-``."""
    import re

    return re.sub(r"^[^A-Za-z]+", "", re.sub(r"[^A-Za-z0-9_.-]+", "-", file.stem))[:64].strip("-") or "run"


def _place(problem: Problem) -> tuple[str, int]:
    origin = problem.origin
    return (origin.source, origin.line or 0) if origin else ("", 0)
