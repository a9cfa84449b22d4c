"""What pydantic and PyYAML object to, in the words of whoever writes tocsin.yaml."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from bot.core.text.near_names import meant
from bot.core.text.untrusted import one_line

_MAPPING = "must be a mapping of keys to values, and is {value}"
_LIST = "must be a list, and is {value}: write [one, two], or one line each that begins with -"
_NUMBER, _WHOLE = "must be a number, and is {value}", "must be a whole number, and is {value}"
_MOMENT = "must be a moment such as 2026-01-05T09:00:00Z, and is {value}"
_BOOL = "must be true or false, and is {value}"
_TEXTS = {
    "missing": "is missing",
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "string_type": "must be a text, and is {value}: put it in quotes",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "{value} does not have the form that is expected here ({pattern})",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _BOOL,
    "bool_parsing": _BOOL,
    "literal_error": "must be {expected}, and is {value}",
    "enum": "must be {expected}, and is {value}",
    "greater_than": "must be more than {gt}, and is {value}",
    "greater_than_equal": "must be at least {ge}, and is {value}",
    "less_than": "must be less than {lt}, and is {value}",
    "less_than_equal": "must be at most {le}, and is {value}",
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "path_type": "must be the path of a folder or file, and is {value}",
}
"""By pydantic's type of error; {value} is what stands in the file."""
_NOTHING = dict.fromkeys(("model_type", "dict_type"), "write {} where nothing belongs here")
_NOTHING |= dict.fromkeys(("tuple_type", "list_type"), "write [] where nothing belongs here")
"""How nothing is written, by the type of error."""
_YAML = (
    (r"mapping values are not",
     "a colon stands where none can: put a text with `: ` in quotes, or end the key above with its colon"),
    (r"character '\\t'", "a tab stands here where spaces belong, before the first word of the line or before a value"),
    (r"character '(.)'", r"a text that begins with \1 must be put in quotes"),
    (r"unexpected end of stream", "a quotation mark that opens here is never closed"),
    (r"expected ',' or '(.)'", r"the bracket that opens here is never closed: \1 or a comma is missing"),
    (r"expected <block end>|block sequence entries", "this line is indented otherwise than those above that belong to it"),
    (r"could not find expected ':'", "a key without its colon stands here: write `key: value`"),
    (r"undefined alias|expected alphabetic or numeric", "a text that begins with * or & must be put in quotes"),
    (r"found another document", "a second document begins here with ---: the file must be one"),
    (r"unhashable key", "a text that begins with { must be put in quotes"),
    (r"impossible value: (.*)",
     r"what stands here looks like a date or a number and is none (\1): correct it, or put it in quotes"),
    (r"constructor for the tag", "a text that begins with ! must be put in quotes"),
)  # fmt: skip
"""By PyYAML's words: plain ones."""


def value_problem(error: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong with one value of a file that `model` describes, and what may stand there."""
    if error["type"] == "extra_forbidden":
        return f"unknown key{meant(str(error['loc'][-1]), _keys(model, error['loc'][:-1]))}"
    if error["input"] is None and error["type"] != "missing":
        return f"is empty: {_NOTHING.get(error['type'], 'what follows a # is a comment, unless it is in quotes')}"
    # Any: a template is filled in with whatever pydantic gives.
    values: dict[str, Any] = {name: _whole(limit) for name, limit in error.get("ctx", {}).items()}
    values["value"] = _shown(error["input"])
    if text := _TEXTS.get(error["type"]):
        return text.format(**values)
    return error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")


def yaml_problem(error: yaml.YAMLError) -> tuple[str, int | None]:
    """What is wrong with a file that is no YAML, and the line where it begins."""
    problem = str(getattr(error, "problem", None) or "")
    # The end of the file says nothing of what is open since its beginning.
    is_open = "end of stream" in problem or "expected ',' or" in problem
    mark = (getattr(error, "context_mark", None) if is_open else None) or getattr(error, "problem_mark", None)
    text = next((re.sub(rf".*?(?:{words}).*", plain, problem) for words, plain in _YAML if re.search(words, problem)), "")
    return text or f"is not readable as YAML: {problem or 'unknown form'}", mark.line + 1 if mark else None


def _whole(limit: object) -> object:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _shown(value: object) -> str:
    """A single value as it stands in the file; of more than one, what it is."""
    if isinstance(value, bool):
        return f"{str(value).lower()} (yes, no, on and off are true and false)"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, Sequence) and not isinstance(value, str) else one_line(repr(value), 60)


def _keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys of the section at a path; none where no model says them."""
    kind: object = model
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = _plain(field.annotation) if field else None
        else:
            kind = _plain(_entry(kind))
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _entry(kind: object) -> object:
    """What a list or mapping holds."""
    arguments = [argument for argument in get_args(kind) if argument is not Ellipsis]
    return arguments[-1] if arguments else None


def _plain(kind: object) -> object:
    """Without what is annotated, and without None."""
    while get_origin(kind) is Annotated or type(None) in get_args(kind):
        kind = next(argument for argument in get_args(kind) if argument is not type(None))
    return kind
