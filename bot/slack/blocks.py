"""Small builders of Slack's blocks. They cut on line borders where Slack would refuse, and say that they cut.

Texts given here are trusted or went through `bot.slack.untrusted_text`; a builder never
checks them again.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.core.text.moments import date_and_clock, day
from bot.core.text.untrusted import counted, cut
from bot.slack.limits import LIMIT
from bot.slack.untrusted_text import code_lines, plain_lines

Block = dict[str, object]
"""One block, as the JSON of Slack's Block Kit."""
View = dict[str, Any]
"""A modal, as Slack's JSON: Any, since Slack sends modals back with what people entered."""
Rendered = tuple[str, list[Block]]
"""The fallback text (what a notification shows and a screen reader speaks) and the blocks."""


def header(text: str) -> Block:
    """A headline; plain text, cut to 150 characters."""
    return {"type": "header", "text": _plain(text, LIMIT["header"])}


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": _mrkdwn(cut_lines(text, LIMIT["section"]))}


def sections(lines: Iterable[str]) -> list[Block]:
    """Lines of mrkdwn in as many paragraphs as it takes to show them all."""
    paragraphs: list[str] = []
    for line in lines:
        if paragraphs and len(paragraphs[-1]) + 1 + len(line) <= LIMIT["section"]:
            paragraphs[-1] += f"\n{line}"
        else:
            paragraphs.append(line)
    return [section(text) for text in paragraphs]


def fields(pairs: Mapping[str, str] | None = None, **labelled: str) -> Block:
    """Up to ten label-and-value fields; empty values are left out. `may_approve=` is labelled "May approve"."""
    shown = {**(pairs or {}), **{_label(name): value for name, value in labelled.items()}}
    items = [_mrkdwn(cut_lines(f"*{label}*\n{value}", LIMIT["field"])) for label, value in shown.items() if value]
    return {"type": "section", "fields": items[: LIMIT["fields"]] or [_mrkdwn("-")]}


def context(*texts: str) -> Block:
    """Small print; at most ten elements, empty ones left out."""
    elements = [_mrkdwn(cut_lines(text, LIMIT["context"])) for text in texts if text]
    return {"type": "context", "elements": elements[: LIMIT["context.elements"]] or [_mrkdwn("-")]}


def code(text: str, hosts: Collection[str] = ()) -> Block:
    """A code block of untrusted or exact text, cut on line borders with a note of how much is missing.

    Addresses of `hosts` stand in it as they are.
    """
    limit = LIMIT["section"] - 8
    return {"type": "section", "text": _mrkdwn(f"```\n{cut_lines(code_lines(text, hosts) or '(empty)', limit)}\n```")}


def quotation(lines: Iterable[str]) -> Block:
    """Lines of untrusted text as a quotation: Slack parses nothing in it, and no code style makes it hard to read."""
    text = cut_lines("\n".join(plain_lines(line) for line in lines), LIMIT["section"])
    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": text or "-"}]}
    return {"type": "rich_text", "elements": [quote]}


def divider() -> Block:
    """A line."""
    return {"type": "divider"}


def actions(*elements: Block | None) -> Block:
    """A row of controls; `None` is a control that does not apply now."""
    return {"type": "actions", "elements": [element for element in elements if element][: LIMIT["actions"]]}


def button(
    label: str,
    command: str,
    value: str,
    *,
    style: str = "",
    accessible_label: str = "",
    confirm: tuple[str, str, str] | None = None,
) -> Block:
    """A button that uses a command: `action_id` is its name, `value` a reference and revision (`AP-12:3`), nothing else.

    `confirm` is title, text and the label of yes. `accessible_label` is read aloud where the label alone is ambiguous.
    """
    element: Block = {"type": "button", "text": _plain(label, LIMIT["button"]), "action_id": command, "value": value}
    if style:
        element["style"] = style
    if accessible_label:
        element["accessibility_label"] = cut(accessible_label, LIMIT["accessibility"])
    if confirm:
        element["confirm"] = _confirm(*confirm)
    return element


def overflow(command: str, options: Iterable[tuple[str, str]]) -> Block:
    """A menu of up to five options, each label and value; it uses `command` with the chosen value."""
    items = [{"text": _plain(label, LIMIT["option"]), "value": value} for label, value in options]
    return {"type": "overflow", "action_id": command, "options": items[: LIMIT["overflow"]]}


def picture(key: str) -> Block:
    """A place for a stored picture; the sender uploads it and puts Slack's image block here."""
    return {"type": "image", "picture": key}


