"""Propose an action."""

from collections.abc import Mapping
from typing import Any

from bot.commands._subject import subject_of
from bot.core.config.actions import ActionConfig
from bot.core.config.plans import PlanConfig
from bot.core.errors import NotFound
from bot.core.text.untrusted import one_line
from bot.plugins import Field, Form, Reply, Request, command
from bot.store.incidents.overview import Subject
from bot.workflows.command_context import CommandContext

USAGE = "propose <action> [service] [name=value ...]"


@command("propose", usage=USAGE, options=("*",), who="members", opens_form=True)
async def propose(ctx: CommandContext, request: Request) -> Reply | Form:
    """Put an action or a plan of the catalogue with exact arguments to people. It never runs by being proposed."""
    subject = await _subject(ctx, request)
    words = (request.fields.get("action") or request.text).split()
    if not words:
        return _form(ctx, subject)
    if words[0] in _entries(ctx) and (wrong := _unknown_service(ctx, words)):
        raise NotFound(f"{wrong[:60]} is no service of the catalogue. Usage: {USAGE}. Nothing was proposed.")
    service = _service(ctx, request, words, subject)
    if not service:
        return Reply(f"Say for which service: propose {words[0]} service=<name>.")
    arguments = {name: value for name, value in request.options.items() if name not in ("service", "because")}
    because = request.fields.get("because") or request.options.get("because") or f"Asked for by {request.actor.person}"
    proposal = await ctx.approvals.propose(
        words[0],
        service,
        _arranged(ctx, words[0], arguments),
        group_ref=(subject.incident or subject.group) if subject else "",
        requester=request.actor.person,
        because=because,
        key=f"propose:{request.key}",
        actor=request.actor,
    )
    # Of no alert it opens no thread: it is a message of its own.
    place = f"in the thread of {subject.ref}" if subject else "in the channel, as it belongs to no alert"
    return Reply(f"{proposal.ref} stands {place}: {proposal.title}. Nothing runs before it is approved.")


async def _subject(ctx: CommandContext, request: Request) -> Subject | None:
    try:
        return await subject_of(ctx, request)
    except NotFound:
        if request.ref:
            raise
        return None


def _service(ctx: CommandContext, request: Request, words: list[str], subject: Subject | None) -> str:
    named = request.fields.get("service") or request.options.get("service", "")
    second = words[1] if len(words) > 1 and words[1] in ctx.catalogue.services else ""
    return named or second or (subject.service if subject else "")


def _unknown_service(ctx: CommandContext, words: list[str]) -> str:
    """The first word after the action that is no service: without this check the service of the thread would be taken."""
    return next((word for word in words[1:] if word not in ctx.catalogue.services), "")


def _arranged(ctx: CommandContext, entry: str, options: Mapping[str, str]) -> dict[str, object]:
    """Options by the names of the action's arguments; others go into its open mapping (matchers, parameters)."""
    kind = ctx.approvals.executor.kind_of(entry)
    if kind is None:
        return dict(options)
    names = {field.alias or name for name, field in kind.model_fields.items()}
    mapping = next((name for name in ("matchers", "parameters") if name in kind.model_fields), "")
    named: dict[str, Any] = {name: value for name, value in options.items() if name in names}
    rest = {name: value for name, value in options.items() if name not in names}
    if mapping == "parameters" and (unused := _unused_parameter(ctx, entry, rest)):
        raise NotFound(f"{entry} takes no {unused[:40]}=: nothing in its entry uses it. Nothing was proposed.")
    return {**named, mapping: rest} if rest and mapping else {**named, **rest}


def _unused_parameter(ctx: CommandContext, entry: str, values: Mapping[str, str]) -> str:
    """The first value that neither the entry's texts nor its `options.parameters` name: it would have no effect."""
    config = ctx.config.actions[entry]
    texts, declared = f"{config.url} {config.body} {config.options}", config.options.get("parameters", ())
    return next((name for name in values if name not in declared and f"{{{name}}}" not in texts), "")


def _entries(ctx: CommandContext) -> Mapping[str, ActionConfig | PlanConfig]:
    """The catalogue's actions and plans."""
    return {**ctx.config.actions, **ctx.config.plans}


def _form(ctx: CommandContext, subject: Subject | None) -> Form | Reply:
    if not ctx.config.actions:
        return Reply("The catalogue has no actions yet: see `actions` in tocsin.yaml.")
    entries = [(name, one_line(f"{name}: {e.when or e.title or e.kind}", 75)) for name, e in _entries(ctx).items()]
    services = [(name, name) for name in sorted(ctx.catalogue.services)]
    service = subject.service if subject else ""
    fields = [
        Field("action", "Action", kind="select", options=entries[:100]),
        Field("service", "Service", kind="select" if services else "text", options=services[:100], value=service),
        Field("because", "Why?", kind="long", optional=True),
    ]
    ref = (subject.incident or subject.group) if subject else ""
    return Form(
        "Propose an action", "propose", ref=ref, intro="It never runs by being proposed.", fields=fields, submit="Propose"
    )
