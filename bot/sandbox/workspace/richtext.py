"""The check of rich text: sections, lists, quotes and code of typed pieces."""

from __future__ import annotations

from typing import Any

from bot.sandbox.workspace.checks import Problems

Json = dict[str, Any]

# The field each piece must have.
_PIECES = {
    "text": "text",
    "link": "url",
    "user": "user_id",
    "usergroup": "usergroup_id",
    "channel": "channel_id",
    "broadcast": "range",
    "emoji": "name",
    "date": "timestamp",
    "color": "value",
    "team": "team_id",
}
_GROUPS = ("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted")


def check_rich_text(problems: Problems, node: Json, pointer: str) -> None:
    """A `rich_text` block or cell."""
    problems.keys(node, pointer, need=("elements",))
    for index, group in enumerate(_list(node.get("elements"))):
        at = f"{pointer}/elements/{index}"
        if not isinstance(group, dict) or group.get("type") not in _GROUPS:
            problems.add("unsupported rich text element", f"{at}/type")
        elif group["type"] == "rich_text_list":
            problems.one_of(group.get("style"), ("bullet", "ordered"), f"{at}/style")
            for inner, item in enumerate(_list(group.get("elements"))):
                _pieces(problems, item, f"{at}/elements/{inner}")
        else:
            _pieces(problems, group, at)


def _pieces(problems: Problems, group: Json, pointer: str) -> None:
    for index, piece in enumerate(_list(group.get("elements") if isinstance(group, dict) else None)):
        at = f"{pointer}/elements/{index}"
        kind = piece.get("type") if isinstance(piece, dict) else None
        if kind not in _PIECES:
            problems.add(f"unsupported type: {kind}", f"{at}/type")
        elif piece.get(_PIECES[kind]) in (None, ""):
            problems.add(f"missing required field: {_PIECES[kind]}", at)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