def when(moment: datetime | str, style: str = "{date_short_pretty} {time_secs}") -> str:
    """A moment in each reader's own time zone; clients that cannot do so show UTC."""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"<!date^{int(at.timestamp())}^{style}|{date_and_clock(at)} UTC>"


def when_beside(moment: datetime, other: datetime) -> str:
    """The same beside another moment, such as that of the message: without its day where both are of one day."""
    return when(moment, "{time_secs}") if day(moment) == day(other) else when(moment)


def cut_lines(text: str, limit: int) -> str:
    """Cut before the line that does not fit and say how many are missing; one huge line is cut inside, and says so too."""
    if len(text) <= limit:
        return text
    shown: list[str] = []
    lines = text.split("\n")
    budget = limit - 32
    for line in lines:
        if sum(map(len, shown)) + len(shown) + len(line) > budget:
            break
        shown.append(line)
    if not shown:
        start = cut(lines[0], budget)
        return f"{_close_span(start)} {len(text) - len(start) + 1:,} more characters"
    missing = len(lines) - len(shown)
    return "\n".join([*shown, f"… {counted(missing, 'more line')}"])


def text_size(node: object) -> int:
    """All text in blocks, in characters: Slack refuses messages somewhat above 13,000."""
    if isinstance(node, Mapping):
        return sum(len(v) if k == "text" and isinstance(v, str) else text_size(v) for k, v in node.items())
    return sum(text_size(item) for item in node) if isinstance(node, list) else 0


def trim(blocks: list[Block], *, most: int = LIMIT["message.blocks"], characters: int = LIMIT["message.text"]) -> list[Block]:
    """Bring a message under its budget by cutting its longest paragraphs; the first and the last block stay."""
    blocks = [*blocks[: most - 1], blocks[-1]] if len(blocks) > most else blocks
    while text_size(blocks) > characters:
        longest = max(blocks[1:-1], key=lambda block: len(_paragraph(block)))
        text = _paragraph(longest)
        shorter = cut_lines(text, max(200, len(text) * 2 // 3))
        if shorter.count("```") % 2:
            shorter += "\n```"
        if len(shorter) >= len(text):
            break
        part = longest["text"]
        longest["text"] = {**part, "text": shorter} if isinstance(part, dict) else part
    return blocks


def _paragraph(block: Block) -> str:
    """The text of a headline or a paragraph; "" for other blocks."""
    part = block.get("text")
    return str(part.get("text", "")) if isinstance(part, dict) else ""


def check_blocks(blocks: list[Block]) -> list[str]:
    """What Slack would refuse about a message's blocks; empty if nothing. The sizes of parts are kept by the builders."""
    problems = []
    if len(blocks) > LIMIT["message.blocks"]:
        problems.append(f"{len(blocks)} blocks, at most {LIMIT['message.blocks']}")
    if (size := text_size(blocks)) > LIMIT["message.text"]:
        problems.append(f"{size} characters, at most {LIMIT['message.text']}")
    for number, block in enumerate(blocks):
        problems += [f"block {number}: {problem}" for problem in _problems(block)]
    return problems


def _problems(block: Block) -> Iterable[str]:
    kind, elements = str(block.get("type", "")), block.get("elements")
    controls = elements if isinstance(elements, list) else []
    if kind == "actions" and not controls:
        yield "no controls"
    if kind in ("header", "section") and "text" in block:
        yield from _length(_paragraph(block), kind)
    if kind == "actions":
        ids = [element["action_id"] for element in controls]
        if len(ids) != len(set(ids)):
            yield "an action_id twice"
        for element in controls:
            yield from _length(element.get("value", "-"), "button.value")


def _length(text: str, limit: str) -> Iterable[str]:
    if not 0 < len(text) <= LIMIT[limit]:
        yield f"{len(text)} characters, 1 to {LIMIT[limit]}"


def _close_span(text: str) -> str:
    # A code span that lost its end would put the rest of the card into code.
    return text + "`" if text.count("`") % 2 else text


def _confirm(title: str, text: str, yes: str) -> Block:
    return {
        "title": _plain(title, LIMIT["confirm.title"]),
        "text": _plain(text, LIMIT["confirm.text"]),
        "confirm": _plain(yes, LIMIT["confirm.button"]),
        "deny": _plain("Back", LIMIT["confirm.button"]),
    }


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _plain(text: str, limit: int) -> Block:
    # Emoji stay letters, so that a `:white_check_mark:` in an alert's name is no tick.
    return {"type": "plain_text", "text": cut(text, limit) or "-", "emoji": False}


def _mrkdwn(text: str) -> Block:
    # verbatim: Slack must not make links, channels or people of what merely looks like them.
    return {"type": "mrkdwn", "text": text or "-", "verbatim": True}
