"""What is open, one line each, below an answer about all of it; and how to ask about one."""

from collections.abc import Iterable, Mapping, Sequence

from bot.core.messages.alerts import CardContent, IncidentContent, OpenContent
from bot.slack.blocks import Block, context, sections
from bot.slack.untrusted_text import prose, quoted
from bot.slack.views import card, incident_card


def blocks(cards: Sequence[OpenContent], others: int, notes: Mapping[str, str]) -> Iterable[Block]:
    """The lines with what is noted of each, how many more there are, and the line to copy for the first."""
    if not cards:
        return
    yield from sections(_line(content, notes) for content in cards)
    more = f"and {others} more: the verb list shows them" if others else ""
    yield context(more, f"about one of them: {quoted(f'ask {_ref(cards[0])} why is it failing?')}")


def _line(content: OpenContent, notes: Mapping[str, str]) -> str:
    match content:
        case CardContent():
            text = card.line(content)
        case IncidentContent():
            text = incident_card.line(content)
    note = notes.get(_ref(content), "")
    return f"• {text}" + (f" · {prose(note)}" if note else "")


def _ref(content: OpenContent) -> str:
    return content.group.ref if isinstance(content, CardContent) else content.incident.ref
