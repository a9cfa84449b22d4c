"""Confirm the cause of an incident, from the ranked causes or in own words."""

from collections.abc import Mapping

from bot.commands._causes import NONE, Ranked, confirmed_cause, joined, ranked_of
from bot.commands._subject import subject_of
from bot.core.errors import NotFound
from bot.core.text.untrusted import one_line
from bot.plugins import EntryPoint, Field, FieldErrors, Form, Reply, Request, command
from bot.store.incidents import causes
from bot.store.incidents.overview import Subject
from bot.workflows.command_context import CommandContext

MAX_SERVICES = 100
"""Options of one menu in Slack."""


@command(
    "cause",
    aliases=("confirm",),
    usage="cause [what it was] [service=] [INC-3]",
    options=("service",),
    who="members",
    opens_form=True,
)
async def cause(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Say what an incident was: kept with your name, for the postmortem and for the next time.

    Without words a dialog offers the ranked causes. Nothing is stored for an alert group that is no incident, a service that is
    not in the catalogue, or a dialog or button whose causes were ranked anew meanwhile.
    """
    subject = await subject_of(ctx, request)
    if not subject.incident:
        return Reply(f"{subject.ref} is no incident, so it has no cause to confirm. The verb declare makes it one.")
    ranked = await ranked_of(ctx, subject.group)
    if request.revision not in (None, ranked.attempt) and (request.fields or request.verb == "confirm"):
        return Reply(f"{subject.incident} was ranked anew meanwhile. Nothing was stored; look at its causes and say it again.")
    if request.verb == "confirm":
        return await _store(ctx, request, subject, ranked.chosen("1"))
    if request.entry_point == EntryPoint.MODAL:
        return await _submitted(ctx, request, subject, ranked)
    if not request.text.strip():
        return _form(ctx, subject, ranked)
    service = request.options.get("service", "")
    if service and service not in ctx.catalogue.services:
        raise NotFound(f"{service[:60]} is no service of the catalogue. Nothing was stored.")
    return await _store(ctx, request, subject, {"text": request.text.strip(), "service": service})


async def _submitted(ctx: CommandContext, request: Request, subject: Subject, ranked: Ranked) -> Reply | FieldErrors:
    words, choice = request.fields.get("words", "").strip(), request.fields.get("which", "")
    if not words and choice in ("", NONE):
        return FieldErrors({"words": "Say it in a few words."})
    # A ranked cause brings its own service.
    return await _store(ctx, request, subject, {"service": request.fields.get("service", ""), **joined(ranked, choice, words)})


async def _store(ctx: CommandContext, request: Request, subject: Subject, answer: Mapping[str, str]) -> Reply:
    cause = confirmed_cause(ctx, request, answer)
    await causes.confirm(ctx.db, subject.incident, cause)
    return Reply(f"Noted as the cause of {subject.incident}: {one_line(cause.text, 200)}")


def _form(ctx: CommandContext, subject: Subject, ranked: Ranked) -> Form:
    words = Field("words", "What was it?", kind="long", optional=bool(ranked.hypotheses), hint="One line is enough.")
    names = [(name, name) for name in sorted(ctx.catalogue.services)[:MAX_SERVICES]]
    default = subject.service if subject.service in ctx.catalogue.services else ""
    service = Field("service", "Which service was at fault?", kind="select", value=default, options=names, optional=True)
    fields = [*ranked.question(), words, *([service] if names else [])]
    return Form(
        f"Cause of {subject.incident}", "cause", ref=subject.incident, revision=ranked.attempt, fields=fields, submit="Store"
    )
