"""What a message of another bot says, without Slack's markup: titles, lines and fields, from text, attachments and blocks."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_LINES = 120
LONGEST_LINE = 2_000
"""Characters of a line that are read: patterns look at each, and Slack's own limit lies above."""
_BLANKS = re.compile(r"[^\S\n]{2,}")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]{1,2000})(?:\|([^>]*))?>")
_MENTION = re.compile(r"<[@#!][^>]*>")
_MARKUP = re.compile(r"[*`]|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)|~")
_BOLD_LINE = re.compile(r"^\*([^*\n]{1,40})\*[^\S\n]*\n")
_PAIR = re.compile(r"^[\W_]*([A-Za-z][\w .-]{0,40}?)\s*(?:[:=]|\s-\s)\s*(\S.{0,400})$")
JsonObject = Mapping[str, object]


@dataclass(frozen=True)
class SlackText:
    """`titles`: what could be the alert's title, the likeliest first. `fields`: by names in small letters."""

    titles: tuple[str, ...]
    lines: tuple[str, ...]
    fields: Mapping[str, str]
    colours: tuple[str, ...]
    link: str


def read_message(message: JsonObject) -> SlackText:
    """A message as the Events API has it."""
    attachments = [item for item in _objects(message.get("attachments")) if not item.get("from_url")]
    attached = [line for item in attachments for line in _attachment_lines(item)]
    blocks = [line for item in (message, *attachments) for line in _block_lines(item.get("blocks"))]
    own = _lines(message.get("text"))
    heads = [plain(item.get("title")) for item in attachments] + _headers(message) + own + blocks + attached
    lines = tuple(dict.fromkeys(line for line in (*own, *blocks, *attached) if line))[:MAX_LINES]
    if not lines:
        lines = tuple(plain(item.get("fallback")) for item in attachments if item.get("fallback"))
    titles = tuple(dict.fromkeys(head for head in (*heads, *lines) if head))
    fields = {**_pairs(lines), **dict(_fields(attachments))}
    colours = tuple(str(item.get("color", "")).lstrip("#").lower() for item in attachments)
    return SlackText(titles, lines, fields, colours, _link(message, attachments))


def plain(value: object) -> str:
    """One text without Slack's markup: links by their label, no mentions."""
    text = _BLANKS.sub(" ", value[: 2 * LONGEST_LINE])[:LONGEST_LINE] if isinstance(value, str) else ""
    text = _MENTION.sub("", _LINK.sub(lambda match: match[2] or match[1], text))
    return html.unescape(_MARKUP.sub("", text)).strip()


def _objects(value: object) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _lines(value: object) -> list[str]:
    return [line for line in map(plain, value.splitlines()) if line] if isinstance(value, str) else []


def _attachment_lines(attachment: JsonObject) -> Iterator[str]:
    for part in ("pretext", "title", "text"):
        yield from _lines(attachment.get(part))
    for name, value in _fields([attachment]):
        yield f"{name}: {value}"


def _fields(attachments: list[JsonObject]) -> Iterator[tuple[str, str]]:
    for attachment in attachments:
        for field in _objects(attachment.get("fields")):
            if (name := plain(field.get("title"))) and (value := plain(field.get("value"))):
                yield _name(name), value


def _headers(message: JsonObject) -> list[str]:
    return [text for block in _objects(message.get("blocks")) if block.get("type") == "header" for text in _texts(block)]


def _block_lines(blocks: object) -> Iterator[str]:
    for block in _objects(blocks):
        for text in _texts(block):
            yield from _lines(text)


def _texts(block: JsonObject) -> Iterator[str]:
    """The texts of a block, those of one rich text section joined: Slack cuts a line at each change of its style."""
    if block.get("type") == "rich_text_section":
        yield "".join(_leaf(element) for element in _objects(block.get("elements")))
        return
    for part in [block.get("text"), *_objects(block.get("fields"))]:
        if isinstance(text := part.get("text") if isinstance(part, dict) else part, str):
            # `*Host:*` above its value is one line for people; of a field so is `*Host*`.
            labelled = _BOLD_LINE.sub(r"\1: ", text) if part is not block.get("text") else text
            yield re.sub(r":\*?\s*\n", ": ", labelled)
    for element in _objects(block.get("elements")):
        yield from _texts(element)


def _leaf(element: JsonObject) -> str:
    if element.get("type") == "emoji":
        return f":{element.get('name')}:"
    return str(element.get("text") or element.get("url") or "")


def _pairs(lines: tuple[str, ...]) -> dict[str, str]:
    """`Host: web-1` and `- severity = critical`."""
    matches = (match for line in lines if (match := _PAIR.match(line)) and not line.startswith(("http://", "https://")))
    return {_name(match[1]): match[2].strip() for match in matches}


def _name(text: str) -> str:
    return re.sub(r"[\s.-]+", "_", text.strip().lower().rstrip(":"))


def _link(message: JsonObject, attachments: list[JsonObject]) -> str:
    titled = [str(item["title_link"]) for item in attachments if item.get("title_link")]
    texts = [message.get("text"), *(item.get("text") for item in attachments)]
    links = [match[1] for text in texts if isinstance(text, str) for match in _LINK.finditer(text)]
    return next((link for link in (*titled, *links) if link.startswith("http")), "")
