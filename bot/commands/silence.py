"""Silence alerts for a time; list and end silences."""

import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.commands._readable_services import channel_of, unread_services
from bot.commands._subject import around_of, name_of
from bot.core.action import Proposal
from bot.core.alerts.silences import NewSilence, PastAlert, Preview, matchers_text, parse_length, parse_matchers
from bot.core.commands.verb_line import is_reference
from bot.core.errors import NotAllowed, NotFound
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import iso_utc, minute_of_day
from bot.core.text.untrusted import counted, one_line
from bot.plugins import Field, FieldErrors, Form, Reply, Request, command
from bot.store.alerts.silences import ListedSilence, Silences
from bot.store.incidents import overview
from bot.workflows.command_context import CommandContext
from bot.workflows.remediation.executor import SILENCE

USAGE = "silence [alertname=... service=... for=2h reason=...] | silence list | silence end SI-3"
LENGTHS = [(length, length) for length in ("30m", "1h", "2h", "4h", "8h", "12h")]
USUAL = "2h"


@dataclass(frozen=True)
class _FormValues:
    """What a person wrote; nothing of it is checked."""

    alerts: str
    length: str
    reason: str

    @property
    def revision(self) -> int:
        """Of what a preview shows: a confirmation of anything else shows its preview first."""
        return zlib.crc32("\n".join((self.alerts, self.length)).encode()) % 10**9


