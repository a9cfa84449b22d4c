"""What an open group is about now: one line in its card's thread, with what else began in the same burst."""

from collections.abc import Iterable, Sequence

from bot.core.messages.alerts import BurstService, RenewedContent
from bot.core.text.moments import clock
from bot.core.text.untrusted import counted
from bot.slack.blocks import Rendered, name_text, plain_text, prose, section, when
from bot.slack.view_context import ViewContext
from bot.slack.views.card import square_of

MOST_SERVICES, MOST_NAMES = 6, 3


def render(renewed: RenewedContent, view: ViewContext) -> Rendered:
    """`SEV2: HighErrorRate on checkout fires since 14:02:11`, what came beside it, and where that may come from."""
    mentions = "".join(f"<@{user}> " for user in view.mention)
    reason = f" ({prose(renewed.reason, 120)})" if renewed.reason else ""
    first = f"{square_of(renewed.severity)} {_what(renewed)} since {when(renewed.started_at, '{time_secs}')}{reason}"
    lines = [mentions + first, *_beside(renewed.beside), *_origin(renewed)]
    return _fallback(renewed), [section("\n".join(lines))]


def _what(renewed: RenewedContent) -> str:
    again = " again" if renewed.again else ""
    return f"*{renewed.severity}:* {name_text(renewed.alert, 80)} on {_named(renewed.alert_service)} fires{again}"


def _beside(services: Sequence[BurstService]) -> Iterable[str]:
    """`With it: payments (HighErrorRate, PodErrorRate), storefront (ErrorBudgetBurn)`."""
    if services:
        more = len(services) - MOST_SERVICES
        rest = f" and {counted(more, 'more service')}" if more > 0 else ""
        yield f"With it: {', '.join(map(_alerts, services[:MOST_SERVICES]))}{rest}"


def _alerts(one: BurstService) -> str:
    more = len(one.alerts) - MOST_NAMES
    names = [name_text(name, 60) for name in one.alerts[:MOST_NAMES]]
    return f"{_named(one.service)} ({', '.join([*names, f'{more} more'] if more > 0 else names)})"


def _origin(renewed: RenewedContent) -> Iterable[str]:
    if renewed.origin:
        yield f"*Suspected origin:* {_named(renewed.origin)}"


def _named(service: str) -> str:
    return name_text(service, 60) if service else "unknown service"


def _fallback(renewed: RenewedContent) -> str:
    again = " again" if renewed.again else ""
    what = (
        f"{renewed.severity}: {plain_text(renewed.alert, 80)} on {plain_text(renewed.alert_service, 60) or 'unknown service'}"
    )
    services = [plain_text(one.service, 60) for one in renewed.beside if one.service not in ("", renewed.alert_service)]
    beside = f", with {', '.join(services[:MOST_SERVICES])}" if services else ""
    origin = f". Suspected origin: {plain_text(renewed.origin, 60)}" if renewed.origin else ""
    return f"{what} fires{again} since {clock(renewed.started_at)}{beside}{origin}"
