"""Who a message would really notify: the mentions that Slack parses, and none of those it only shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_MENTION = re.compile(
    r"<(?:@(?P<user>[UW][A-Z0-9]+)|!(?P<wide>channel|here|everyone)|!subteam\^(?P<group>S[A-Z0-9]+))(?:\|[^>]*)?>"
)
_BARE = re.compile(r"(?<![\w<@!])@(channel|here|everyone)\b")


def in_mrkdwn(text: str, *, link_names: bool = False) -> Iterator[str]:
    """Mentions in mrkdwn: `U..`, `S..`, `channel`, `here`, `everyone`. Code spans are not parsed, bold is."""
    visible = _CODE.sub(" ", text)
    for match in _MENTION.finditer(visible):
        yield match["user"] or match["wide"] or match["group"]
    if link_names:
        yield from (match[1] for match in _BARE.finditer(visible))


def in_blocks(blocks: Iterable[Json]) -> Iterator[str]:
    """Mentions anywhere in blocks: mrkdwn and markdown texts, and rich text's user, group and broadcast elements."""
    for block in blocks:
        yield from _in_node(block)


def _in_node(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _in_node(item)
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if kind in ("mrkdwn", "markdown"):
        yield from in_mrkdwn(str(node.get("text", "")))
    elif kind == "user" and "user_id" in node:
        yield str(node["user_id"])
    elif kind == "usergroup" and "usergroup_id" in node:
        yield str(node["usergroup_id"])
    elif kind == "broadcast":
        yield str(node.get("range", "channel"))
    else:
        for value in node.values():
            yield from _in_node(value)


def of_message(text: str, blocks: Iterable[Json], *, mrkdwn: bool = True, link_names: bool = False) -> list[str]:
    """Every mention of a message once, in order.

    The text is counted beside blocks too: whether Slack notifies from a fallback text is not documented, so the
    stricter reading stands here.
    """
    from_text = in_mrkdwn(text, link_names=link_names) if mrkdwn else iter(())
    return list(dict.fromkeys([*from_text, *in_blocks(blocks)]))


def words(node: object) -> str:
    """All visible text of blocks, separated by line breaks, for searching."""
    return "\n".join(_texts(node))


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _texts(item)
    if isinstance(node, dict) and node.get("type") in ("rich_text_section", "rich_text_quote", "rich_text_preformatted"):
        yield "".join(map(_piece, node.get("elements", [])))
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and key in ("text", "alt_text", "fallback", "title"):
                yield value
            else:
                yield from _texts(value)


def _piece(node: Json) -> str:
    """A piece of rich text as mrkdwn would write it: lines stay whole, and labels and moments are found as there."""
    if node.get("type") == "date":
        return f"<!date^{node.get('timestamp')}^{node.get('format', '')}|{node.get('fallback', '')}>"
    text = str(node.get("text") or node.get("url") or (f"<@{node['user_id']}>" if "user_id" in node else ""))
    return f"*{text}*" if (node.get("style") or {}).get("bold") else text
