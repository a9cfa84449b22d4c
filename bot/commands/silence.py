"""Silence alerts for a time; list and end silences."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.commands._subject import around_of, name_of
from bot.core.action import Proposal
from bot.core.alerts.silences import NewSilence, Preview, matchers_text, parse_length, parse_matchers
from bot.core.errors import NotFound
from bot.core.questions.grammar import is_reference
from bot.core.text.durations import elapsed_text
from bot.core.text.moments import clock_to_the_minute, iso_utc
from bot.core.text.untrusted import counted, one_line
from bot.plugins import Field, FieldErrors, Form, Reply, Request, command
from bot.store.alerts.silences import ListedSilence, Silences
from bot.workflows.command_context import CommandContext
from bot.workflows.remediation.executor import SILENCE

USAGE = "silence [alertname=... service=... for=2h reason=...] | silence list | silence end SI-3"
LENGTHS = [(length, length) for length in ("30m", "1h", "2h", "4h", "8h", "12h")]
USUAL = "2h"


@dataclass(frozen=True)
class _Wish:
    """What a person wrote; nothing of it is checked."""

    alerts: str
    length: str
    reason: str

    @property
    def revision(self) -> int:
        """Of what a preview shows: a confirmation of anything else shows its preview first."""
        return zlib.crc32("\n".join((self.alerts, self.length)).encode()) % 10**9


@command("silence", aliases=("silences", "mute"), usage=USAGE, speech=True, who="members")
async def silence(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Mute alerts for a time, with a reason, after a preview over the last day; one exact alert needs no second person."""
    if request.fields:
        return await _submitted(ctx, request)
    text = " ".join(word for word in request.text.split() if not is_reference(word))
    word, _, rest = text.partition(" ")
    if word == "end":
        return await _end(ctx, request, rest.strip())
    if word == "list" or request.verb == "silences":
        return await _list(ctx)
    if text and request.entry_point.is_typed:
        return await _preview(ctx, request, _typed(text))
    return _form(await _fitting(ctx, request), request)


def _typed(text: str) -> _Wish:
    """What the line says: conditions, and with them for how long and why."""
    options = parse_matchers(text)
    length, reason = options.pop("for", USUAL), options.pop("reason", "")
    return _Wish(matchers_text(options), length, reason)


async def _fitting(ctx: CommandContext, request: Request) -> _Wish:
    """The alert that the thread, or a channel with one open card, is about; nothing where there is none."""
    subject = (await around_of(ctx, request)).subject
    if subject is None or not subject.group:
        return _Wish("", USUAL, "")
    service = {"service": subject.service} if subject.service else {}
    return _Wish(matchers_text({"alertname": subject.title, **service}), USUAL, "")


# ---------------------------------------------------------------- dialogs


def _form(wish: _Wish, request: Request, *, shown: str = "", revision: int | None = None) -> Form:
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
            Field("alerts", "Which alerts?", value=wish.alerts, hint="label=value, all must hold, e.g. alertname=X service=y"),
            Field("length", "For how long?", kind="select", options=_lengths(wish.length), value=wish.length),
            Field("reason", "Why?", kind="long", value=wish.reason, hint="Whoever misses the alert reads it."),
        ],
        submit="Silence" if shown else "Preview",
    )


def _lengths(wished: str) -> list[tuple[str, str]]:
    return LENGTHS if (wished, wished) in LENGTHS else [(wished, wished), *LENGTHS]


async def _preview(ctx: CommandContext, request: Request, wish: _Wish) -> Form:
    matchers, _ = parse_matchers(wish.alerts), parse_length(wish.length)
    shown = await Silences(ctx.db).preview(matchers, ctx.clock())
    return _form(wish, request, shown=f"{shown.text}\n{_needs(shown, matchers)}", revision=wish.revision)


def _needs(shown: Preview, matchers: Mapping[str, str]) -> str:
    if shown.exact(matchers):
        return "One exact alert: the on-call, the incident commander or a deputy may silence it at once."
    return "More than one exact alert: another person approves it before it counts."


async def _submitted(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    fields = request.fields
    wish = _Wish(fields.get("alerts", "").strip(), fields.get("length") or USUAL, fields.get("reason", "").strip())
    try:
        matchers = parse_matchers(wish.alerts)
    except NotFound as error:
        return FieldErrors({"alerts": str(error)})
    if not wish.reason:
        return FieldErrors({"reason": "Say why: whoever misses the alert reads it."})
    if request.revision != wish.revision:
        return await _preview(ctx, request, wish)
    return await _silence(ctx, request, wish, matchers)


# ---------------------------------------------------------------- what is done


async def _silence(ctx: CommandContext, request: Request, wish: _Wish, matchers: Mapping[str, str]) -> Reply:
    silences, now = Silences(ctx.db), ctx.clock()
    service = _service_of(ctx, await silences.preview(matchers, now), matchers)
    arguments = {"alerts": wish.alerts, "duration": wish.length, "reason": wish.reason, "previewed_at": iso_utc(now)}
    group = request.ref if request.ref.startswith(("AL-", "INC-")) else ""
    done = await ctx.approvals.silence(
        service, arguments, group_ref=group, actor=request.actor, because=wish.reason, key=f"silence:{request.key}"
    )
    if isinstance(done, Proposal):
        return Reply(f"{done.ref} asks for it: {done.title}. Nothing is silenced before another person approves.", about=group)
    new = NewSilence(matchers, parse_length(wish.length), name_of(request.actor), one_line(wish.reason, 500), service)
    ref = await silences.create(new, f"silence:{request.key}")
    until = clock_to_the_minute(now + new.length)
    text = f"{new.owner} silenced {wish.alerts} until {until} ({ref}): {new.reason}. To end it: silence end {ref}."
    return Reply(text, private=False, about=group)


def _service_of(ctx: CommandContext, shown: Preview, matchers: Mapping[str, str]) -> str:
    """The one service that it is about; "" for several, or for one that nobody is on call for by name."""
    services = {*shown.services, *([matchers["service"]] if "service" in matchers else [])}
    name = services.pop() if len(services) == 1 else ""
    return name if name in ctx.config.services or not ctx.config.services else ""


async def _end(ctx: CommandContext, request: Request, ref: str) -> Reply:
    ended = await Silences(ctx.db).end(ref.upper(), name_of(request.actor))
    text = f"{name_of(request.actor)} ended {ended.ref} ({matchers_text(ended.matchers)}): what still fires is shown again."
    return Reply(text, private=False)


async def _list(ctx: CommandContext) -> Reply:
    listed, waiting = await Silences(ctx.db).listed(), await ctx.approvals.store.waiting()
    lines = [_line(one, ctx.clock()) for one in listed if not one.over]
    lines += [f"{one.ref} waits for approval: {one.title}" for one in waiting if one.action == SILENCE]
    lines += [_line(one, ctx.clock()) for one in listed if one.over]
    return Reply("\n".join(lines) if lines else "Nothing is silenced, and nothing was within a day.")


def _line(one: ListedSilence, now: datetime) -> str:
    silence, muted = one.silence, f"muted {counted(one.muted, 'alert')}"
    approved = f", approved as {one.proposal}" if one.proposal else ""
    what = f"{silence.ref} {matchers_text(silence.matchers)}, {silence.owner}{approved}: {one_line(silence.reason, 120)}."
    if one.over:
        by = f" by {one.ended_by}" if one.ended_by else ""
        return f"Over: {what} It ended at {clock_to_the_minute(silence.ends_at)}{by} and {muted}."
    return f"{what} Ends in {elapsed_text(silence.ends_at - now)}; {muted}. To end it: silence end {silence.ref}."
