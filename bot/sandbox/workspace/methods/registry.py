"""Which method is which function, and how the function reads its arguments."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.state import Workspace

Json = dict[str, Any]


class Args:
    """Arguments of a call, whether they came as a form, as JSON or in the address."""

    def __init__(self, values: Json) -> None:
        self.values = values

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers are written out."""
        value = self.values.get(name)
        return default if value is None else str(value)

    def need(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if not value:
            raise Refused("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth value: true, 1, "true"."""
        value = self.values.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        try:
            return int(self.text(name, str(default)))
        except ValueError:
            raise Refused("invalid_arguments", [f"[ERROR] must be an integer: {name}"]) from None

    def document(self, name: str, error: str = "invalid_arguments") -> Any:
        """A JSON value, also when it came as text; None if it was not given."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise Refused(error) from None

    def names(self, name: str) -> list[str]:
        """A list, or the same separated by commas."""
        value = self.values.get(name)
        if isinstance(value, str) and value.startswith("["):
            value = self.document(name)
        return (
            [str(v) for v in value]
            if isinstance(value, list)
            else [part.strip() for part in self.text(name).split(",") if part.strip()]
        )


Method = Callable[[Workspace, Args], Awaitable[Json]]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Register a function as a Web API method; what it returns is answered beside `ok: true`."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


def page(items: list[Any], args: Args, default: int, largest: int = 1000) -> tuple[list[Any], Json]:
    """One page of `items` behind a cursor, and `response_metadata` with the next cursor."""
    limit = args.number("limit", default)
    if not 1 <= limit <= largest:
        raise Refused("invalid_limit")
    cursor = args.text("cursor")
    if cursor and not (cursor.startswith("next:") and cursor[5:].isdigit()):
        raise Refused("invalid_cursor")
    start = int(cursor[5:]) if cursor else 0
    following = f"next:{start + limit}" if start + limit < len(items) else ""
    return items[start : start + limit], {"next_cursor": following}
