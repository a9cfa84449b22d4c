"""Who you are here."""

from collections.abc import Sequence

from bot.commands._subject import subject_of
from bot.core.approvals.roster import Eligibility
from bot.core.errors import NotFound
from bot.core.text.untrusted import counted
from bot.plugins import Reply, Request, command
from bot.store.incidents.roles import roles_of
from bot.workflows.command_context import CommandContext

NAMED = 12
"""Services named in one line; the rest is counted."""
UNKNOWN = "Not among `people` in tocsin.yaml: you may read, declare, acknowledge, note, resolve and stop, but approve nothing."


@command("whoami", usage="whoami", who="anyone")
async def whoami(ctx: CommandContext, request: Request) -> Reply:
    """Show who the bot takes you for, your roles now and what you may approve."""
    actor = request.actor
    lines = [f"Workspace {actor.team}, user {actor.user}, person {actor.person or 'unknown to the roster'}."]
    if actor.is_guest or actor.is_bot or actor.is_stranger or actor.is_deleted:
        return Reply("\n".join([*lines, "Guests, bots and people of other workspaces may read and never approve."]))
    if not actor.person:
        return Reply("\n".join([*lines, UNKNOWN]))
    try:
        subject = await subject_of(ctx, request)
        services, incident = [subject.service], subject.incident
    except NotFound:
        services, incident = sorted(ctx.config.services), ""
    roles = await roles_of(ctx.db, incident)
    # For all services at once young copies of the user groups will do: one request a group, not one a service.
    roster = await ctx.approvals.rotas.roster(services[0] if len(services) == 1 else "")
    by_role: dict[str, list[str]] = {}
    for service in services:
        eligibility = roster.eligibility(actor.person, service, ctx.clock(), roles=roles)
        by_role.setdefault(_roles(eligibility, incident), []).append(service or "Alerts of no service")
    return Reply("\n".join([*lines, *(f"{_gathered(names)}: {roles}" for roles, names in by_role.items())]))


def _gathered(services: Sequence[str]) -> str:
    shown = ", ".join(services[:NAMED])
    return shown if len(services) <= NAMED else f"{shown} and {counted(len(services) - NAMED, 'more service')}"


def _roles(eligibility: Eligibility, incident: str) -> str:
    roles = {
        "on-call": eligibility.on_call,
        "secondary": eligibility.secondary,
        f"commander of {incident}": eligibility.commander,
        "deputy": eligibility.deputy,
        "owner": eligibility.owner,
        "admin": eligibility.admin,
    }
    own_roles = ", ".join(role for role, holds in roles.items() if holds) or "no role"
    commands = eligibility.on_call or eligibility.commander or eligibility.deputy
    may = "tiers 1 to 3" if commands else "tier 3" if eligibility.owner else ""
    stale = "" if eligibility.rota.readable else " (the rota cannot be read)"
    return f"{own_roles}{stale}. " + (f"You may approve: {may}." if may else "You may approve nothing there.")
