"""Lines in a channel or thread: one of plain text, and the one that says what an open group is about now."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.core.messages.alerts import BurstService, LineContent, RenewedContent
from bot.core.text.moments import clock_of_day
from bot.core.text.untrusted import counted
from bot.slack.blocks import Rendered, context, section, when_beside
from bot.slack.untrusted_text import name_text, plain_text, prose
from bot.slack.view_context import ViewContext
from bot.slack.views.card import square_of
from bot.slack.views.rich_text import Line, labelled, local_times, name, paragraph, sentence

SHOWN = 2500
"""Characters of a line; Slack takes 3,000, and what is escaped grows."""
MAX_SERVICES, MAX_NAMES = 6, 3
"""Of a burst, one by one; the rest is counted."""


def render(line: LineContent, view: ViewContext) -> Rendered:
    """The text behind its mentions, its moments in the reader's time; a long one is cut and says where it is whole."""
    mentions = "".join(f"<@{user}> " for user in view.mention)
    text = line.text
    blocks = [section(mentions + local_times(prose(text, SHOWN), view.written_at))]
    if len(text) > SHOWN:
        where = f"; the whole text: {line.full_text_at}" if line.full_text_at else ""
        blocks.append(context(f"Cut: {len(text):,} characters, {SHOWN:,} shown{where}"))
    return plain_text(text, 450), blocks


# ---------------------------------------------------------------- what is new in a group


def render_renewed(renewed: RenewedContent, view: ViewContext) -> Rendered:
    """`SEV2: HighErrorRate on checkout fires since 14:02:11`, what came beside it, and where that may come from."""
    mentions = "".join(f"<@{user}> " for user in view.mention)
    reason = f" ({prose(renewed.reason, 120)})" if renewed.reason else ""
    written_at = view.written_at or renewed.started_at
    since = f"{when_beside(renewed.started_at, written_at)}{reason}{_milder(renewed)}"
    first = f"{square_of(renewed.severity)} {_what(renewed)} since {since}"
    lines = [*_beside(renewed.beside), *_origin(renewed)]
    return _fallback(renewed, written_at), [section(mentions + first), *([paragraph(lines)] if lines else [])]


def _what(renewed: RenewedContent) -> str:
    again = " again" if renewed.again else ""
    return f"*{renewed.severity}:* {name_text(renewed.alert, 80)} on {_named(renewed.alert_service)} fires{again}"


def _milder(renewed: RenewedContent) -> str:
    """That a worse card keeps its severity, or the line would seem to contradict it."""
    return f"; the card stays {renewed.card_severity}" if renewed.card_severity.worse_than(renewed.severity) else ""


def _beside(services: Sequence[BurstService]) -> Iterable[Line]:
    """`With it: payments (HighErrorRate, PodErrorRate), storefront (ErrorBudgetBurn)`."""
    if services:
        more = len(services) - MAX_SERVICES
        rest = f" and {counted(more, 'more service')}" if more > 0 else ""
        yield sentence(f"With it: {', '.join(map(_alerts, services[:MAX_SERVICES]))}{rest}", limit=900)


def _alerts(one: BurstService) -> str:
    more = len(one.alerts) - MAX_NAMES
    names = [name(alert, 60) for alert in one.alerts[:MAX_NAMES]]
    return f"{name(one.service or 'unknown service')} ({', '.join([*names, f'{more} more'] if more > 0 else names)})"


def _origin(renewed: RenewedContent) -> Iterable[Line]:
    if renewed.origin:
        yield labelled("Suspected origin", name(renewed.origin))


def _named(service: str) -> str:
    return name_text(service, 60) if service else "unknown service"


def _fallback(renewed: RenewedContent, written_at: datetime) -> str:
    again = " again" if renewed.again else ""
    what = (
        f"{renewed.severity}: {plain_text(renewed.alert, 80)} on {plain_text(renewed.alert_service, 60) or 'unknown service'}"
    )
    services = [plain_text(one.service, 60) for one in renewed.beside if one.service not in ("", renewed.alert_service)]
    beside = f", with {', '.join(services[:MAX_SERVICES])}" if services else ""
    origin = f". Suspected origin: {plain_text(renewed.origin, 60)}" if renewed.origin else ""
    return f"{what} fires{again} since {clock_of_day(renewed.started_at, written_at)}{beside}{_milder(renewed)}{origin}"
