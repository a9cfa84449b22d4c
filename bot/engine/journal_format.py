"""The form of what a journal holds: plain JSON, and back from it to the types that workflows declare."""

import json
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import JsonValue, TypeAdapter, ValidationError

from bot.core.errors import JournalMismatch

T = TypeVar("T")


class WorkflowFailed(Exception):
    """What the journal keeps of a failed workflow or step: the error's type and text."""


def plain_json(value: object) -> JsonValue:
    """`value` as it will be read back from the journal: tuples are lists, keys are text.

    Done the first time too, so that a workflow sees the same thing live and on
    replay. Raises TypeError, naming the type, for what is not JSON.
    """
    plain: JsonValue = json.loads(json.dumps(value))
    return plain


class ResultFormat(Generic[T]):
    """Writes and reads the results of one step or workflow, by the return type that its function declares."""

    def __init__(self, function: Callable[..., Awaitable[T]]) -> None:
        hints = get_type_hints(function)
        if "return" not in hints:
            raise TypeError(f"{function!r} runs in a journaled workflow and must declare its return type")
        self._adapter: TypeAdapter[T] = _adapter(hints["return"])

    def to_json(self, result: T) -> JsonValue:
        """What the journal records of a result."""
        return plain_json(self._adapter.dump_python(result, mode="json"))

    def from_json(self, name: str, recorded: JsonValue) -> T:
        """The result of the step `name`. Raises JournalMismatch for a record that does not fit the declared type."""
        try:
            return self._adapter.validate_python(recorded)
        except ValidationError as error:
            raise JournalMismatch(f"the record of step {name!r} does not fit: {error}") from error


@lru_cache(maxsize=512)
def _adapter(type_: Any) -> TypeAdapter[Any]:  # Any: a declared type may be a union, for which Python has no type
    return TypeAdapter(type_)
