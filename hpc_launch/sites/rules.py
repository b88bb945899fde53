"""What a site profile's schema cannot know: names that must be found elsewhere, and keys of profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_args

from hpc_launch import template_names
from hpc_launch.config.document import Document
from hpc_launch.config.layers import merge
from hpc_launch.config.origin import KeyPath
from hpc_launch.config.validation import validate
from hpc_launch.config.wording import dotted, nearest
from hpc_launch.errors import Problem
from hpc_launch.models.profile import AUTO, Profile
from hpc_launch.models.site import Layout

UNSAID: dict[str, Any] = {"workers": {"count": 1_000_000}, "workload": {"command": ["true"]}}
"""What every profile has to set and a site has no opinion on: of workers as many as can be, since `minimum` is less."""


def problems(document: Document) -> list[Problem]:
    """All that is wrong beyond the schema, by line; works on what is written, to be told along with its errors."""
    found = [problem for rule in RULES for problem in rule(document)]
    return sorted(found, key=lambda problem: (problem.origin.line or 0) if problem.origin else 0)


def defaults(document: Document) -> tuple[Profile | None, list[Problem]]:
    """The profile that a site's `defaults` are by themselves, and what is wrong in them, at the site's own lines."""
    given = document.data.get("defaults")
    origins = {path[1:]: origin for path, origin in document.origins.items() if path[:1] == ("defaults",)}
    layer = Document(given if isinstance(given, dict) else {}, origins, ())
    return validate(Profile, merge([Document(UNSAID, {}, ()), layer]))


def _defaults(document: Document) -> Iterator[Problem]:
    yield from defaults(document)[1]


def _batch_system(document: Document) -> Iterator[Problem]:
    yield from _template(document, "directives", ("batch_system",))


def _launchers(document: Document) -> Iterator[Problem]:
    for kind in ("node", "mpi"):
        path = ("launchers", kind)
        yield from _template(document, f"launchers/{kind}", path if _word(document, path) else (*path, "name"))


def _template(document: Document, folder: str, path: KeyPath) -> Iterator[Problem]:
    """A name for which there must be a template; plug-ins are looked for only when it is not among ours."""
    name = _word(document, path)
    if name is not None and not template_names.is_ours(folder, name) and name not in template_names.known(folder):
        key = ".".join(map(str, path[:2]))  # `launchers.node`, and not its `name`
        yield template_names.no_such(folder, name, key, document.origins.get(path))


def _queues(document: Document) -> Iterator[Problem]:
    queues = _mapping(document, ("queues",))
    retired = _mapping(document, ("retired_queues",))
    if not queues:
        return
    for path in (("defaults", "queue"), ("defaults", "workers", "queue")):
        name = _word(document, path)
        if name == AUTO and len(path) == 2:
            continue
        for problem in _member(document, path, queues, "the queues"):
            gone = f"{retired[name]}; " if name in retired else ""
            yield Problem(problem.message, problem.origin, f"{gone}{problem.hint}")


def _qos(document: Document) -> Iterator[Problem]:
    """A quality of service is named and has no rule: only where there are rules, for else nobody knows its limits."""
    known = _mapping(document, ("qos",))
    if known:
        yield from _member(document, ("defaults", "qos"), known, "those under qos")
        for queue in _mapping(document, ("queues",)):
            yield from _member(document, ("queues", queue, "qos"), known, "those under qos")


def _layout(document: Document) -> Iterator[Problem]:
    allowed = [each for _, each in _words(document, ("layouts",))]
    if allowed:
        yield from _member(document, ("defaults", "layout"), allowed, "the layouts")
    # A profile that extends another may allow what the parent ruled out; without any `layouts` it means them.
    if "layouts" not in document.data:
        for layout in _mapping(document, ("ruled_out",)):
            origin, left = document.origins.get(("ruled_out", layout)), [*get_args(Layout)]
            hint = f"add layouts: [{', '.join(each for each in left if each != layout)}]"
            yield Problem(f"ruled_out: {layout} is among the layouts, for all are where none are named", origin, hint)


def _member(document: Document, path: KeyPath, among: Iterable[str], what: str) -> Iterator[Problem]:
    name, known = _word(document, path), list(among)
    if name is not None and name not in known:
        near = nearest(name, known)
        cause = f"{dotted(path)}: {name!r} is not one of {what}" + (f"; did you mean {near!r}?" if near else "")
        yield Problem(cause, document.origins.get(path), f"there are: {', '.join(known)}")


def _policy(document: Document) -> Iterator[Problem]:
    required = [key for _, key in _words(document, ("policy", "required"))]
    for kind in ("required", "forbidden"):
        for path, key in _words(document, ("policy", kind)):
            origin = document.origins.get(path)
            unknown = _unknown_part(tuple(key.split(".")))
            if unknown is not None:
                from hpc_launch.config.keys import advice_on_unknown

                cause = f"policy.{kind}: {key!r} is not a key of profiles"
                yield Problem(cause, origin, advice_on_unknown(Profile, unknown))
            elif kind == "forbidden" and key in required:
                yield Problem(f"policy.forbidden: {key} is required too: no profile could satisfy both", origin)


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


def _at(document: Document, path: KeyPath) -> Any:
    value: Any = document.data
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _word(document: Document, path: KeyPath) -> str | None:
    """The word at a place; numbers are what YAML made of one. None: there is none."""
    value = _at(document, path)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _words(document: Document, path: KeyPath) -> list[tuple[KeyPath, str]]:
    """The words of a list, each with its own place."""
    value = _at(document, path)
    found = [((*path, number), each) for number, each in enumerate(value if isinstance(value, list) else [])]
    return [(place, each) for place, each in found if isinstance(each, str)]


def _mapping(document: Document, path: KeyPath) -> dict[str, Any]:
    value = _at(document, path)
    return value if isinstance(value, dict) else {}


RULES: tuple[Callable[[Document], Iterator[Problem]], ...] = (
    _batch_system,
    _launchers,
    _queues,
    _qos,
    _layout,
    _policy,
    _defaults,
)
