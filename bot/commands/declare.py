"""Declare an incident."""

from bot.commands._subject import name_of
from bot.core.alert import Severity
from bot.core.commands.declared_incident import Start, service_in, start_in
from bot.core.errors import NotFound
from bot.core.incident import Incident
from bot.core.investigation.triage_state import RUNNING
from bot.core.text.moments import clock_to_the_minute
from bot.core.text.untrusted import one_line
from bot.plugins import EntryPoint, Field, FieldErrors, Form, Reply, Request, command
from bot.store.incidents import incidents, overview
from bot.store.incidents.overview import Subject
from bot.store.triage.triage import Triages
from bot.workflows.command_context import CommandContext

_SEVERITIES = (
    ("SEV1", "SEV1: users cannot work"),
    ("SEV2", "SEV2: users notice"),
    ("SEV3", "SEV3: few notice"),
    ("SEV4", "SEV4: nobody notices yet"),
)


@command(
    "declare",
    aliases=("new", "open"),
    usage="declare [title] [sev=2] [service=checkout] [private=yes]",
    options=("sev", "service", "private"),
    who="members",
    opens_form=True,
)
async def declare(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Declare an incident, from nothing or from an alert group. A dialog opens unless title and sev are given.

    One that is declared from nothing is investigated from its title: the service that it names, and since when ("since
    14:05", "since 9am PT", "for 2h30m", "half an hour ago"; UTC without a zone). A time that could mean several is
    not taken, and the answer says so.
    """
    group = await overview.subject_of(ctx.db, request.ref) if request.ref else None
    if group is not None and group.incident:
        return Reply(f"{group.group or group.ref} is already {group.incident}.")
    title = one_line(request.fields.get("title") or request.text, 150)
    severity = _severity(request.fields.get("severity") or request.options.get("sev", ""))
    if request.options.get("sev") and severity is None:
        raise NotFound(f"sev takes 1 to 4, not {request.options['sev'][:20]}. Nothing was declared.")
    service, private = request.fields.get("service") or request.options.get("service", ""), _private(request)
    if request.entry_point == EntryPoint.MODAL and (wrong := _wrong(title, severity)):
        return FieldErrors(wrong)
    if private and (not title or severity is None):
        raise NotFound('Say all in one line: declare "what is wrong" sev=2 private=yes. Nothing was declared.')
    if not title or severity is None or request.entry_point in (EntryPoint.BUTTON, EntryPoint.SHORTCUT):
        return _form(ctx, group, title, severity, service)
    person = name_of(request.actor)
    # An alert of the service that comes in the next moment joins it only if it is known who reads both.
    await ctx.read_access.learn(request.channel)
    declared = await incidents.declare(
        ctx.db,
        title=title,
        severity=severity,
        service=service or (group.service if group else service_in(title, ctx.catalogue)),
        channel=group.channel if group else request.channel or ctx.config.default_channel,
        by=person,
        group_ref=group.group if group else "",
        key=request.key,
        private=private,
    )
    if group is not None:
        started = await _investigate_unranked(ctx, group.group, person)
        return Reply(f"Declared {declared.ref}.{started}" + _unknown_service(ctx, service))
    # Attempt 1, also when the same dialog is sent again. The inbox starts it after a crash in between.
    await ctx.engine.start("triage", f"triage:{declared.group}:1", declared.group, 1, "", person)
    return Reply(f"Declared {declared.ref}. {_investigated(declared)}" + _unknown_service(ctx, service))


async def _investigate_unranked(ctx: CommandContext, group: str, person: str) -> str:
    """Look for the cause of an alert group of which only the facts were gathered, for it was not bad enough before."""
    newest = await Triages(ctx.db).row(group)
    if newest is None or newest.state in RUNNING or newest.findings:
        return ""
    attempt = newest.attempt + 1
    await ctx.engine.start("triage", f"triage:{group}:{attempt}", group, attempt, "", person)
    return f" Tocsin looks for its cause: the answer will stand in the thread of {group}."


def _private(request: Request) -> bool:
    word = request.options.get("private", "no").lower()
    if word not in ("yes", "no"):
        raise NotFound(f"private takes yes or no, not {word[:20]}. Nothing was declared.")
    return word == "yes"


def _investigated(declared: Incident) -> str:
    """How the text was understood: whoever wrote it can correct it."""
    began = _began(start_in(declared.title, declared.declared_at))
    unnamed = "Its text names no service of the catalogue, so Tocsin investigates all of them"
    what = f"Tocsin investigates {declared.service}" if declared.service else unnamed
    return f"{what}{began} The answer will stand in the thread of {declared.group}."


def _began(start: Start) -> str:
    if start.at:
        return f", since {clock_to_the_minute(start.at)}."
    why = start.unread or "the title gives no time that Tocsin can read"
    return f". It counts from now, because {why} (write it in UTC: since 14:05)."


def _unknown_service(ctx: CommandContext, service: str) -> str:
    in_catalogue = not service or not ctx.catalogue.services or service in ctx.catalogue.services
    return "" if in_catalogue else f" {service[:60]} is not a service of the catalogue, so nobody is on call for it."


def _wrong(title: str, severity: Severity | None) -> dict[str, str]:
    errors = {} if title else {"title": "Say in one line what is wrong."}
    return errors if severity else {**errors, "severity": "Choose SEV1 to SEV4."}


def _severity(word: str) -> Severity | None:
    word = word.strip().upper().removeprefix("SEV")
    return Severity(f"SEV{word}") if word in ("1", "2", "3", "4") else None


def _form(ctx: CommandContext, group: Subject | None, title: str, severity: Severity | None, service: str) -> Form:
    chosen = severity or (Severity(group.severity) if group and group.severity != "NONE" else Severity.SEV3)
    services = [(name, name) for name in sorted(ctx.catalogue.services)][:100]
    service = service or (group.service if group else "")
    where = Field("service", "Service", kind="select" if services else "text", value=service, options=services, optional=True)
    fields = [
        Field("title", "What is wrong?", value=title or (one_line(group.title, 150) if group else "")),
        Field("severity", "Severity", kind="select", value=chosen.value, options=_SEVERITIES),
        where,
    ]
    return Form("Declare an incident", "declare", ref=group.group if group else "", fields=fields, submit="Declare")
