"""What a command is about: the reference in its text, or the one that its thread or channel implies."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.actor import Actor, is_direct, visible_in
from bot.core.commands.verb_line import mistyped_reference, typed_line
from bot.core.errors import NotFound
from bot.plugins import Request
from bot.store.incidents import overview
from bot.store.incidents.overview import Subject
from bot.store.slack.interactions import Interactions
from bot.workflows.command_context import CommandContext

MAX_CANDIDATES = 8
MAX_COPIED = 200
"""Characters of a line that is repeated for each candidate."""


def name_of(actor: Actor) -> str:
    """The person key; for members outside the roster their Slack id."""
    return actor.person or actor.user


async def subject_of(ctx: CommandContext, request: Request) -> Subject:
    """The group and incident that are meant; the only open one of the channel without a reference. Raises NotFound."""
    if wrong := mistyped_reference(request.text):
        raise NotFound(f"There is no {wrong[:40]} here: references look like AL-3 or INC-3. The verb list shows what there is.")
    around = await around_of(ctx, request)
    if around.subject:
        return around.subject
    raise NotFound(_which(request, around))


def _which(request: Request, around: "Around") -> str:
    """Asks which one is meant, with the whole line to copy for each, or for one where it is long: nobody types it twice."""
    refs = around.open[:MAX_CANDIDATES]
    lines = [typed_line(request.verb, ref, request.text, request.options) for ref in refs or ["AL-3"]]
    if not refs:
        return f"Say which one, for example: {lines[0]}. Nothing is open{around.where}."
    more = "; the verb list shows more" if len(around.open) > len(refs) else ""
    copied = lines if len(lines[0]) <= MAX_COPIED else lines[:1]
    return "\n".join([f"Say which one: open{around.where}: {', '.join(refs)}{more}. Nothing was done yet. To copy:", *copied])


@dataclass(frozen=True)
class Around:
    """What a thread or channel implies: the subject, if any, and whether it is meant because nothing else is open here."""

    subject: Subject | None
    only_one: bool = False
    open: Sequence[str] = ()
    """References that are open there, when they are several."""
    everywhere: bool = False
    """It was asked for where no channel is: in a direct conversation or on the home tab."""

    @property
    def where(self) -> str:
        """ " in this channel", where one is."""
        return "" if self.everywhere else " in this channel"


async def around_of(ctx: CommandContext, request: Request) -> Around:
    """The reference in the request or of its thread, else the only open one of the channel. Raises NotFound."""
    if request.ref:
        return Around(await overview.subject_of(ctx.db, request.ref))
    everywhere = is_direct(request.channel)
    visibilities = await ctx.read_access.readable(request) if everywhere else visible_in(request.channel)
    here = await Interactions(ctx.db).open_in(visibilities)
    subject = await overview.subject_of(ctx.db, here[0]) if len(here) == 1 else None
    return Around(subject, only_one=subject is not None, open=() if subject else here, everywhere=everywhere)


def fitting(ctx: CommandContext, subject: Subject | None) -> list[str]:
    """Verbs that make sense now, in the order people need them."""
    if subject is None:
        names = ["declare", "list", "whoami", "help"]
    elif subject.state == "RESOLVED":
        names = ["show", "postmortem", "why", "note", "list"]
    else:
        take = [] if subject.state == "ACKNOWLEDGED" else ["ack"]
        declare = [] if subject.incident else ["declare"]
        names = [*take, *declare, "show", "why", "investigate", "propose", "silence", "note", "lead", "resolve", "stop"]
    return [name for name in names if name in ctx.verbs]
