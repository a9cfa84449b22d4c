"""The tool `recent_changes`: what was deployed, configured or switched lately."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from bot.core.change import MAX_LISTED, Change, kind_in_words
from bot.core.changes.rollouts import merge_reported, rollout_queries, rollouts, without_reported
from bot.core.errors import PartialResult, QueryFailed
from bot.core.evidence import Evidence, TimeWindow
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.text.durations import minutes_text
from bot.core.text.moments import clock, date_and_clock, iso_utc
from bot.core.text.untrusted import cut, one_line
from bot.core.tool_calls import CHANGES, Basis, ToolRole, could_not_check
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import AnyService, Described
from tools._arguments import service_of
from tools._deployments import deployments, namespace, owner

MAX_SHOWN = 30
_SHARE = 0.8
"""Share of the call's time: a system that hangs must not take with it the changes that were reported."""
_SystemChanges = tuple[Sequence[Change], str]
"""Changes, and why they are not all; "" if they are."""


@tool(label="changes{of}", role=ToolRole.CHANGES, topic=CHANGES, basis=Basis.REPORTED, row="change")
async def recent_changes(
    ctx: ToolContext, service: AnyService = "", hours: Annotated[int, Described("Window, at most 168")] = 6
) -> Evidence:
    """List the deploys, config edits, flag flips, scalings, model versions and roll-outs of the last hours, newest first.

    Call it early: most incidents follow a change.
    """
    service = service_of(ctx, service) if service.strip() else ""
    hours = min(max(int(hours), 1), 7 * 24)
    since = ctx.now - timedelta(hours=hours)
    reported = await ctx.changes.since(service, since)
    systems = [("Kubernetes", _of_cluster(ctx, service, since)), *((h.name, h.changes(service, since)) for h in ctx.histories)]
    (from_cluster, gap), *from_systems = await asyncio.gather(*(_in_time(ctx, name, query) for name, query in systems))
    recorded = merge_reported(reported, [change for rows, _ in from_systems for change in rows])
    changes = sorted([*recorded, *without_reported(from_cluster, recorded)], key=lambda change: change.at, reverse=True)
    whys = (gap, *(why for _, why in from_systems))
    gaps = [*_older(reported), *((name, why) for (name, _), why in zip(systems, whys, strict=True) if why)]
    where = f"on {service}" if service else "on any service"
    return Evidence(
        summary="; ".join((_summary(changes, where, hours), *(f"could not check {at} ({cut(why, 120)})" for at, why in gaps))),
        query=f"GET /api/changes?service={quote(service, safe='')}&since={iso_utc(since)}",
        window=TimeWindow(start=since, end=ctx.now),
        details=tuple(_line(change) for change in changes[:MAX_SHOWN]),
        link=changes[0].link if changes else "",
        source="changes",
        user_controllable=False,
        # A list that lacks one place is no list of all changes.
        unseen=tuple(could_not_check(f"changes from {at}", why) for at, why in gaps),
        facts=EvidenceFacts(changes=tuple(changes)),
    )


def _older(reported: Sequence[Change]) -> list[tuple[str, str]]:
    """What a full list leaves out: that it holds none older says nothing of them."""
    if len(reported) < MAX_LISTED:
        return []
    return [
        ("what was reported before", f"only the newest {MAX_LISTED} are listed, back to {date_and_clock(reported[-1].at)}Z")
    ]


async def _in_time(ctx: ToolContext, system: str, query: Awaitable[Sequence[Change]]) -> _SystemChanges:
    """The changes of one system within its share of the time: where it fails, those of the others still stand."""
    seconds = _SHARE * ctx.seconds
    try:
        async with asyncio.timeout(seconds):
            return await query, ""
    except TimeoutError:
        return [], f"{system} did not answer within {seconds:g} s"
    except QueryFailed as error:
        answers = error.answers if isinstance(error, PartialResult) else ()
        partial = [answer for answer in answers if isinstance(answer, Change)]
        return partial, one_line(str(error), 200)


async def _of_cluster(ctx: ToolContext, service: str, since: datetime) -> list[Change]:
    """What kube-state-metrics shows. Raises QueryFailed."""
    services = deployments(ctx, service)
    if ctx.metrics is None or not services:
        return []
    # Fine enough to place a change within a scrape or two; wider where many series come.
    step = max(15.0 if service else 30.0, (ctx.now - since).total_seconds() / 1_500)
    queries = rollout_queries(list(services), namespace(ctx, service))
    queried = (ctx.metrics.range(promql, start=since, end=ctx.now, step=step) for promql in queries.values())
    by_query = dict(zip(queries, await asyncio.gather(*queried), strict=True))
    return rollouts(by_query, service_of=lambda labels: owner(labels, services), start=since, step=step)


def _summary(changes: list[Change], where: str, hours: int) -> str:
    window = f"in the last {minutes_text(60 * hours)}"
    if not changes:
        return f"No change {where} {window}"
    newest = changes[0]
    title = one_line(newest.title, 80)
    count = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
    return f"{count} {where} {window}; newest: {kind_in_words(newest.kind)} of {newest.service} at {clock(newest.at)}: {title}"


def _line(change: Change) -> str:
    author = f"{change.by_action}, an approved action" if change.by_action else one_line(change.author, 40)
    by = f" by {author}" if author else ""
    versions = f" ({one_line(change.previous_version, 40) or '?'} -> {one_line(change.version, 40)})" if change.version else ""
    what = f"{change.kind} {change.service}: {one_line(change.title, 120)}"
    return f"{date_and_clock(change.at)}Z {what}{versions}{by} [{one_line(change.id, 120)}]"
