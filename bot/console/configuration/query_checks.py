"""Whether Prometheus understands the queries of the catalogue: an error in one of them stays unnoticed until an incident."""

import asyncio
from collections.abc import Iterator

from bot.core.check import Check, failed, ok
from bot.core.errors import QueryFailed
from bot.core.metrics.slo import good_ratio_query
from bot.core.service import Catalogue
from bot.core.text.untrusted import one_line
from bot.ports import Metrics

AT_ONCE = 8
"""Queries sent at the same time."""
SHOWN = 5
NAME = "Queries"


async def check_queries(metrics: Metrics, catalogue: Catalogue) -> list[Check]:
    """One check of all signals and objectives; none where the catalogue has neither."""
    queries = dict(_queries(catalogue))
    gate = asyncio.Semaphore(AT_ONCE)

    async def refused(promql: str) -> str | None:
        """The reason of a refusal; "" if there is none, None if the query returns no series."""
        async with gate:
            try:
                return "" if await metrics.instant(promql) else None
            except QueryFailed as error:
                return str(error)

    answers = dict(zip(queries, await asyncio.gather(*map(refused, queries.values())), strict=True))
    bad = [f"{key}: {one_line(why, 200)}" for key, why in answers.items() if why]
    empty = [key for key, why in answers.items() if why is None]
    if bad:
        return [failed(NAME, _first(bad, "; "), "repair these keys of tocsin.yaml; until then these signals are not checked")]
    if not queries:
        return []
    # No error, no series: that is usual, and may be a label that was misspelt.
    advice = f"check whether these have series at all: {_first(empty, ', ')}" if empty else ""
    summary = f"Prometheus understands {len(queries)} of signals and objectives"
    return [ok(NAME, f"{summary}; {len(empty)} find nothing now" if empty else summary, advice)]


def _queries(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Key in tocsin.yaml -> PromQL."""
    for service in catalogue.services.values():
        for name, signal in service.signals.items():
            yield f"services.{service.name}.signals.{name}", signal.promql
        for name, objective in service.objectives.items():
            yield f"services.{service.name}.objectives.{name}", good_ratio_query(objective, "1h")


def _first(lines: list[str], between: str) -> str:
    more = f"{between}and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return between.join(lines[:SHOWN]) + more
