"""The tool `past_incidents`: what people said caused incidents like this one, and which fix was verified how often."""

from datetime import timedelta
from typing import Annotated

from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import FixFact, PastIncidentFact
from bot.core.history.past_incidents import FixRecord, SimilarIncident, fix_records, similar_incidents
from bot.core.text.moments import day
from bot.core.text.untrusted import counted, one_line
from bot.core.tool_calls import Basis, ToolRole, Topic
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import AnyService, Described
from tools._arguments import service_of

LOOKBACK = timedelta(days=730)
MAX_SHOWN = 5
"""Past incidents shown."""


@tool(
    label="past incidents",
    role=ToolRole.PAST_INCIDENTS,
    topic=Topic("past earlier previous previously similar seen recurring ago", fallback_words="before again"),
    basis=Basis.BACKGROUND,
)
async def past_incidents(
    ctx: ToolContext,
    service: AnyService = "",
    text: Annotated[str, Described("Words of a symptom; empty: the alert's")] = "",
) -> Evidence:
    """Find resolved incidents like this one whose cause a person confirmed, and the fixes verified in them.

    Call it without arguments for the alert at hand.
    """
    if ctx.past is None:
        raise QueryFailed("no record of past incidents is at hand")
    case = ctx.case.model_copy(update={"service": service_of(ctx, service)}) if service.strip() else ctx.case
    past = await ctx.past.confirmed(ctx.now - LOOKBACK)
    alike = similar_incidents(past, case, words=text.strip(), most=len(past))
    # All that are alike count: of a fix that helped in eight of nine incidents, the five nearest say too little.
    records = fix_records(match.incident for match in alike)
    search_text = one_line(text or case.summary or case.alert_name, 80)
    return Evidence(
        summary=_summary(alike, records, len(past)),
        query=f"past_incidents(service={case.service!r}, text={search_text!r})",
        details=(*(_line(match) for match in alike[:MAX_SHOWN]), *(_fix(record) for record in records)),
        source="incidents",
        facts=EvidenceFacts(
            incidents=tuple(map(_fact, alike[:MAX_SHOWN])), fixes=tuple(FixFact(**vars(record)) for record in records)
        ),
    )


def _summary(similar: list[SimilarIncident], records: list[FixRecord], on_record: int) -> str:
    if not similar:
        return f"No past incident with a confirmed cause resembles this one ({on_record} on record)"
    nearest = similar[0].incident
    fix = next((record for record in records if record.verified), None)
    helped = f"; {fix.action} on {fix.service} was verified in {fix.verified} of {fix.ran} runs" if fix else ""
    cause = one_line(nearest.cause.text, 160)
    like = f"{len(similar)} past {'incidents resemble' if len(similar) > 1 else 'incident resembles'} this one"
    return f"{like}; nearest {nearest.ref} on {day(nearest.resolved_at)}: {cause}{helped}"


def _line(match: SimilarIncident) -> str:
    past = match.incident
    cause = f"{one_line(past.cause.text, 240)} (confirmed by {one_line(past.cause.confirmed_by, 40)})"
    similarity = f"similarity {match.similarity:.2f}: {', '.join(match.reasons)}"
    return f"{past.ref} {day(past.resolved_at)} {one_line(past.title, 100)}: {cause}; {similarity}"


def _fix(record: FixRecord) -> str:
    return f"{record.action} on {record.service}: ran {counted(record.ran, 'time')}, verified {record.verified}"


def _fact(match: SimilarIncident) -> PastIncidentFact:
    past, cause = match.incident, match.incident.cause
    return PastIncidentFact(
        ref=past.ref,
        title=past.title,
        at=past.resolved_at,
        similarity=match.similarity,
        reasons=match.reasons,
        cause=cause.text,
        service=cause.service,
        kind=cause.kind,
        confirmed_by=cause.confirmed_by,
    )
