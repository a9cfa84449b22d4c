"""The list."""

from datetime import datetime

from bot.commands._subject import name_of
from bot.core.config import parse_duration
from bot.core.errors import NotFound
from bot.plugins import Reply, Request, command
from bot.store import overview
from bot.workflows.command_context import CommandContext


@command("list", usage="list [open|mine|all] [service=] [since=7d] [page=2]", options=("service", "since", "page"))
async def list(ctx: CommandContext, request: Request) -> Reply:
    """List alert groups and incidents, the worst and newest first."""
    which = request.text.strip().lower() or "open"
    if which not in ("open", "mine", "all"):
        return Reply(f"list takes open, mine or all, not {which[:40]}.")
    service, mine = request.options.get("service", ""), name_of(request.actor) if which == "mine" else ""
    rows = await overview.groups(ctx.db, open_only=which == "open", service=service, since=_since(ctx, request), taken_by=mine)
    if which != "mine":
        rows += await overview.bare_incidents(ctx.db, open_only=which == "open", service=service)
    page = request.options.get("page", "1")
    state = {"rows": rows, "title": which.capitalize(), "page": int(page) if page.isdecimal() and 0 < int(page) < 1000 else 1}
    return Reply(f"{which}: {len(rows)}", view="list", subject=state)


def _since(ctx: CommandContext, request: Request) -> datetime | None:
    if "since" not in request.options:
        return None
    try:
        return ctx.clock() - parse_duration(request.options["since"])
    except (ValueError, OverflowError) as error:
        raise NotFound(f"since: {error}") from None
