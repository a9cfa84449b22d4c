"""Small checks that every block and element is made of; each problem names the place, as Slack does."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.workspace.limits import LIMIT

Json = dict[str, Any]


@dataclass
class Problems:
    """What is wrong with a payload, where (`json-pointer`), and what the checks need to know about the place."""

    surface: str
    file_exists: Callable[[str], bool]
    messages: list[str] = field(default_factory=list)

    def add(self, what: str, pointer: str) -> None:
        """Note one problem."""
        self.messages.append(f"[ERROR] {what} [json-pointer:{pointer}]")

    def keys(self, node: Json, pointer: str, *, need: Collection[str] = (), may: Collection[str] = ()) -> bool:
        """Required fields must be there, unknown ones must not; True if all required ones are there."""
        missing = [name for name in need if node.get(name) is None]
        for name in missing:
            self.add(f"missing required field: {name}", pointer)
        for name in node.keys() - {"type", "block_id", "action_id", *need, *may}:
            self.add(f"invalid additional property: {name}", pointer)
        return not missing

    def string(self, value: object, limit: str, pointer: str, *, may_be_empty: bool = False) -> None:
        """A string of at most `LIMIT[limit]` characters, not empty unless allowed."""
        if not isinstance(value, str):
            self.add("must provide a string", pointer)
        elif not value and not may_be_empty:
            self.add("must be more than 0 characters", pointer)
        elif len(value) > LIMIT[limit]:
            self.add(f"must be less than {LIMIT[limit] + 1} characters", pointer)

    def text(self, node: object, limit: str, pointer: str, *, plain: bool = False) -> None:
        """A text object: `plain_text`, or also `mrkdwn` unless `plain`."""
        if not isinstance(node, dict):
            self.add("must provide an object", pointer)
            return
        kind = node.get("type")
        if kind not in ("plain_text", "mrkdwn") or (plain and kind != "plain_text"):
            self.add(f"unsupported type: {kind}", f"{pointer}/type")
            return
        self.keys(node, pointer, need=("text",), may=("emoji",) if kind == "plain_text" else ("verbatim",))
        self.string(node.get("text"), limit, f"{pointer}/text")

    def items(self, value: object, limit: str, pointer: str, *, at_least: int = 1) -> list[Any]:
        """A list of `at_least` to `LIMIT[limit]` items; what is not a list counts as empty."""
        if not isinstance(value, list):
            self.add("must be an array", pointer)
            return []
        if len(value) < at_least:
            self.add(f"must contain at least {at_least} item(s)", pointer)
        if len(value) > LIMIT[limit]:
            self.add(f"no more than {LIMIT[limit]} items allowed", pointer)
        return value

    def one_of(self, value: object, allowed: Collection[str], pointer: str) -> None:
        """A value of a fixed set."""
        if value not in allowed:
            self.add(f"must be one of {', '.join(sorted(allowed))}", pointer)
