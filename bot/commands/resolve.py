"""Resolve an incident or alert group."""

from bot.commands._causes import Ranked, confirmed_cause, joined, ranked_of
from bot.commands._subject import name_of, subject_of
from bot.plugins import EntryPoint, Field, Form, Reply, Request, command
from bot.store.incidents import causes, incidents
from bot.store.incidents.overview import Subject
from bot.workflows.command_context import CommandContext


@command("resolve", aliases=("close",), usage="resolve [what it was] [INC-3|AL-3]", who="members", opens_form=True)
async def resolve(ctx: CommandContext, request: Request) -> Reply | Form:
    """Say that it is over; asks once what it was. A new firing opens a new group."""
    subject = await subject_of(ctx, request)
    if subject.state == "RESOLVED":
        return Reply(f"{subject.ref} is already resolved.")
    ranked = await ranked_of(ctx, subject.group)
    if request.entry_point != EntryPoint.MODAL and not request.text:
        return _ask(subject, ranked)
    cause = await _confirmed(ctx, request, subject, ranked)
    await incidents.resolve(ctx.db, subject.incident or subject.group, name_of(request.actor), cause)
    open_question = "" if cause else " Its cause is not confirmed."
    return Reply(f"Resolved {subject.incident or subject.group}.{open_question}{_still_firing(subject)}")


def _still_firing(subject: Subject) -> str:
    """Who resolves while alerts fire hears nothing more of these: that has to be said."""
    if not subject.firing:
        return ""
    words = "still fires, and brings" if subject.firing == 1 else "still fire, and bring"
    return f" {subject.firing} of its alerts {words} no new card."


async def _confirmed(ctx: CommandContext, request: Request, subject: Subject, ranked: Ranked) -> str:
    """Store what this person says it was; "" if they do not say."""
    # Ranked anew while the dialog was open, its numbers mean something else.
    choice = request.fields.get("which", "") if request.revision == ranked.attempt else ""
    answer = joined(ranked, choice, (request.fields.get("cause") or request.text).strip())
    if not answer["text"]:
        return ""
    cause = confirmed_cause(ctx, request, answer)
    if subject.incident:
        await causes.confirm(ctx.db, subject.incident, cause)
    return cause.text


def _ask(subject: Subject, ranked: Ranked) -> Form:
    ref = subject.incident or subject.group
    question = Field("cause", "What was it?", kind="long", optional=True, hint="The confirmed cause, for the postmortem.")
    return Form(
        f"Resolve {ref}",
        "resolve",
        ref=ref,
        revision=ranked.attempt,
        intro=_still_firing(subject).strip(),
        fields=[*ranked.question(), question],
        submit="Resolve",
    )
