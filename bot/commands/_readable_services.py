"""Of which services the sender of a request may read alerts."""

from collections.abc import Collection

from bot.core.actor import Visibility
from bot.plugins import Request
from bot.workflows.command_context import CommandContext


def channel_of(ctx: CommandContext, service: str) -> Visibility:
    """What alerts of a service in no group belong to."""
    return Visibility(ctx.catalogue.channel_of(service, ctx.config.default_channel))


async def unread_services(
    ctx: CommandContext, request: Request, services: Collection[str], place: str | None = None
) -> set[str]:
    """Those of which its sender may not read here, or that may not be named in `place`; "" says nothing of any service."""
    of = {service: channel_of(ctx, service) for service in services if service}
    hidden = await ctx.read_access.hidden(request, of.values(), place)
    return {service for service, visibility in of.items() if visibility in hidden}
