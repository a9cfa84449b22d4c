"""Resolve an incident or alert group."""

from collections.abc import Sequence

from bot.commands._causes import Ranked, confirmed_cause, joined, ranked_of
from bot.commands._subject import name_of, subject_of
from bot.core.alerts.renewal import COMES_BACK_AFTER
from bot.core.text.durations import minutes_text
from bot.core.text.untrusted import counted, one_line
from bot.plugins import EntryPoint, Field, Form, Reply, Request, command
from bot.store.alerts.sorting.early_resolves import missing_ends_count
from bot.store.incidents import causes, incidents
from bot.store.incidents.overview import FiringAlerts, Subject, firing_alerts
from bot.workflows.command_context import CommandContext

MAX_NAMES = 3
"""Alerts that still fire, one by one; the rest is counted."""


@command("resolve", aliases=("close",), usage="resolve [what it was] [INC-3|AL-3]", who="members", opens_form=True)
async def resolve(ctx: CommandContext, request: Request) -> Reply | Form:
    """Say that it is over; asks once what it was. A new firing opens a new group.

    An alert that still fires ten minutes later opens the group again.
    """
    subject = await subject_of(ctx, request)
    if subject.state == "RESOLVED":
        return Reply(f"{subject.ref} is already resolved.")
    ranked = await ranked_of(ctx, subject.group)
    ends_are_reported = await missing_ends_count(ctx.db, subject.group)
    still_firing = firing_text(await firing_alerts(ctx.db, subject.group), ends_are_reported=ends_are_reported)
    if request.entry_point != EntryPoint.MODAL and not request.text:
        return _ask(subject, ranked, still_firing)
    cause = await _confirmed(ctx, request, subject, ranked)
    await incidents.resolve(ctx.db, subject.incident or subject.group, name_of(request.actor), cause)
    open_question = "" if cause else " Its cause is not confirmed."
    resolved = f"Resolved {subject.incident or subject.group}.{open_question}"
    return Reply(f"{resolved} {still_firing}".rstrip())


def firing_text(alerts: Sequence[FiringAlerts], *, ends_are_reported: bool) -> str:
    """Which alerts still fire, the worst first, and what comes of that; "" for none.

    `ends_are_reported`: their ends would be reported, so that an alert that is not over is known without a repeat.
    """
    if not alerts:
        return ""
    count = sum(one.alerts for one in alerts)
    names = [f"{one_line(one.name, 60)} on {one_line(one.service, 40) or 'unknown service'}" for one in alerts[:MAX_NAMES]]
    more = f" and {len(alerts) - MAX_NAMES} more kinds" if len(alerts) > MAX_NAMES else ""
    fires, it = ("still fires", "it") if count == 1 else ("still fire", "one")
    minutes = minutes_text(COMES_BACK_AFTER.total_seconds() / 60)
    what = f"{counted(count, 'alert')} {fires}: {', '.join(names)}{more}."
    if ends_are_reported:
        return f"{what} If {it} still fires in {minutes}, the card opens again."
    return f"{what} If {it} is still reported after {minutes}, the card opens again."


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


def _ask(subject: Subject, ranked: Ranked, still_firing: str) -> Form:
    ref = subject.incident or subject.group
    question = Field("cause", "What was it?", kind="long", optional=True, hint="The confirmed cause, for the postmortem.")
    return Form(
        f"Resolve {ref}",
        "resolve",
        ref=ref,
        revision=ranked.attempt,
        intro=still_firing,
        fields=[*ranked.question(), question],
        submit="Resolve",
    )
