"""Resolve."""

from bot.commands._subject import name_of, subject_of
from bot.plugins import Field, Form, Reply, Request, command
from bot.store import incidents
from bot.store.overview import Belongs
from bot.workflows.command_context import CommandContext


@command("resolve", aliases=("close",), usage="resolve [what it was] [INC-3|AL-3]", who="members")
async def resolve(ctx: CommandContext, request: Request) -> Reply | Form:
    """Say that it is over; asks once what it was. A new firing opens a new group."""
    subject = await subject_of(ctx, request)
    if subject.state == "RESOLVED":
        return Reply(f"{subject.ref} is already resolved.")
    if request.door != "modal" and not request.text:
        return _ask(subject)
    cause = (request.fields.get("cause") or request.text).strip()[:500]
    await incidents.resolve(ctx.db, subject.incident or subject.group, name_of(request.actor), cause)
    told = "" if cause else " The cause stays not confirmed."
    return Reply(f"Resolved {subject.incident or subject.group}.{told}")


def _ask(subject: Belongs) -> Form:
    ref = subject.incident or subject.group
    question = Field("cause", "What was it?", kind="long", optional=True, hint="The confirmed cause, for the postmortem.")
    return Form(f"Resolve {ref}", "resolve", ref=ref, fields=[question], submit="Resolve")
