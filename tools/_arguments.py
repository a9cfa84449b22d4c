"""What the arguments of a tool call mean: which service, how many minutes, which moment."""

from datetime import datetime

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
        # An alert's label is foreign text, and names stand in every sentence: none may break or turn a line.
        raise InvalidQuery(f"{one_line(name, 60)!r} cannot be the name of a service")
    if name in ctx.catalogue.services or name == ctx.case.service:
        return name
    if ctx.catalogue.services:
        names = ", ".join(sorted(ctx.catalogue.services)[:30])
        raise InvalidQuery(f"there is no service {one_line(name, 60)!r}; the catalogue holds {names}")
    if not is_plain_name(name):
        raise InvalidQuery(f"{one_line(name, 60)!r} cannot be the name of a service")
    return name


def limited_minutes(minutes: int) -> int:
    """Between a minute and a day, whatever the argument is."""
    return min(max(int(minutes), 1), 24 * 60)


def alert_moment(ctx: ToolContext) -> datetime:
    """When the signal is to be judged: at the alert's start, never in the future."""
    return min(ctx.case.started_at, ctx.now)
