"""List, ask for or revoke standing approvals."""

from collections.abc import Sequence

from bot.commands._subject import subject_of
from bot.core.approvals.standing import may_revoke
from bot.core.errors import NotAllowed, NotFound
from bot.core.text.moments import date_to_the_minute
from bot.plugins import Reply, Request, command
from bot.store.approvals.standing.register import GrantSummary
from bot.workflows.command_context import CommandContext
from bot.workflows.remediation.standing import request_grant

USAGE = "standing | standing grant <action> <service> alert= [days=90] [a_day=3] [name=value ...] | standing revoke AP-3 [why]"
_OWN = ("alert", "days", "a_day")


@command("standing", usage=USAGE, options=("*",), who="members", fresh_identity=True)
async def standing_approvals(ctx: CommandContext, request: Request) -> Reply:
    """List, ask for or revoke standing approvals: an action that proved itself starts for one alert without anybody's approval.

    What is asked for is put to two people as a card, one of them an owner. Whatever it starts can be stopped for some minutes.
    """
    word, _, rest = request.text.partition(" ")
    if word == "grant":
        return await _grant(ctx, request, rest.split())
    if word == "revoke":
        return await _revoke(ctx, request, rest.strip())
    if word:
        raise NotFound(f"standing takes grant or revoke, not {word[:40]}. Nothing was changed.")
    lines = await standing_lines(ctx, sorted(ctx.config.services))
    return Reply("\n".join(lines) or f"Nothing was granted yet. Usage: {USAGE}.", dialog=bool(lines))


async def _grant(ctx: CommandContext, request: Request, words: Sequence[str]) -> Reply:
    alert = request.options.get("alert", "")
    if len(words) != 2 or not alert:
        raise NotFound(f"Say which action, which service and for which alert. Usage: {USAGE}.")
    days, a_day = (_number(request.options.get(name, default), name) for name, default in (("days", "90"), ("a_day", "3")))
    values = {name: value for name, value in request.options.items() if name not in _OWN}
    kind = ctx.approvals.executor.kind_of(words[0])
    nested = kind is not None and "parameters" in kind.model_fields and values
    proposal = await request_grant(
        ctx.approvals, request.actor, words[0], words[1], {"parameters": values} if nested else values,
        alert=alert, per_day=a_day, days=days, group_ref=await _group(ctx, request), key=f"standing:{request.key}",
    )  # fmt: skip
    return Reply(f"{proposal.ref} asks for it: two people approve its card, one of them an owner of {words[1]}.")


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise NotFound(f"{name}= takes a whole number. Nothing was changed.")
    return int(text)


async def _group(ctx: CommandContext, request: Request) -> str:
    """What its card belongs to, where it was asked for in a thread; else it stands alone."""
    if not request.ref:
        return ""
    subject = await subject_of(ctx, request)
    return subject.incident or subject.group


async def _revoke(ctx: CommandContext, request: Request, why: str) -> Reply:
    if not request.ref.startswith("AP-"):
        return Reply(f"Say which one, for example: standing revoke AP-3 {why or 'it restarts too often'}.")
    person, proposal = request.actor.person, await ctx.approvals.store.load(request.ref)
    roster = await ctx.approvals.rotas.roster(proposal.service)
    eligibility = roster.eligibility(person, proposal.service, ctx.clock())
    if not may_revoke(eligibility):
        raise NotAllowed("You can't revoke this. Who may: anybody on a rota, an owner, a deputy or an admin.")
    return Reply(
        await ctx.approvals.standing_approvals.revoke(request.ref, person, why[:200]), private=False, about=request.ref
    )


async def standing_lines(ctx: CommandContext, services: Sequence[str]) -> list[str]:
    """One line for each grant of these services."""
    register = ctx.approvals.standing_approvals
    # Each with its rota as it is now: a copy that is minutes old carries no grant.
    granted = await register.services()
    by_service = [
        await register.newest(await ctx.approvals.authority(service), service) for service in services if service in granted
    ]
    return [_line(one) for grants in by_service for one in grants]


def _line(one: GrantSummary) -> str:
    grant, until = one.grant, date_to_the_minute(one.until)
    what = f"{one.ref}: {grant.action} on {one.service} for {grant.alert}, by {' and '.join(one.granted_by)} until {until}"
    used = f"used {one.used_today} of {grant.per_day} today"
    return f"{what}, {used}" + (f"; does not count: {one.ended}." if one.ended else ".")
