"""The documentation says what is true: every key, command, link and profile in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import typer
from pydantic_core import PydanticUndefined

from hpc_launch import errors
from hpc_launch.cli import app
from hpc_launch.models.base import Model
from hpc_launch.models.profile import Profile
from hpc_launch.models.record import Record
from hpc_launch.models.site import Site
from hpc_launch.prepare import Prepared
from hpc_launch.units import exact_memory
from tests.conftest import LEAST, ROOT

Prepare = Callable[..., Prepared]
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
    ]
)
CONTRACTS = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
names = {"ids": lambda path: str(path.relative_to(ROOT)) if isinstance(path, Path) else None}


def section(title: str) -> str:
    """The text of a section of the contracts, up to the next one of its level."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", CONTRACTS, re.M | re.S)
    assert found, title
    return found[1]


def fences(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of each fenced block."""
    yield from re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)


# Keys


def keys(model: type[Model], above: str = "") -> Iterator[tuple[str, Any]]:
    """Each key as the tables write it (`a.b`, `queues.NAME.cores`, `maintainers[].name`) and its default."""
    for name, field in model.model_fields.items():
        path = above + (field.alias or name)
        inner, between = inner_model(field.annotation)
        if inner is not None and not issubclass(model, inner):  # a group has the keys of all workers
            yield from keys(inner, f"{path}{between}.")
        else:
            yield path, field.default


def inner_model(annotation: Any) -> tuple[type[Model] | None, str]:
    """The model within a type, and what stands for the keys or numbers in between."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation, ""
    for argument in get_args(annotation):
        found, between = inner_model(argument)
        if found is not None:
            steps: dict[Any, str] = {list: "[]", dict: ".NAME"}
            return found, steps.get(get_origin(annotation), "") + between
    return None, ""


def written(name: str, value: Any) -> str:
    """A default as the tables write it."""
    if value is PydanticUndefined:
        return "required"
    if value is None or isinstance(value, bool):
        return f"`{ {None: 'null', True: 'true', False: 'false'}[value] }`"
    if isinstance(value, Fraction):
        return f"`{float(value):.0%}`"
    if isinstance(value, list):
        return f"`[{', '.join(value)}]`"
    if name.endswith("memory") and isinstance(value, int):
        return f"`{exact_memory(value)}`"
    return '`""`' if value == "" else f"`{value}`"


def rows(title: str) -> dict[str, list[str]]:
    """The table of keys in a section: key → its other cells."""
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("` "): row[1:] for row in cells}


MODELS = [("profile.yaml", Profile), ("Site profiles", Site)]


@pytest.mark.parametrize(("title", "model"), MODELS)
def test_every_key_is_in_its_table_and_every_row_is_a_key(title: str, model: type[Model]) -> None:
    assert list(rows(title)) == [name for name, _ in keys(model)]


@pytest.mark.parametrize(("title", "model"), MODELS)
def test_the_defaults_in_the_tables_are_those_of_the_models(title: str, model: type[Model]) -> None:
    documented = {name: cells[1] for name, cells in rows(title).items()}
    assert documented == {name: written(name, default) for name, default in keys(model)}


def test_every_key_of_the_record_is_named() -> None:
    text = CONTRACTS.split("### run.json")[1].split("### ")[0]
    for field in fields(Record):
        assert f"`{field.name}`" in text or field.name == "unknown", field.name


# Profiles in the text


def yaml_blocks() -> list[Any]:
    return [
        pytest.param(content, id=f"{path.relative_to(ROOT)}-{number}")
        for path in DOCUMENTS
        for number, (language, content) in enumerate(fences(path.read_text(encoding="utf-8")))
        if language == "yaml"
    ]


@pytest.mark.parametrize("content", yaml_blocks())
def test_every_yaml_block_loads_and_plans(prepared: Prepare, tmp_path: Path, content: str) -> None:
    title = content.splitlines()[0]
    if title == "# profile.yaml":
        assert prepared(content, site=None).plan.jobs
        return
    name = re.fullmatch(r"# (\w+\.yaml)", title)
    assert name, f"a block begins with the name of its file: {title}"
    (tmp_path / name[1]).write_text(content, encoding="utf-8")
    assert prepared(LEAST, "account=a1", site=f"./{name[1]}").plan.jobs


# Links


def anchors(path: Path) -> set[str]:
    """The headings of a document as a link names them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, **names)  # type: ignore[arg-type]
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = path.parent / target if target else path
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


# Commands


def subcommands(group: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Each command's words, with its options."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from subcommands(command, (*above, name))
        else:
            yield (*above, name), {option for parameter in command.params for option in options(parameter)}


def options(parameter: Any) -> list[str]:
    return [option for option in parameter.opts if option.startswith("-")]


COMMANDS = dict(subcommands(typer.main.get_command(app)))


def commands(text: str) -> list[str]:
    """Everything in a document that is to be typed and begins with `hpc-launch`."""
    blocks = [content for language, content in fences(text) if language == "console"]
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    typed = re.findall(r"^\$ (hpc-launch .*)$", "\n".join(blocks), re.M)
    typed += re.findall(r"^ {4}(hpc-launch .*)$", prose, re.M)
    return typed + re.findall(r"`(hpc-launch [^`]+)`", prose)


@pytest.mark.parametrize("path", DOCUMENTS, **names)  # type: ignore[arg-type]
def test_every_command_and_option_in_the_text_exists(path: Path) -> None:
    for line in commands(path.read_text(encoding="utf-8")):
        words = shlex.split(line.partition(" | ")[0])[1:]
        if words in (["--version"], ["--install-completion"]):
            continue
        known = [name for name in COMMANDS if tuple(words[: len(name)]) == name]
        assert known, line
        used = {word for word in words if re.match(r"--?[a-z]", word)}
        assert used <= COMMANDS[known[0]], line


def test_readme_shows_commands_at_all() -> None:
    assert len(commands((ROOT / "README.md").read_text(encoding="utf-8"))) > 10


def test_every_command_is_in_the_contracts_with_all_its_options() -> None:
    table = {
        tuple(word for word in re.sub(r"\[?[A-Z]+\]?", "", name).split()[1:]): set(re.findall(r"`(--?[a-z-]+)", rest))
        for name, rest in re.findall(r"^\| `(hpc-launch [^`]+)` \| ([^|]*) \|", section("Commands"), re.M)
    }
    assert table == COMMANDS


@pytest.mark.parametrize("path", DOCUMENTS, **names)  # type: ignore[arg-type]
def test_every_make_target_in_the_text_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:`| {4})make ([a-z-]+)", text)) <= targets


@pytest.mark.parametrize("path", ["README.md", "docs/contracts.md"])
def test_every_exit_code_is_in_the_table(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)}
    assert documented == {0, 1, 130, *exit_codes(errors.HpcLaunchError)}


def exit_codes(fault: type[errors.HpcLaunchError]) -> set[int]:
    return {fault.exit_code}.union(*map(exit_codes, fault.__subclasses__()))


# Variables


def test_every_variable_of_ours_is_named() -> None:
    used = set()
    for directory in ("hpc_launch", "templates"):
        for file in (ROOT / directory).rglob("*"):
            if file.suffix in (".py", ".sh", ".j2"):
                used |= set(re.findall(r"\bHPC_LAUNCH_[A-Z]+(?:_[A-Z]+)*", file.read_text(encoding="utf-8")))
    assert used
    for name in used:
        assert f"`{name}`" in CONTRACTS, name
