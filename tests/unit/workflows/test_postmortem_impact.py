"""The impact, the onset and the length that a draft tells are those of the incident, and not of its service's errors alone."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.core.metrics.series import Series
from bot.core.service import Catalogue, Service
from bot.store.answers.postmortems import Postmortems
from bot.store.tables import EpisodeRow, GroupRow
from bot.store.triage.triage import Triages
from bot.workflows.postmortem import PostmortemSteps
from tests.evaluation.recorded import RecordedMetrics
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals
from tests.unit.builders import NOW, at


def service(name: str, **signals: dict[str, object]) -> Service:
    errors = {"promql": f"{name} errors", "unit": "ratio", "bad_above": 0.02}
    traffic = {"promql": f"{name} traffic", "unit": "requests/s"}
    return Service.model_validate({"name": name, "signals": {"errors": errors, "traffic": traffic, **signals}})


LATENCY = {"promql": "search latency", "unit": "s", "bad_above": 1.0}
CATALOGUE = Catalogue([service("checkout"), service("search", latency=LATENCY), service("web")])


def samples(value: float, *, gap: tuple[datetime, datetime] | None = None) -> list[Series]:
    """A level from 10 minutes before the alert to 10 after it, every 5 s, without samples in the gap."""
    times = np.arange(at(-10).timestamp(), at(10).timestamp(), 5.0)
    if gap:
        times = times[(times <= gap[0].timestamp()) | (times >= gap[1].timestamp())]
    return [Series({}, times, np.full(len(times), value))]


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path)
    async with fixture.db.write() as session:
        row = await session.get(GroupRow, 1)
        assert row is not None
        row.opened_at, row.cleared_at, row.alerts = NOW, at(9), 2
        session.add(row)
        for name in ("checkout", "web"):
            texts: dict[str, Any] = {
                "source": "am",
                "fingerprint": name,
                "name": "Errors",
                "severity": "SEV2",
                "status": "resolved",
            }
            moments = dict.fromkeys(("starts_at", "first_seen_at", "last_seen_at"), NOW)
            session.add(EpisodeRow(**texts, **moments, service=name, labels={}, annotations={}, group_id=1))
    yield fixture
    await fixture.close()


async def drafted(
    fixture: ApprovalsFixture,
    attempts: list[tuple[datetime | None, str]],
    series: dict[str, list[Series]],
    catalogue: Catalogue = CATALOGUE,
) -> str:
    """A draft after attempts that dated the onset so, each by a signal."""
    triages, drafts = Triages(fixture.db), Postmortems(fixture.db)
    for number, (onset, signal) in enumerate(attempts, 1):
        await triages.open("AL-1", number, "", "")
        known = {"onset": onset.isoformat() if onset else None, "signal": signal, "onset_evidence": f"E{number}"}
        await triages.update("AL-1", number, facts=known)
    queries = {f"{name} {kind}": samples(0.0) for name in ("checkout", "search", "web") for kind in ("errors", "traffic")}
    steps = PostmortemSteps(drafts, triages, catalogue, RecordedMetrics({**queries, **series}), lambda _graph: b"")
    await steps.write("INC-1", 1, await steps.measure("INC-1", 1))
    draft = await drafts.newest("INC-1")
    assert draft is not None
    return draft.markdown


async def test_a_latency_incident_tells_the_latency_that_it_began_with(fixture: ApprovalsFixture) -> None:
    text = await drafted(fixture, [(at(-1), "search latency")], {"search latency": samples(3.0)})

    assert "search latency exceeded 1 s for" in text and "errors never exceeded" not in text
    assert "search latency left its normal range" in text and "60 s before the first alert arrived" in text


async def test_the_first_onset_counts_and_not_that_of_the_last_attempt(fixture: ApprovalsFixture) -> None:
    first = (at(-1), "search latency")
    text = await drafted(fixture, [first, (None, ""), (at(3), "checkout errors")], {"search latency": samples(3.0)})

    assert "It lasted 10 min, from the onset." in text and "search latency left its normal range" in text


async def test_the_onset_of_an_outage_before_the_one_in_which_it_was_declared_is_none_of_its(fixture: ApprovalsFixture) -> None:
    triages = Triages(fixture.db)
    for number in (1, 2):
        await triages.open("AL-1", number, "", "")
        await triages.update("AL-1", number, started_at=at(-40) if number == 1 else at(-1), renewed=number == 2)
    text = await drafted(fixture, [(at(-40), "search latency"), (at(-1), "search latency")], {"search latency": samples(3.0)})

    assert "It lasted 10 min, from the onset." in text


async def test_an_onset_that_was_dated_after_the_alert_is_told_without_a_distance(fixture: ApprovalsFixture) -> None:
    text = await drafted(fixture, [(at(2), "search latency")], {"search latency": samples(3.0)})

    assert "search latency left its normal range at" in text and "before the first alert" not in text
    assert "It lasted 9.0 min, from the first alert." in text


async def test_a_services_failed_requests_are_told_once_whichever_of_its_signals_counted_them(
    fixture: ApprovalsFixture,
) -> None:
    bad = {"promql": "checkout bad_requests", "unit": "ratio", "bad_above": 0.05}
    series = {"checkout errors": samples(0.2), "checkout bad_requests": samples(0.2), "checkout traffic": samples(10.0)}
    catalogue = Catalogue([service("checkout", bad_requests=bad), service("web")])

    text = await drafted(fixture, [(at(-1), "checkout bad_requests")], series, catalogue)

    assert "checkout bad_requests exceeded 5 %" in text and "checkout errors exceeded" not in text


async def test_failed_requests_of_each_service_and_a_gap_in_the_data_are_told(fixture: ApprovalsFixture) -> None:
    series = {
        "checkout errors": samples(0.2, gap=(at(2), at(5))),
        "checkout traffic": samples(10.0),
        "web errors": samples(0.1),
        "web traffic": samples(20.0),
    }
    text = await drafted(fixture, [(NOW - timedelta(minutes=1), "checkout errors")], series)

    assert "checkout errors exceeded 2 % for" in text and "web errors exceeded 2 % for" in text
    assert text.count("requests failed") == 2
    assert f"no data from {at(2):%H:%M:%S} UTC to {at(5):%H:%M:%S} UTC" in text
