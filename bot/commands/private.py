"""Who reads an incident."""

from bot.commands._subject import name_of, subject_of
from bot.core.errors import NotAllowed, NotFound
from bot.plugins import Reply, Request, command
from bot.store.incidents.privacy import set_private
from bot.store.incidents.roles import roles_of
from bot.workflows.command_context import CommandContext


@command("private", usage="private [off] [INC-3]", who="members", fresh_identity=True)
async def private(ctx: CommandContext, request: Request) -> Reply:
    """Keep an incident to the members of its channel: nobody else finds it in lists, answers or past incidents.

    The service's on-call, an owner, a deputy or the commander decides that. Its messages stay where they stand: declare what is
    confidential in a private channel.
    """
    word = request.text.strip().lower()
    if word not in ("", "off"):
        raise NotFound(f"private takes nothing or off, not {word[:40]}. Nothing was changed.")
    subject = await subject_of(ctx, request)
    if not subject.incident:
        return Reply(f"{subject.ref} is no incident yet: declare it with private=yes.")
    roster, roles = await ctx.approvals.rotas.roster(subject.service), await roles_of(ctx.db, subject.incident)
    if not roster.eligibility(request.actor.person, subject.service, ctx.clock(), roles=roles).stands:
        may = f"{subject.service or 'its service'}'s on-call, an owner, a deputy, or the commander"
        raise NotAllowed(f"Who reads {subject.incident} is decided by {may}. Nothing was changed.")
    changed = await set_private(ctx.db, subject.incident, name_of(request.actor), private=not word)
    if word:
        text = f"{subject.incident} is {'no longer' if changed else 'not'} private."
        return Reply(text, private=False, about=subject.incident)
    text = f"{subject.incident} is private{'' if changed else ' already'}: only members of its channel read it."
    return Reply(text, private=False, about=subject.incident)
