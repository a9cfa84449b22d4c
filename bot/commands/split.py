"""Split alerts off a group."""

from bot.commands._subject import name_of, subject_of
from bot.core.errors import NotFound
from bot.core.text.untrusted import one_line
from bot.plugins import Reply, Request, command
from bot.store.alerts import regroup
from bot.workflows.command_context import CommandContext


@command("split", usage="split <service or alert name> [AL-3]", who="members")
async def split(ctx: CommandContext, request: Request) -> Reply:
    """Give the alerts of one service, or of one name, a card of their own: they are another outage."""
    subject = await subject_of(ctx, request)
    what = one_line(request.text, 200).strip()
    if not subject.group or not what:
        raise NotFound("Say which alerts leave: split checkout AL-3, or split HighErrorRate AL-3. Nothing was split.")
    new = await regroup.split(ctx.db, subject.group, what, name_of(request.actor))
    await ctx.engine.start("triage", f"triage:{new.ref}:1", new.ref, 1)
    alerts = "1 alert has a card of its own" if new.alerts == 1 else f"{new.alerts} alerts have a card of their own"
    return Reply(f"{alerts} now: {new.ref}. Its causes are looked for.")
