"""What a verb is about: the reference that was named, or the one the place implies."""

from bot.core.actor import Actor
from bot.core.errors import NotFound
from bot.core.grammar import mistyped_reference
from bot.plugins import Request
from bot.store import overview
from bot.store.interactions import Interactions
from bot.store.overview import Belongs
from bot.workflows.command_context import CommandContext


def name_of(actor: Actor) -> str:
    """The person key; for members outside the roster their Slack id."""
    return actor.person or actor.user


async def subject_of(ctx: CommandContext, request: Request) -> Belongs:
    """The group and incident that are meant; the only open group of the channel when nothing is named. Raises NotFound."""
    if wrong := mistyped_reference(request.text):
        raise NotFound(f"There is no {wrong[:40]} here: references look like AL-3 or INC-3. The verb list shows what there is.")
    if request.ref:
        return await overview.belongs(ctx.db, request.ref)
    here = await Interactions(ctx.db).open_groups(request.channel)
    if len(here) == 1:
        return await overview.belongs(ctx.db, here[0])
    which = f"Open in this channel: {', '.join(here[:8])}." if here else "Nothing is open in this channel."
    raise NotFound(f"Say which one, for example: {request.verb} AL-3. {which}")


def fitting(ctx: CommandContext, subject: Belongs | None) -> list[str]:
    """Verbs that make sense now, in the order people need them."""
    if subject is None:
        names = ["declare", "list", "whoami", "help"]
    elif subject.state == "RESOLVED":
        names = ["show", "postmortem", "why", "note", "list"]
    else:
        take = [] if subject.state == "ACKNOWLEDGED" else ["ack"]
        declare = [] if subject.incident else ["declare"]
        names = [*take, *declare, "show", "why", "investigate", "propose", "note", "lead", "resolve", "stop"]
    return [name for name in names if name in ctx.verbs]
