"""A note for the timeline."""

from datetime import date, datetime, timedelta

from bot.commands._subject import name_of, subject_of
from bot.core.errors import NotFound
from bot.core.text.moments import date_to_the_minute
from bot.core.text.untrusted import escape_controls
from bot.plugins import EntryPoint, Field, FieldErrors, Form, Reply, Request, command
from bot.store.incidents import incidents
from bot.workflows.command_context import CommandContext

MAX_NOTE_LENGTH = 2000
"""Characters that an entry of the timeline holds."""
SOON = timedelta(hours=1)
"""A time of day this near ahead is a slip, and not yesterday's."""


@command(
    "note", aliases=("remember", "fyi"), usage="note <text> [at=10:42] [AL-3]", options=("at",), who="members", opens_form=True
)
async def note(ctx: CommandContext, request: Request) -> Reply | Form | FieldErrors:
    """Write something that happened into the timeline."""
    subject = await subject_of(ctx, request)
    text = (request.fields.get("text") or request.text).strip()
    if request.entry_point == EntryPoint.MODAL and not text:
        return FieldErrors({"text": "Write what happened."})
    if not text:
        return Form(f"Note for {subject.ref}", "note", ref=subject.ref, fields=[Field("text", "What happened?", kind="long")])
    if len(escape_controls(text)) > MAX_NOTE_LENGTH:
        text = _shortened(text, request)
        if not text:
            problem = f"A note has at most {MAX_NOTE_LENGTH:,} characters. Nothing was noted: say it in several notes."
            return FieldErrors({"text": problem}) if request.entry_point == EntryPoint.MODAL else Reply(problem)
    at = _moment(request.options["at"], ctx.clock()) if "at" in request.options else None
    await incidents.note(
        ctx.db, subject.ref, text, name_of(request.actor), at=at, key=f"note:{request.key}" if request.key else None
    )
    when = (
        f" at {date_to_the_minute(at)}{', yesterday' if at.date() == (ctx.clock() - timedelta(days=1)).date() else ''}"
        if at
        else ""
    )
    return Reply(f"Noted in the timeline of {subject.ref}{when}.")


def _shortened(text: str, request: Request) -> str:
    """A long message that somebody points at is noted with its beginning: the rest stands in Slack. "" for typed text."""
    if request.entry_point != EntryPoint.SHORTCUT:
        return ""
    text = escape_controls(text)
    end = f"… (cut: the whole message has {len(text):,} characters)"
    return text[: MAX_NOTE_LENGTH - len(end)].rstrip() + end


def _moment(text: str, now: datetime) -> datetime:
    """The moment that `10:42` or `2026-03-01T10:42` means, in UTC: a time alone is the last one before now.

    A time that comes within the hour is refused: whoever writes 12:50 at 12:47 does not mean yesterday.
    """
    day, _, clock = text.rpartition("T")
    hour, _, minute = clock.partition(":")
    try:
        at = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        at = at if not day else datetime.combine(date.fromisoformat(day), at.timetz())
    except ValueError as error:
        example = f"10:42 or {now:%Y-%m-%d}T10:42"
        raise NotFound(f"at takes a UTC time such as {example}, not {text[:20]}. Nothing was noted.") from error
    if at <= now:
        return at
    yesterday = at - timedelta(days=1)
    if day or at - now <= SOON:
        other = "" if day else f" Yesterday's is at={yesterday:%Y-%m-%dT%H:%M}."
        raise NotFound(f"{clock} UTC has not come yet: it is {now:%H:%M} UTC. Nothing was noted.{other}")
    return yesterday
