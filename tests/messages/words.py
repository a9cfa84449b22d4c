"""Words that a reader sees in blocks, as Slack shows them: a link is its label, a moment its text, a person one word."""

import re
from collections.abc import Iterable

from bot.core.text.word_counts import word_count
from bot.slack.blocks import Block

_LINK = re.compile(r"<(?:https?:[^|>]*|!date\^[^|>]*)\|([^>]*)>")
_MENTION = re.compile(r"<@[^>]*>")


def words_of(blocks: Iterable[Block]) -> int:
    """All words of a message, its buttons with it; a picture's alternative text is not read by who sees it."""
    return word_count(text_of(blocks))


def text_of(blocks: Iterable[Block]) -> str:
    """The text of a message, one line for each text in it."""
    shown = "\n".join(text for block in blocks if block.get("type") != "image" for text in _texts(block))
    return _MENTION.sub("@someone", _LINK.sub(r"\1", shown))


def _texts(node: object) -> Iterable[str]:
    if isinstance(node, dict) and node.get("type") in ("rich_text_section", "rich_text_quote"):
        yield "".join(map(_piece, node["elements"]))
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "text" and isinstance(value, str):
                yield value
            elif name != "confirm":
                yield from _texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)


def _piece(node: dict[str, object]) -> str:
    """A piece of rich text: a moment as its fallback, a label as in mrkdwn."""
    text = str(node.get("fallback") or node.get("text") or "@someone")
    return f"*{text}*" if node.get("style") == {"bold": True} else text
