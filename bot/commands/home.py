"""What concerns one person now: the app's home tab shows it."""

from bot.core.action import Proposal
from bot.core.messages.replies import HomeReply
from bot.plugins import Reply, Request, command
from bot.store.incidents import overview
from bot.store.incidents.roles import roles_of
from bot.workflows.command_context import CommandContext

SHOWN = 10
"""Open groups and incidents that are listed."""


@command("home", aliases=("me",), usage="home", who="anyone")
async def home(ctx: CommandContext, request: Request) -> Reply:
    """Show what waits for your approval, what is open everywhere, and for which services you are on call."""
    person = request.actor.person
    criteria = overview.ListCriteria(await ctx.read_access.readable(request), limit=SHOWN + 1)
    rows = [*await overview.groups(ctx.db, criteria), *await overview.bare_incidents(ctx.db, criteria)]
    rows.sort(key=lambda row: row.severity)
    on_call, unread = await _on_call(ctx, person) if person else ([], [])
    content = HomeReply(
        waiting=await _waiting(ctx, request) if person else (),
        rows=rows[:SHOWN],
        more=len(rows) > SHOWN,
        on_call=on_call,
        unread=unread,
        configured=bool(person),
        slash=ctx.config.command,
    )
    return Reply(f"{len(content.waiting)} waiting for you", content=content)


async def _waiting(ctx: CommandContext, request: Request) -> list[Proposal]:
    """The proposals that this person may read and approve now, as far as the rota says: the press asks again."""
    waiting, person = await ctx.approvals.store.waiting(), request.actor.person
    return [one for one in waiting if await _may_approve(ctx, person, one) and await ctx.read_access.may_read(request, one.ref)]


async def _may_approve(ctx: CommandContext, person: str, proposal: Proposal) -> bool:
    roster = await ctx.approvals.rotas.roster()
    roles = await roles_of(ctx.db, proposal.incident)
    return person in roster.approvers(
        proposal.service, proposal.tier, ctx.clock(), roles=roles, requesters=proposal.all_requesters
    )


async def _on_call(ctx: CommandContext, person: str) -> tuple[list[str], list[str]]:
    """The services for which this person is on call, and those whose rota cannot be read."""
    roster, now = await ctx.approvals.rotas.roster(), ctx.clock()
    rotas = {service: roster.rota(service, now) for service in sorted(ctx.config.services)}
    own = [service for service, rota in rotas.items() if person in rota.on_call]
    return own, [service for service, rota in rotas.items() if not rota.readable]
