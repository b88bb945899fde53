"""Random profiles and site profiles of the wrong kind: every key the schema knows, with every kind of value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

Tree = dict[str, Any]
"""Keys as YAML spells them → trees, or values as YAML spells them."""
Keys = tuple[str, ...]
WORDS = (
    *("null", "~", "", "true", "false", "yes", "on", "0", "1", "-1", "+7", "1.5", "-0.0", "1e5", "1e999", "3.10"),
    *(".nan", ".inf", "-.inf", "nan", "inf", "0x1f", "0o17", "0755", "1_000", "12:00:00", "1-12:00:00", "190:20:30"),
    *("2026-11-22", "2026-11-22T10:00:00Z", "9" * 18, "9" * 19, "9" * 4299, "-" + "9" * 5000, "1" * 400 + ".5"),
    *(
        "0.0000001",
        "1e-320",
        "9" * 310 + ".0",
        "123456789 GiB",
        "999999999999999 TB",
        "99999999d",
        "0s",
        "100%",
        "1e-400",
    ),
    *("x" * 70, "y" * 5000, "a b", '" "', '""', '"\\n"', '"\\t"', '"\\0"', '"\\e[31m"', '"\\ud800"', '"\\u2028"'),
    *(
        "ä",
        "日本",
        "🦆",
        "'$(id)'",
        "'`id`'",
        "'a;b'",
        "'#'",
        "'%s{}'",
        "'{0}'",
        "'{value!r}'",
        "'{{ x }}'",
        "'{% x %}'",
    ),
    *(
        "../..",
        "/",
        "~",
        "'~root/x'",
        "'~/x'",
        "$HOME",
        "'${X'",
        "'-'",
        "--x",
        "'--x=1'",
        "'*'",
        "'['",
        "'(?P<'",
        "'a{99999}'",
    ),
    *("[]", "{}", "[[]]", "[{}]", "{a: b}", "[a, b]", "[1, null, true]", "{1: 2}", "{null: null}", "{true: 1}"),
    *("{2026-11-22: 1}", "{1.5: x}", "{? [a] : b}", "{? {a: b} : c}", "{<<: {a: 1}}", "{<<: [{a: 1}]}", "{'': 1}"),
    *(
        "{a: 1, a: 2}",
        "&a [1]",
        "*a",
        "&b {x: *b}",
        "!!int x",
        "!!str 1",
        "!!binary aGk=",
        "!!python/none x",
        "! 1",
        "!!set {a}",
    ),
    *(
        "[" * 60 + "]" * 60,
        "{a: " * 60 + "}" * 60,
        "auto",
        "none",
        "local",
        "slurm",
        "short",
        "tls",
        "mpi",
        "job-array",
    ),
)
NUMBERS = ("0", "1", "2", "64", "2026", "-1", "1.5", "0.05", "3.11", "100000")
PLAUSIBLE = (
    *("5%", "1 GiB", "900 MB", "10m", "2h30m", "100d", "true"),
    *("false", "null", "auto", "none", "short", "long", "x", "/scratch", "disk", "memory", "ib0", "2026-11-22", "[]"),
    *("{}", "[x]", "{x: 1}", "[single-job]", "slurm", "pbs", "sge", "lsf", "local", "required", "per-node", "--x=1"),
)
KEYS = (
    *(
        "1",
        "null",
        "true",
        "on",
        "1.5",
        ".nan",
        "2026-11-22",
        "~",
        "''",
        "' '",
        '"\\ud800"',
        '"\\n"',
        "k" * 300,
        "9" * 5000,
    ),
    *(
        "<<",
        "? [a, b]\n  ",
        "ä",
        "'$(id)'",
        "'{value!r}'",
        "short",
        "long",
        "'a.b'",
        "'[0]'",
        "'*'",
        "!!int 1",
        "workers",
        "name",
    ),
)


def keys(schema: Tree, root: Tree, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key path that a JSON Schema names; ``*`` where a name is the user's, ``#`` for an item of a list."""
    if above:
        yield above
    if len(above) > 6:
        return
    for part in (schema, *(each for word in ("anyOf", "allOf", "oneOf") for each in schema.get(word, ()))):
        if reference := part.get("$ref"):
            part = at_reference(reference, root)
        for word in ("then", "else"):
            if word in part:
                yield from keys(part[word], root, above)
        for name, below in part.get("properties", {}).items():
            yield from keys(below, root, (*above, name))
        for word, step in (("additionalProperties", "*"), ("items", "#")):
            if isinstance(part.get(word), dict):
                yield from keys(part[word], root, (*above, step))


def at_reference(reference: str, root: Tree) -> Tree:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def spoiled(tree: Tree, paths: list[Keys], random: Random) -> Tree:
    """``tree`` with one to four values put in at paths that the schema knows, or keys that nobody knows."""
    tree = json.loads(json.dumps(tree))
    for _ in range(random.choice((1, 1, 1, 1, 2, 4))):
        *above, last = (step if step != "*" else random.choice(KEYS) for step in random.choice(paths))
        place: Any = tree
        for step in above:
            if step == "#":  # the item of a list as a mapping: a tree of its own
                break
            if not isinstance(place.get(step), dict):
                place[step] = {}
            place = place[step]
        place[random.choice(KEYS) if random.random() < 0.05 or last == "#" else last] = value(random)
    return dict(tree)


def value(random: Random) -> Any:
    """A word of any kind; now and then several in a list or a mapping."""
    kind = random.random()
    if kind < 0.15:
        return random.choice(NUMBERS)
    if kind < 0.45:
        return random.choice(PLAUSIBLE)
    if kind < 0.8:
        return random.choice(WORDS)
    if kind < 0.9:
        return [random.choice(WORDS) for _ in range(random.randint(1, 3))]
    return {random.choice(KEYS): random.choice(WORDS) for _ in range(random.randint(1, 3))}


def as_yaml(tree: Any) -> str:
    """In one line; the top level in lines of their own."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {as_yaml(below)}" for key, below in tree.items()) + "}"
    return f"[{', '.join(map(as_yaml, tree))}]" if isinstance(tree, list) else str(tree)


def document(tree: Tree) -> str:
    """A file's text."""
    return "".join(f"{key}: {as_yaml(below)}\n" for key, below in tree.items())
