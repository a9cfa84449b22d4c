"""The tool `search_logs`: which kinds of lines a service logs since shortly before the onset, against the time before."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Annotated

from bot.core.diffs.symptoms.request_text import reports_failure
from bot.core.errors import QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import ContrastFact, TemplateFact
from bot.core.logs.contrast import Contrast, contrasts
from bot.core.logs.line import LogLine
from bot.core.logs.parsing import message_of
from bot.core.logs.templates import TemplateCount, Trend, count_templates
from bot.core.text.durations import minutes_text
from bot.core.text.moments import clock
from bot.core.text.untrusted import cut, one_line
from bot.core.tool_calls import LOGS, ToolRole, could_not_check
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described, ServiceName
from tools._arguments import alert_moment, limited_minutes, service_of
from tools._earlier_outages import LEAST_USUAL, NOT_USUAL, OutageSpan, outages_over_before
from tools._onset import onset_of
from tools._sampling import Sample, sample

LEAD = timedelta(minutes=5)
"""So long before the onset the window begins: lines report trouble before a rate shows it."""
FURTHEST = timedelta(hours=6)
BASELINES, SHORTEST = 2, timedelta(minutes=30)
"""The time before is twice as long as the window, an hour at least: a line that comes seldom is not new."""
_LEAST_LINES, _LONG_PAUSE = 20, 20
"""From so many lines on a pause that is so many times as long as the mean one says that nothing was kept before."""
MAX_TEMPLATES = 25
MAX_EXAMPLES, MAX_EXAMPLE = 8, 600
MAX_CHARACTERS = 12_000
"""Of all details together; a finding of 16 KiB is the limit of what a model is shown."""
MAX_TEXT = 200
MAX_CONTRASTS = 5
_FAILING = frozenset({"error", "fatal", "warn"})


@tool(
    label="logs of {service}",
    role=ToolRole.LOGS,
    topic=LOGS,
    first_for={"errors": 1, "latency": 2, "load": 2, "logs": 2, "disk": 1, "memory": 1, "cpu": 1, "other": 1},
)
async def search_logs(
    ctx: ToolContext,
    service: ServiceName,
    text: Annotated[str, Described("Text in the lines (any case); empty: all")] = "",
    minutes: Annotated[int, Described("Only the last ones; 0: since the onset")] = 0,
) -> Evidence:
    """Count the kinds of a service's log lines since the onset: which are new, grew or vanished.

    Call it when metrics show that a service fails but not why. <*> masks what differs from line
    to line.
    """
    name = service_of(ctx, service)
    if ctx.logs is None:
        raise QueryFailed("no log store is configured (logs.loki or logs.files)")
    needle = text.strip()[:MAX_TEXT]
    onset, over = await onset_of(ctx) - LEAD, await outages_over_before(ctx, name, alert_moment(ctx))
    start = _start(ctx.now, onset, minutes, over)
    began = onset - BASELINES * max(ctx.now - start, SHORTEST)
    now, before = await asyncio.gather(
        sample(ctx.logs, name, needle, start=start, end=ctx.now), sample(ctx.logs, name, needle, start=began, end=onset)
    )
    logged = TimeWindow(start=_logged_since(before, began), end=onset)
    usual = 1 - _covered(over, logged) / _span(logged)
    gap = could_not_check(f"what {name} usually logs", NOT_USUAL) if usual < LEAST_USUAL and before.lines else ""
    before = _without(over, before, logged, usual)
    lines, earlier = now.lines, before.lines
    scale = now.seconds / before.seconds
    # Mining takes its time for a flood of lines that are all different; the loop must not wait for it.
    kinds = await asyncio.to_thread(count_templates, lines, earlier, scale=scale)
    apart = await asyncio.to_thread(_apart, kinds, earlier)
    expected = len(earlier) * scale
    grown = _grown(kinds)
    return Evidence(
        summary=_summary(name, needle, ctx.now - start, len(lines), expected, kinds, gap)
        + (" (rates of a sample over the whole time: there were more lines)" if now.full or before.full else ""),
        query=ctx.logs.query(name, needle),
        window=TimeWindow(start=start, end=ctx.now),
        details=_within([*map(_contrast, apart), *map(_line, kinds[:MAX_TEMPLATES]), *_left(kinds), *map(_example, grown)]),
        source="loki" if ctx.logs.query(name, needle).startswith("{") else "files",
        unseen=(gap,) if gap else (),
        user_controllable=True,
        facts=EvidenceFacts(
            templates=tuple(_fact(kind, quoted=kind in grown) for kind in kinds[:MAX_TEMPLATES]),
            contrasts=tuple(ContrastFact(**asdict(contrast)) for contrast in apart),
        ),
    )


def _grown(kinds: Sequence[TemplateCount]) -> list[TemplateCount]:
    """New or grown kinds, failures first: one line of each is quoted as it was written, never the flood itself."""
    grown = [kind for kind in kinds if kind.trend in (Trend.NEW, Trend.SURGING) and kind.first_at]
    return sorted(grown, key=lambda kind: not reports_failure(kind.template))[:MAX_EXAMPLES]


def _start(now: datetime, onset: datetime, minutes: int, over: Sequence[OutageSpan]) -> datetime:
    """Since when lines count: since the onset, or only the last minutes.

    What an outage before logged is none of this one, however short the pause between them was.
    """
    furthest = timedelta(minutes=limited_minutes(minutes)) if minutes > 0 else FURTHEST
    return max([onset, now - furthest, *(span.end for span in over)])


def _without(over: Sequence[OutageSpan], sampled: Sample, logged: TimeWindow, usual: float) -> Sample:
    """The lines outside the times of earlier outages, and the seconds that these stand for.

    What failed then is not what a service usually logs; all of it counts, where hardly anything else was logged.
    `logged`: the part of the sampled window that lines are left of; `usual`: the share of it that is of no outage.
    """
    logged_for = sampled.seconds if sampled.full else _span(logged).total_seconds()
    if usual < LEAST_USUAL:
        return replace(sampled, seconds=logged_for)
    lines = [line for line in sampled.lines if not any(one.start <= line.at < one.end for one in over)]
    return replace(sampled, lines=lines, seconds=max(1.0, logged_for * usual))


def _span(window: TimeWindow) -> timedelta:
    return max(window.end - window.start, timedelta(seconds=1))


def _covered(over: Sequence[OutageSpan], window: TimeWindow) -> timedelta:
    """How much of a window the spans (oldest first) take, which may overlap."""
    covered, reached = timedelta(0), window.start
    for span in over:
        start, end = max(span.start, reached), min(span.end, window.end)
        covered, reached = covered + max(end - start, timedelta(0)), max(reached, end)
    return covered


def _apart(kinds: Sequence[TemplateCount], earlier: Sequence[LogLine]) -> list[Contrast]:
    """What sets the lines of failing kinds that are new or have grown apart from all others, now and before."""
    failing: list[LogLine] = []
    others = list(earlier)
    for kind in kinds:
        grown = kind.trend in (Trend.NEW, Trend.SURGING)
        fails = grown and (reports_failure(kind.template) or any(line.level in _FAILING for line in kind.lines[:1]))
        (failing if fails else others).extend(kind.lines)
    return contrasts(failing, others)[:MAX_CONTRASTS]


def _contrast(contrast: Contrast) -> str:
    pair = f"{one_line(contrast.field, 60)}={one_line(contrast.value, 120)}"
    of_others = f"{contrast.others} of {contrast.others_of} others"
    return f"apart: {contrast.failing} of {contrast.of} failing lines hold {pair}, {of_others}"


def _logged_since(before: Sample, began: datetime) -> datetime:
    """Since when lines were kept of the time before: a file that was begun anew meanwhile holds nothing of what came earlier.

    It was, where the first line came far later than the pauses between lines let expect.
    """
    if before.full or len(before.lines) < _LEAST_LINES:
        return began
    moments = [line.at for line in before.lines]
    first, last = min(moments), max(moments)
    pause = (last - first) / len(moments)
    return first if first - began > _LONG_PAUSE * pause else began


def _summary(service: str, text: str, span: timedelta, now: int, expected: float, kinds: list[TemplateCount], gap: str) -> str:
    holding = f" that hold {one_line(text, 60)!r}" if text else ""
    window = f"in {minutes_text(max(1, round(span.total_seconds() / 60)))}"
    counts = f"{service}: {now} log lines{holding} {window}, {_number(expected)} expected from the time before the onset"
    trends = {trend: sum(kind.trend is trend for kind in kinds) for trend in (Trend.NEW, Trend.SURGING, Trend.VANISHED)}
    changed = ", ".join(f"{count} {trend}" for trend, count in trends.items() if count)
    if not changed:
        return f"{counts}; {NOT_USUAL if gap else 'no kind of line is new, has grown or vanished'}"
    top = kinds[0]
    return f"{counts}; kinds: {changed}; most: {top.count} times ({_than(top)}) {one_line(top.template, 120)!r}"


def _than(kind: TemplateCount) -> str:
    return "new" if kind.trend is Trend.NEW else f"{_number(kind.before)} expected"


def _line(kind: TemplateCount) -> str:
    since = f", first {clock(kind.first_at)}" if kind.first_at and kind.trend is Trend.NEW else ""
    return f"{kind.trend}: {kind.count} now, {_number(kind.before)} expected{since}: {one_line(kind.template, 240)}"


def _left(kinds: list[TemplateCount]) -> list[str]:
    left = kinds[MAX_TEMPLATES:]
    return [f"and {len(left)} more kinds, {sum(kind.count for kind in left)} lines"] if left else []


def _example(kind: TemplateCount) -> str:
    return f"e.g. {clock(kind.first_at)} {_quoted_line(kind)}" if kind.first_at else ""


def _quoted_line(kind: TemplateCount) -> str:
    return one_line(message_of(kind.example), MAX_EXAMPLE)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def _fact(kind: TemplateCount, *, quoted: bool) -> TemplateFact:
    """`quoted`: one of its lines stands among the details."""
    first = kind.first_at if kind.trend is Trend.NEW else None
    fact = TemplateFact(
        template=kind.template, count=kind.count, before=kind.before, trend=kind.trend.value, first=first, last=kind.last_at
    )
    return fact.model_copy(update={"example": _quoted_line(kind)}) if quoted else fact


def _within(lines: list[str]) -> tuple[str, ...]:
    limited, left = [], MAX_CHARACTERS
    for line in lines:
        if left <= 0:
            break
        limited.append(cut(line, left))
        left -= len(line) + 1
    return tuple(limited)
