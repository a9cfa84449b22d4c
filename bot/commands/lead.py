"""Who leads."""

import re

from bot.commands._subject import name_of, subject_of
from bot.core.errors import NotAllowed
from bot.core.roster import Roster
from bot.plugins import Reply, Request, command
from bot.store import incidents
from bot.store.roles import lead_of, name_deputy
from bot.workflows.command_context import CommandContext

_MENTION = re.compile(r"<@([A-Z0-9]{2,30})(?:\|[^>]*)?>")


@command("lead", aliases=("handover",), usage="lead [@person] [INC-3] | lead deputy @person", who="members")
async def lead(ctx: CommandContext, request: Request) -> Reply:
    """Take the lead of an incident, hand it over, or name a deputy. Rights to approve come from the roster alone."""
    subject = await subject_of(ctx, request)
    if not subject.incident:
        return Reply(f"{subject.ref} is no incident yet: declare it first.")
    roster = await ctx.approvals.rotas.roster(subject.service)
    person = _person(request, roster)
    by, (now, deputies) = name_of(request.actor), await lead_of(ctx.db, subject.incident)
    standing = roster.standing(request.actor.person, subject.service, ctx.clock(), lead=now, deputies=deputies)
    if now and by != now and not (standing.deputy or standing.on_call):
        raise NotAllowed(f"{now} leads {subject.incident}. Who may change that: {now}, a deputy or {subject.service} on-call.")
    rights = "" if person in roster.rostered() else " They are not on the roster, so this gives no right to approve."
    if request.text.strip().lower().startswith("deputy"):
        if not standing.commander:
            raise NotAllowed("Only the rostered person who leads names a deputy.")
        await name_deputy(ctx.db, subject.incident, person, by)
        return Reply(f"{person} is deputy of {subject.incident}.{rights}", private=False)
    await incidents.set_lead(ctx.db, subject.incident, person, by)
    return Reply(f"{person} leads {subject.incident}.{rights}", private=False)


def _person(request: Request, roster: Roster) -> str:
    """The person meant: a mention or a person key in the text, else whoever speaks."""
    if found := _MENTION.search(request.text):
        return roster.person_of(found.group(1)) or found.group(1)
    words = [word.lstrip("@") for word in request.text.split()]
    return next((word for word in words if word in roster.config.people), name_of(request.actor))
