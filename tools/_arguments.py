"""What the arguments of a tool call mean: which service, how many minutes, which moment."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta

from bot.core.commands.verb_line import nearest
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.metrics.promql import is_plain_name
from bot.core.text.untrusted import one_line
from bot.plugins import ToolContext


def service_of(ctx: ToolContext, service: str) -> str:
    """The service that is meant: as named, else the case's own.

    Names come from the catalogue, byte by byte; without a catalogue any plain name will do. Raises QueryFailed.
    """
    name = service.strip() or ctx.case.service
    if not name:
        raise QueryFailed("no service was named and the alert tells none")
    if not name.isprintable():
        # An alert's label is untrusted text, and names stand in every sentence: none may break or turn a line.
        raise InvalidQuery(f"{one_line(name, 60)!r} cannot be the name of a service")
    if name in ctx.catalogue.services or name == ctx.case.service:
        return name
    if ctx.catalogue.services:
        raise InvalidQuery(f"there is no service {one_line(name, 60)!r}; {_instead(name, ctx.catalogue.services)}")
    if not is_plain_name(name):
        raise InvalidQuery(f"{one_line(name, 60)!r} cannot be the name of a service")
    return name


def _instead(name: str, services: Collection[str]) -> str:
    """The services whose names are nearest; without any, all as far as one line holds them."""
    parts = sorted(service for service in services if service in name or name in service)
    if near := list(dict.fromkeys([*parts, *nearest(one_line(name, 60), services)]))[:3]:
        return f"the nearest is {' or '.join(near)}"
    return f"the catalogue holds {', '.join(sorted(services)[:30])}"


def moment_of(ctx: ToolContext, text: str, default: datetime) -> datetime:
    """A moment as ISO 8601 or as a time of day in UTC, the last such one; `default` for "". Raises InvalidQuery."""
    text = text.strip()
    if not text:
        return default
    try:
        if re.fullmatch(r"\d{1,2}:\d\d(?::\d\d)?Z?", text):
            hour, _, rest = text.removesuffix("Z").partition(":")
            clock = time.fromisoformat(f"{hour:0>2}:{rest}")
            at = datetime.combine(ctx.now.astimezone(UTC).date(), clock, UTC)
            return at if at <= ctx.now else at - timedelta(days=1)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidQuery(f"{one_line(text, 40)!r} is no moment: write 2026-03-01T02:50:00Z or 02:50 (UTC)") from error
    return min(at if at.tzinfo else at.replace(tzinfo=UTC), ctx.now)


def limited_minutes(minutes: int) -> int:
    """Between a minute and a day, whatever the argument is."""
    return min(max(int(minutes), 1), 24 * 60)


def alert_moment(ctx: ToolContext) -> datetime:
    """When the signal is to be judged: at the alert's start, never in the future."""
    return min(ctx.case.started_at, ctx.now)
