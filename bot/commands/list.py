"""List alert groups and incidents, narrowed by state, person, service and age."""

from datetime import datetime

from bot.commands._subject import name_of
from bot.core.config.fields import parse_duration
from bot.core.errors import NotFound
from bot.core.messages.replies import ListReply
from bot.plugins import Reply, Request, command
from bot.store.incidents import overview
from bot.workflows.command_context import CommandContext


@command(
    "list", usage="list [open|mine|all] [service=] [since=7d] [page=2]", options=("service", "since", "page"), who="anyone"
)
async def list(ctx: CommandContext, request: Request) -> Reply:
    """List the alert groups and incidents that you can read, the worst and newest first: open ones unless you say mine or all.

    service= and since= narrow it, page= goes on. Any other word, page or length of time is refused with what is allowed.
    """
    which = request.text.strip().lower() or "open"
    if which not in ("open", "mine", "all"):
        raise NotFound(f"list takes open, mine or all, not {which[:40]}.")
    page = _page(request.options.get("page", "1"))
    service, responder = request.options.get("service", ""), name_of(request.actor) if which == "mine" else ""
    visibilities = await ctx.read_access.readable(request)
    criteria = overview.ListCriteria(visibilities, which == "open", service, _since(ctx, request), responder)
    groups, bare = await overview.groups(ctx.db, criteria), await overview.bare_incidents(ctx.db, criteria)
    rows = overview.by_severity([*groups, *bare])
    if service and not rows and service not in ctx.catalogue.services:
        return Reply(f"Nothing found; {service[:60]} is not a service of the catalogue either.")
    more = max(map(len, (groups, bare))) >= overview.MAX_ROWS
    return Reply(f"{which}: {len(rows)}", content=ListReply(rows=rows, title=which.capitalize(), page=page, more=more))


def _page(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text[:9]) < 1000):
        raise NotFound(f"page takes a number from 1 to 999, not {text[:20]}.")
    return int(text)


def _since(ctx: CommandContext, request: Request) -> datetime | None:
    if "since" not in request.options:
        return None
    try:
        return ctx.clock() - parse_duration(request.options["since"])
    except (ValueError, OverflowError) as error:
        raise NotFound(f"since: {error}") from None