@command("silence", aliases=("silences", "mute"), usage=USAGE, speech=True, who="members", opens_form=True, fresh_identity=True)
async def silence(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Mute alerts for a time, with a reason, after a preview over the last day; one exact alert needs no second person."""
    if request.fields:
        return await _submitted(ctx, request)
    text = " ".join(word for word in request.text.split() if not is_reference(word))
    word, _, rest = text.partition(" ")
    if word == "end":
        return await _end(ctx, request, rest.strip())
    if word == "list" or request.verb == "silences":
        return await _list(ctx, request)
    if text and request.entry_point.is_typed:
        return await _preview(ctx, request, _typed(text))
    return _form(await _fitting(ctx, request), request)


def _typed(text: str) -> _FormValues:
    """What the line says: conditions, and with them for how long and why."""
    options = parse_matchers(text)
    length, reason = options.pop("for", USUAL), options.pop("reason", "")
    return _FormValues(matchers_text(options), length, reason)


async def _fitting(ctx: CommandContext, request: Request) -> _FormValues:
    """The alert that the thread, or a channel with one open card, is about; nothing where there is none."""
    subject = (await around_of(ctx, request)).subject
    if subject is None or not subject.group:
        return _FormValues("", USUAL, "")
    service = {"service": subject.service} if subject.service else {}
    return _FormValues(matchers_text({"alertname": subject.title, **service}), USUAL, "")


# ---------------------------------------------------------------- dialogs


def _form(values: _FormValues, request: Request, *, shown: str = "", revision: int | None = None) -> Form:
    return Form(
        "Silence alerts",
        "silence",
        ref=request.ref,
        revision=revision,
        intro="This is what the silence would have muted. Press Silence to put it in force."
        if shown
        else "You see what it would have muted before anything is silenced.",
        code=shown,
        fields=[
            Field(
                "alerts", "Which alerts?", value=values.alerts, hint="label=value, all must hold, e.g. alertname=X service=y"
            ),
            Field("length", "For how long?", kind="select", options=_lengths(values.length), value=values.length),
            Field("reason", "Why?", kind="long", value=values.reason, hint="Whoever misses the alert reads it."),
        ],
        submit="Silence" if shown else "Preview",
    )


def _lengths(chosen: str) -> list[tuple[str, str]]:
    return LENGTHS if (chosen, chosen) in LENGTHS else [(chosen, chosen), *LENGTHS]


async def _preview(ctx: CommandContext, request: Request, values: _FormValues) -> Form:
    matchers, _ = parse_matchers(values.alerts), parse_length(values.length)
    shown = await Silences(ctx.db).preview(matchers, ctx.clock(), await _hidden(ctx, request))
    return _form(values, request, shown=f"{shown.text}\n{_needs(shown, matchers)}", revision=values.revision)


async def _hidden(ctx: CommandContext, request: Request, place: str | None = None) -> Callable[[PastAlert], bool]:
    """Which alerts somebody may not read here, or may not be named in `place`."""
    channels = {channel_of(ctx, service) for service in ("", *ctx.catalogue.services)}
    hidden = await ctx.read_access.hidden(request, channels, place)
    return lambda alert: (alert.belongs_to or channel_of(ctx, alert.service)) in hidden


def _needs(shown: Preview, matchers: Mapping[str, str]) -> str:
    if shown.exact(matchers):
        return "One exact alert: the on-call, the incident commander or a deputy may silence it at once."
    return "More than one exact alert: another person approves it before it counts."


async def _submitted(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    fields = request.fields
    values = _FormValues(fields.get("alerts", "").strip(), fields.get("length") or USUAL, fields.get("reason", "").strip())
    try:
        matchers = parse_matchers(values.alerts)
    except NotFound as error:
        return FieldErrors({"alerts": str(error)})
    if not values.reason:
        return FieldErrors({"reason": "Say why: whoever misses the alert reads it."})
    if request.revision != values.revision:
        return await _preview(ctx, request, values)
    return await _silence(ctx, request, values, matchers)


# ---------------------------------------------------------------- what is done


async def _silence(ctx: CommandContext, request: Request, values: _FormValues, matchers: Mapping[str, str]) -> Reply:
    silences, now = Silences(ctx.db), ctx.clock()
    shown = await _readable_preview(ctx, request, matchers)
    service = _service_of(ctx, shown, matchers)
    arguments = {"alerts": values.alerts, "duration": values.length, "reason": values.reason, "previewed_at": iso_utc(now)}
    group = request.ref if request.ref.startswith(("AL-", "INC-")) else ""
    done = await ctx.approvals.silence(
        service, arguments, group_ref=group, actor=request.actor, because=values.reason, key=f"silence:{request.key}"
    )
    if isinstance(done, Proposal):
        return Reply(f"{done.ref} asks for it: {done.title}. Nothing is silenced before another person approves.", about=group)
    new = NewSilence(matchers, parse_length(values.length), name_of(request.actor), one_line(values.reason, 500), service)
    ref = await silences.create(new, f"silence:{request.key}")
    until = minute_of_day(now + new.length, now)
    text = f"{new.owner} silenced {values.alerts} until {until} ({ref}): {new.reason}. To end it: silence end {ref}."
    return Reply(text, private=False, about=group)


async def _readable_preview(ctx: CommandContext, request: Request, matchers: Mapping[str, str]) -> Preview:
    """The preview of a silence that mutes nothing of which its sender, or who reads the card that asks for it, may not know."""
    silences, now = Silences(ctx.db), ctx.clock()
    shown = await silences.preview(matchers, now, await _hidden(ctx, request))
    if not shown.unnamed and not shown.exact(matchers):
        of = await overview.visibility_of(ctx.db, request.ref) if request.ref else None
        place = of.channel if of else ctx.config.default_channel
        shown = await silences.preview(matchers, now, await _hidden(ctx, request, place))
    if shown.unnamed:
        raise NotAllowed(
            f"It would mute {counted(shown.unnamed, 'alert')} of channels that are not read where it is asked for. Narrow it "
            "with service=..., or write it in the thread of one of their cards. Nothing was silenced."
        )
    return shown


def _service_of(ctx: CommandContext, shown: Preview, matchers: Mapping[str, str]) -> str:
    """The one service that it is about; "" for several, or for one that nobody is on call for by name."""
    services = {*shown.services, *([matchers["service"]] if "service" in matchers else [])}
    name = services.pop() if len(services) == 1 else ""
    return name if name in ctx.config.services or not ctx.config.services else ""


async def _end(ctx: CommandContext, request: Request, ref: str) -> Reply:
    if not ref:
        raise NotFound("Say which one ends, for example: silence end SI-3. The verb silence list shows those that there are.")
    ended = await Silences(ctx.db).end(ref.upper(), name_of(request.actor))
    unread = await unread_services(ctx, request, [ended.matchers.get("service", "")], request.channel)
    what = ended.ref if unread else f"{ended.ref} ({matchers_text(ended.matchers)})"
    return Reply(f"{name_of(request.actor)} ended {what}: what still fires is shown again.", private=False)


async def _list(ctx: CommandContext, request: Request) -> Reply:
    """All silences: of one of a service of which somebody may not read here only that there is one."""
    silences, proposals = await Silences(ctx.db).listed(), await ctx.approvals.store.waiting()
    waiting = [one for one in proposals if one.action == SILENCE]
    services = {one.silence.matchers.get("service", "") for one in silences} | {one.service for one in waiting}
    unread = await unread_services(ctx, request, services)
    shown = [(one, _line(one, ctx.clock(), unread)) for one in silences]
    lines = [line for one, line in shown if not one.over]
    lines += [f"{one.ref} waits for approval: {one.title}" for one in waiting if one.service not in unread]
    lines += [line for one, line in shown if one.over]
    return Reply("\n".join(lines) if lines else "Nothing is silenced, and nothing was within a day.")


def _line(one: ListedSilence, now: datetime, unread: Collection[str]) -> str:
    silence, muted = one.silence, f"muted {counted(one.muted, 'alert')}"
    approved = f", approved as {one.proposal}" if one.proposal else ""
    what = f"{silence.ref} {matchers_text(silence.matchers)}, {silence.owner}{approved}: {one_line(silence.reason, 120)}."
    if silence.matchers.get("service", "") in unread:
        what = f"{silence.ref} of alerts of a channel that is not read here, {silence.owner}{approved}."
    if one.over:
        by = f" by {one.ended_by}" if one.ended_by else ""
        return f"Over: {what} It ended at {minute_of_day(silence.ends_at, now)}{by} and {muted}."
    return f"{what} Ends in {elapsed_text(silence.ends_at - now)}; {muted}. To end it: silence end {silence.ref}."
