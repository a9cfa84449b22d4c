"""A YAML file of the configuration: its content, and the line of each of its keys, so that an error names its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from bot.core.errors import ConfigurationError
from bot.validation_texts import value_problem, yaml_problem

Loc = tuple[str | int, ...]
"""The path of keys and indices to a value."""
Place = Callable[[Loc, str], ConfigurationError]
"""The error that says this of the value at a path."""


@dataclass(frozen=True)
class Document:
    """One file as it was read. `content`: untrusted, the models check it."""

    name: str
    content: dict[str, Any]
    lines: Mapping[tuple[object, ...], int]

    def place_of(self, at: Loc, problem: str) -> ConfigurationError:
        """An error that names the file, the line of the deepest part of the path that it holds, and the key."""
        return ConfigurationError(problem, file=self.name, line=self._line_of(at), key=".".join(map(str, at)))

    def _line_of(self, at: Loc) -> int | None:
        return next((self.lines[at[:end]] for end in range(len(at), 0, -1) if at[:end] in self.lines), None)


_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
"""Of what may stand as a key; `404`, `null`, `on` and `off` have others."""


class _Loader(yaml.SafeLoader):
    """A value that looks like a date and is none, such as 2026-13-05, is an error with its line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What the node holds."""
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(None, None, f"impossible value: {error}", node.start_mark) from None


def read_document(text: str, name: str) -> Document:
    """The mapping in `text`. Raises ConfigurationError."""
    try:
        content = yaml.load(text, Loader=_Loader) or {}
    except RecursionError:
        raise ConfigurationError("is nested too deeply to be read", file=name) from None
    except yaml.reader.ReaderError as error:
        problem = f"a character stands here that no text holds (#x{error.character:04x}): is this the right file?"
        raise ConfigurationError(problem, file=name, line=text.count("\n", 0, error.position) + 1) from None
    except yaml.YAMLError as error:
        problem, line = yaml_problem(error)
        raise ConfigurationError(problem, file=name, line=line) from None
    if not isinstance(content, dict):
        raise ConfigurationError("the file must be a mapping of keys to values", file=name, line=1)
    return Document(name, content, lines_of(text, name))


def lines_of(text: str, name: str) -> dict[tuple[object, ...], int]:
    """The line of each key and entry. Raises ConfigurationError for a key that appears twice or is no text."""
    lines: dict[tuple[object, ...], int] = {}
    try:
        if (node := yaml.compose(text, Loader=yaml.SafeLoader)) is not None:
            _note_lines(node, (), lines, name)
    except RecursionError:
        raise ConfigurationError("an alias refers to itself", file=name) from None
    return lines


def _note_lines(node: yaml.Node, path: tuple[object, ...], lines: dict[tuple[object, ...], int], name: str) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.tag not in _KEY_TAGS:
                problem = f"a key is a text, and YAML reads this one otherwise: write it in quotes, '{key.value}'"
                raise ConfigurationError(problem, file=name, line=key.start_mark.line + 1)
            if key.value in keys:
                raise ConfigurationError("appears twice", file=name, line=key.start_mark.line + 1, key=str(key.value))
            keys.add(key.value)
            _note_lines(value, (*path, key.value), lines, name)
            lines[(*path, key.value)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*path, index), lines, name)


def validation_problem(error: ValidationError, place: Place, model: type[BaseModel]) -> ConfigurationError:
    """The first thing that a model objects to, with how many more there are."""
    first = error.errors()[0]
    problem = value_problem(first, model)
    more = len(error.errors()) - 1
    if more:
        problem += f" (and {more} more problem{'s' if more > 1 else ''})"
    return place(tuple(first["loc"]), problem)
