"""Whether Prometheus understands the queries of the catalogue: an error in one of them stays unnoticed until an incident."""

import asyncio
from collections.abc import Iterator

from bot.core.check import Check, failed, ok
from bot.core.errors import QueryFailed
from bot.core.metrics.slo import with_window
from bot.core.service import Catalogue
from bot.core.text.untrusted import one_line
from bot.ports import Metrics

AT_ONCE = 8
"""Queries sent at the same time."""
SHOWN = 5
NAME = "Queries"


async def check_queries(metrics: Metrics, catalogue: Catalogue) -> list[Check]:
    """One check of all signals and objectives; none where the catalogue has neither."""
    queries = {**dict(_signals(catalogue)), **(of_objectives := dict(_objectives(catalogue)))}
    gate = asyncio.Semaphore(AT_ONCE)

    async def problem(key: str, promql: str) -> str | None:
        """What is wrong with it; "" if nothing is, None if the query returns no series."""
        async with gate:
            try:
                series = await metrics.instant(promql)
            except QueryFailed as error:
                return str(error)
        if key in of_objectives and len(series) > 1:
            return f"gives {len(series)} series instead of one: put sum() around it"
        return "" if series else None

    answers = dict(zip(queries, await asyncio.gather(*(problem(*query) for query in queries.items())), strict=True))
    bad = [f"{key}: {one_line(why, 200)}" for key, why in answers.items() if why]
    empty = [key for key, why in answers.items() if why is None]
    if bad:
        return [failed(NAME, _first(bad, "; "), "repair these keys of tocsin.yaml; until then these signals are not checked")]
    if not queries:
        return []
    # No error, no series: that is usual, and may be a label that was misspelt.
    advice = f"check whether these have series at all: {_first(empty, ', ')}" if empty else ""
    summary = f"Prometheus understands {len(queries)} queries of signals and objectives"
    return [ok(NAME, f"{summary}; {len(empty)} find nothing now" if empty else summary, advice)]


def _signals(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Key in tocsin.yaml -> PromQL."""
    for service in catalogue.services.values():
        for name, signal in service.signals.items():
            yield f"services.{service.name}.signals.{name}", signal.promql


def _objectives(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Key in tocsin.yaml -> PromQL over an hour."""
    for service in catalogue.services.values():
        for name, objective in service.objectives.items():
            for part, promql in (("good", objective.good), ("total", objective.total)):
                yield f"services.{service.name}.objectives.{name}.{part}", with_window(promql, "1h")


def _first(lines: list[str], between: str) -> str:
    more = f"{between}and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return between.join(lines[:SHOWN]) + more
