"""The tool `recent_changes`: what was deployed, configured or switched lately."""

import asyncio
from datetime import datetime, timedelta
from urllib.parse import quote

from bot.core.change import Change, kind_in_words
from bot.core.errors import LookFailed
from bot.core.evidence import Evidence, Window
from bot.core.figures import minutes_text
from bot.core.look import could_not_look
from bot.core.rollouts import rollout_queries, rollouts, with_told, without_known
from bot.core.text import one_line
from bot.core.wording import clock
from bot.plugins import ToolContext, tool
from bot.ports import History
from tools._deployments import deployments, namespace, owner
from tools._reading import service_of

MAX_SHOWN = 30
Gap = tuple[str, str]
"""A place that could not be looked at, and why."""


@tool
async def recent_changes(ctx: ToolContext, service: str = "", hours: int = 6) -> Evidence:
    """List the deploys, config edits, flag flips and scalings of the last hours, newest first.

    Call it early: most incidents follow a change. Name a service to see its
    changes alone; leave it out to see those of all services. A change is a
    suspect only if it came before the onset and touches the failing service or
    one that it depends on. Besides what was reported, roll-outs of Argo CD and
    Helm, model versions, and new images and generations that Kubernetes shows
    are listed.
    """
    service = service_of(ctx, service) if service.strip() else ""
    hours = min(max(int(hours), 1), 7 * 24)
    since = ctx.now - timedelta(hours=hours)
    reported = await ctx.changes.since(service, since)
    (seen, gaps), (told, failed) = await asyncio.gather(_of_cluster(ctx, service, since), _of_systems(ctx, service, since))
    known = with_told(reported, told)
    changes = sorted([*known, *without_known(seen, known)], key=lambda change: change.at, reverse=True)
    unseen = [*gaps, *failed]
    where = f"on {service}" if service else "on any service"
    return Evidence(
        summary="; ".join([_summary(changes, where, hours), *(f"could not look at {place} ({why})" for place, why in unseen)]),
        query=f"GET /api/changes?service={quote(service, safe='')}&since={since:%Y-%m-%dT%H:%M:%SZ}",
        window=Window(start=since, end=ctx.now),
        details=tuple(_line(change) for change in changes[:MAX_SHOWN]),
        link=changes[0].link if changes else "",
        source="changes",
        user_controllable=False,
        facts={
            "changes": [change.model_dump(mode="json") for change in changes],
            # A list that lacks one place is no list of all changes.
            "unseen": [could_not_look(f"changes from {place}", why) for place, why in unseen],
        },
    )


async def _of_cluster(ctx: ToolContext, service: str, since: datetime) -> tuple[list[Change], list[Gap]]:
    """What kube-state-metrics shows, and what to say where it could not be looked at: reported changes still stand."""
    known = deployments(ctx, service)
    if ctx.metrics is None or not known:
        return [], []
    # Fine enough to place a change within a scrape or two; wider where many series come.
    step = max(15.0 if service else 30.0, (ctx.now - since).total_seconds() / 1_500)
    queries = rollout_queries(list(known), namespace(ctx, service))
    looks = (ctx.metrics.range(promql, start=since, end=ctx.now, step=step) for promql in queries.values())
    try:
        found = dict(zip(queries, await asyncio.gather(*looks), strict=True))
    except LookFailed as error:
        return [], [("Kubernetes", one_line(str(error), 120))]
    return rollouts(found, service_of=lambda labels: owner(labels, known), start=since, step=step), []


async def _of_systems(ctx: ToolContext, service: str, since: datetime) -> tuple[list[Change], list[Gap]]:
    """What other systems of record tell, and which of them could not be looked at."""
    answers = await asyncio.gather(*(_asked(history, service, since) for history in ctx.histories))
    return [change for rows, _ in answers for change in rows], [gap for _, gaps in answers for gap in gaps]


async def _asked(history: History, service: str, since: datetime) -> tuple[list[Change], list[Gap]]:
    try:
        return await history.changes(service, since), []
    except LookFailed as error:
        return [], [(history.name, one_line(str(error), 120))]


def _summary(changes: list[Change], where: str, hours: int) -> str:
    window = f"in the last {minutes_text(60 * hours)}"
    if not changes:
        return f"No change {where} {window}"
    newest = changes[0]
    title = one_line(newest.title, 80)
    count = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
    return f"{count} {where} {window}; newest: {kind_in_words(newest.kind)} of {newest.service} at {clock(newest.at)}: {title}"


def _line(change: Change) -> str:
    by = f" by {one_line(change.author, 40)}" if change.author else ""
    versions = f" ({one_line(change.previous_version, 40) or '?'} -> {one_line(change.version, 40)})" if change.version else ""
    what = f"{change.kind} {change.service}: {one_line(change.title, 120)}"
    return f"{change.at:%Y-%m-%d %H:%M:%SZ} {what}{versions}{by} [{one_line(change.id, 120)}]"
