"""Take or hand over the lead of an incident, or name a deputy."""

import re
from dataclasses import replace

from bot.commands._subject import name_of, subject_of
from bot.core.approvals.roster import Eligibility, Roster
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import Reply, Request, command
from bot.store.incidents import incidents
from bot.store.incidents.roles import name_deputy, roles_of
from bot.workflows.command_context import CommandContext

_MENTION = re.compile(r"<@([A-Z0-9]{2,30})(?:\|[^>]*)?>")

NOT_ROSTERED = " They are not on the roster, so this gives no right to approve."
TAKEN_LEAD = "A lead that is taken gives no right to approve: the service's on-call, an owner or a deputy can hand it over."


@command(
    "lead", aliases=("handover",), usage="lead [@person] [INC-3] | lead deputy @person", who="members", fresh_identity=True
)
async def lead(ctx: CommandContext, request: Request) -> Reply:
    """Take the lead of an incident, hand it over, or name a deputy. A lead that is taken approves nothing by itself.

    The right to approve goes with it only if the service's on-call, an owner, a deputy or the commander hands it over.
    Once somebody leads, only they, a deputy, an owner or the service's on-call change that, and only the rostered person who
    leads names a deputy. Guests, bots and people of other workspaces cannot lead; an alert group is declared first.
    """
    subject = await subject_of(ctx, request)
    if not subject.incident:
        return Reply(f"{subject.ref} is no incident yet: declare it first.")
    roster = await ctx.approvals.rotas.roster(subject.service)
    deputy, _, deputy_name = request.text.strip().partition(" ")
    naming_deputy = deputy.lower() == "deputy"
    person = await _person(ctx, request, deputy_name if naming_deputy else request.text.strip(), roster)
    by, roles = name_of(request.actor), await roles_of(ctx.db, subject.incident)
    eligibility = roster.eligibility(request.actor.person, subject.service, ctx.clock(), roles=roles)
    if roles.lead and by != roles.lead and not (eligibility.deputy or eligibility.on_call or eligibility.owner):
        may = f"{roles.lead}, a deputy, an owner or {subject.service} on-call"
        raise NotAllowed(f"{roles.lead} leads {subject.incident}. Who may change that: {may}.")
    if naming_deputy:
        if not eligibility.commander:
            raise NotAllowed("Only the rostered person who leads names a deputy.")
        await name_deputy(ctx.db, subject.incident, person, by)
        rights = "" if person in roster.rostered() else NOT_ROSTERED
        return Reply(f"{person} is deputy of {subject.incident}.{rights}", private=False, about=subject.incident)
    # Taken again by who leads already it stays what it was: nobody hands a right to themselves.
    handed_over = eligibility.stands if person != by else roles.handed_over and roles.lead == by
    await incidents.set_lead(ctx.db, subject.incident, person, by, handed_over=handed_over)
    after = replace(roles, lead=person, handed_over=handed_over)
    rights = _rights(roster, roster.eligibility(person, subject.service, ctx.clock(), roles=after), person)
    return Reply(f"{person} leads {subject.incident}.{rights}", private=False, about=subject.incident)


def _rights(roster: Roster, eligibility: Eligibility, person: str) -> str:
    """What leading does not give, said where it would be missed."""
    if person not in roster.rostered():
        return NOT_ROSTERED
    return "" if eligibility.commander else f" {TAKEN_LEAD}"


async def _person(ctx: CommandContext, request: Request, name: str, roster: Roster) -> str:
    """The person meant: a mention or a person key; without a word, the requester. Raises NotFound, NotAllowed."""
    if not name:
        return name_of(request.actor)
    if mention := _MENTION.search(name):
        await _check_account(ctx, mention.group(1))
        return roster.person_of(mention.group(1)) or mention.group(1)
    words = [word.lstrip("@") for word in name.split()]
    if person := next((word for word in words if word in roster.config.people), ""):
        await _check_account(ctx, roster.slack_of(person))
        return person
    raise NotFound(f"Nobody here is called {name[:40]}: mention the person, for example: lead @alice. Nothing was changed.")


async def _check_account(ctx: CommandContext, user: str) -> None:
    """Only full members of the workspace may lead. Raises NotAllowed, QueryFailed."""
    if ctx.account is None or not user:
        return
    account = await ctx.account(user)
    if account.is_guest or account.is_bot or account.is_stranger or account.is_deleted:
        raise NotAllowed("Only full members of this workspace lead or stand in: no guests, bots or people of other workspaces.")
