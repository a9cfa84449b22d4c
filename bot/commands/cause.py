"""What it was."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.commands._subject import name_of, subject_of
from bot.core.errors import NotFound
from bot.core.past import ConfirmedCause
from bot.core.text import one_line
from bot.plugins import Field, FieldErrors, Form, Reply, Request, command
from bot.store import causes
from bot.store.overview import Belongs
from bot.store.triage import Triages
from bot.workflows.command_context import CommandContext

OTHER = "0"
"""The choice of none of the hypotheses."""
MOST_SERVICES = 100
"""Options of one menu in Slack."""


@command("cause", aliases=("confirm",), usage="cause [what it was] [service=] [INC-3]", options=("service",), who="members")
async def cause(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Say what an incident was: kept with your name, for the postmortem and for the next time."""
    subject = await subject_of(ctx, request)
    if not subject.incident:
        return Reply(f"{subject.ref} is no incident, so nothing is asked about it. The verb declare makes it one.")
    row = await Triages(ctx.db).row(subject.group) if subject.group else None
    hypotheses: Sequence[Mapping[str, Any]] = row.findings.get("hypotheses", [])[:3] if row else []
    attempt = row.attempt if row else 0
    if request.revision is not None and request.revision != attempt and (request.fields or request.verb == "confirm"):
        return Reply(f"{subject.incident} was ranked anew meanwhile. Nothing was stored; look at its causes and say it again.")
    if request.verb == "confirm":
        return await _store(ctx, request, subject, _chosen(hypotheses, "1"))
    if request.door == "modal":
        return await _submitted(ctx, request, subject, hypotheses)
    if not request.text.strip():
        return _form(ctx, subject, hypotheses, attempt)
    service = request.options.get("service", "")
    if service and service not in ctx.catalogue.services:
        raise NotFound(f"{service[:60]} is no service of the catalogue. Nothing was stored.")
    return await _store(ctx, request, subject, {"text": request.text.strip(), "service": service})


async def _submitted(
    ctx: CommandContext, request: Request, subject: Belongs, hypotheses: Sequence[Mapping[str, Any]]
) -> Reply | FieldErrors:
    words, choice = request.fields.get("words", "").strip(), request.fields.get("which") or OTHER
    if choice != OTHER:
        chosen = _chosen(hypotheses, choice)
        return await _store(
            ctx, request, subject, {**chosen, "text": f"{chosen['text']} ({words})" if words else chosen["text"]}
        )
    if not words:
        return FieldErrors({"words": "Say it in a few words."})
    return await _store(ctx, request, subject, {"text": words, "service": request.fields.get("service", "")})


def _chosen(hypotheses: Sequence[Mapping[str, Any]], choice: str) -> dict[str, str]:
    """What a hypothesis says, as a person's word. Raises NotFound."""
    if not choice.isdecimal() or not 1 <= int(choice) <= len(hypotheses):
        raise NotFound("There is no such cause to confirm; say in words what it was: cause <what it was>.")
    one = hypotheses[int(choice) - 1]
    return {"text": one["cause"], "service": one["service"], "kind": one["kind"], "change_id": one["change_id"]}


async def _store(ctx: CommandContext, request: Request, subject: Belongs, said: Mapping[str, str]) -> Reply:
    word = ConfirmedCause(**said, said_by=name_of(request.actor), at=ctx.clock())
    await causes.confirm(ctx.db, subject.incident, word)
    return Reply(f"Noted as the cause of {subject.incident}: {one_line(word.text, 200)}")


def _form(ctx: CommandContext, subject: Belongs, hypotheses: Sequence[Mapping[str, Any]], attempt: int) -> Form:
    options = [(str(n), f"{n}. {one_line(one['cause'], 68)}") for n, one in enumerate(hypotheses, 1)]
    which = Field("which", "Was it one of these?", kind="select", value=OTHER, options=[*options, (OTHER, "None of these")])
    words = Field("words", "What was it?", kind="long", optional=bool(options), hint="One line is enough.")
    names = [(name, name) for name in sorted(ctx.catalogue.services)[:MOST_SERVICES]]
    known = subject.service if subject.service in ctx.catalogue.services else ""
    service = Field("service", "Which service was at fault?", kind="select", value=known, options=names, optional=True)
    fields = [*([which] if options else []), words, *([service] if names else [])]
    return Form(f"Cause of {subject.incident}", "cause", ref=subject.incident, revision=attempt, fields=fields, submit="Store")
