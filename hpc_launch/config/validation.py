"""A document against a model: everything that is wrong with it, in the user's own terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from hpc_launch.config.document import Document
from hpc_launch.config.keys import advice_on_unknown, keys_of, models_at
from hpc_launch.config.kinds import of_another_kind
from hpc_launch.config.wording import dotted
from hpc_launch.errors import Problem

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], document: Document, *, whole: bool = True) -> tuple[Model | None, list[Problem]]:
    """The document as a ``model`` (None where it is none), and every problem, by source and line.

    The problems of the document itself are among them. ``model`` forbids extra keys and its validators raise
    `ValueError` with a sentence, which becomes the message. Of a document that is not ``whole``, for what it
    inherits from is not to be had, nothing is said to be missing.
    """
    if wrong_kind := of_another_kind(model, document):
        return None, wrong_kind
    result: Model | None = None
    found: list[Problem] = []
    try:
        result = model.model_validate(document.data)
    except ValidationError as error:
        from hpc_launch.config.complaints import complaints  # a good document starts faster without

        errors = error.errors(include_url=False)
        found = complaints(model, document, [each for each in errors if whole or each["type"] != "missing"])
    found += _unknown_and_set_to_nothing(model, document)
    return result, _in_order([*document.problems, *found], document)


def _unknown_and_set_to_nothing(model: type[BaseModel], document: Document) -> Iterator[Problem]:
    """Keys that are in no merged document, for they are null there, and that nobody knows."""
    for path, origin in document.nothing.items():
        *parent, key = path
        models = models_at(model, tuple(parent))
        if models and not any(key in keys_of(each) for each in models):
            yield Problem(f"{dotted(path)} is not a known key", origin, advice_on_unknown(model, path))


def _in_order(problems: Iterable[Problem], document: Document) -> list[Problem]:
    """By source, in the order in which the document met them, then by line."""
    problems = list(problems)
    known = chain((p.origin for p in document.problems), document.origins.values())
    ranks: dict[str, int] = {}
    for origin in known:
        if origin is not None:
            ranks.setdefault(origin.source, len(ranks))

    def place(problem: Problem) -> tuple[int, int]:
        if problem.origin is None:
            return len(ranks), 0
        return ranks.get(problem.origin.source, len(ranks)), problem.origin.line or 0

    return sorted(problems, key=place)
