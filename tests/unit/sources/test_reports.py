"""Senders that put the time of each report where others put the start: what fires on is one alert, and does not flap."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.config.alerts import SourceConfig
from bot.plugins import SourceRequest
from tests.unit.builders import NOW
from tests.unit.sources.vendor_bodies import DATADOG, KINDS, SENTRY_EVENT, sns
from tests.unit.store.databases import Clock, SortingFixture, open_database

Body = dict[str, Any]
TRAVELS = timedelta(seconds=4)
"""From when a body was written to its arrival."""


class Received:
    """A sender's bodies, each of its own minute, as they are read and sorted."""

    def __init__(self, kind: str, sorting: SortingFixture, clock: Clock) -> None:
        self.kind, self.sorting, self.clock = kind, sorting, clock

    async def send(self, minute: float, body: Body) -> None:
        self.clock.now = NOW + timedelta(minutes=minute)
        request = SourceRequest("prod", json.dumps(body).encode(), {}, self.clock.now, SourceConfig(kind=self.kind))
        await self.sorting.receive(*KINDS[self.kind].read(request).alerts)


async def receiving(kind: str, folder: Path) -> Received:
    clock = Clock()
    sorting = SortingFixture(await open_database(folder, clock), clock)
    await sorting.connect()
    return Received(kind, sorting, clock)


def written(minute: float) -> str:
    return (NOW + timedelta(minutes=minute) - TRAVELS).isoformat()


def datadog(minute: float, transition: str) -> Body:
    return {**DATADOG, "transition": transition, "at": written(minute)}


def sentry(minute: float, _: str) -> Body:
    return {"action": "triggered", "data": {"event": {**SENTRY_EVENT, "datetime": written(minute)}, "triggered_rule": "errors"}}


def unknown(minute: float, transition: str) -> Body:
    return {"title": "Queue stalls", "state": "ok" if transition == "Recovered" else "down", "timestamp": written(minute)}


def alarm(minute: float, state: str, before: str) -> Body:
    message = sns(state)
    changed = {"StateChangeTime": written(minute), "OldStateValue": before}
    return {**message, "Message": json.dumps({**json.loads(message["Message"]), **changed})}


@pytest.mark.parametrize(("kind", "body"), [("datadog", datadog), ("sentry", sentry), ("generic", unknown)])
async def test_what_is_reported_again_is_a_repeat_of_what_fires(kind: str, body: Any, tmp_path: Path) -> None:
    sender = await receiving(kind, tmp_path)
    for minute in range(0, 60, 10):
        await sender.send(minute, body(minute, "Re-Triggered" if minute else "Triggered"))

    (group,) = (group for group in await sender.sorting.groups() if group.title != "Alert first")
    (episode,) = await sender.sorting.episodes()
    assert (group.alerts, group.repeats, group.firing, group.flapping) == (1, 5, 1, "")
    assert episode.starts_at == NOW - TRAVELS
    await sender.sorting.db.close()


@pytest.mark.parametrize(("kind", "body", "travels"), [("datadog", datadog, TRAVELS), ("generic", unknown, timedelta(0))])
async def test_what_ended_and_is_reported_later_fires_anew(kind: str, body: Any, travels: timedelta, tmp_path: Path) -> None:
    sender = await receiving(kind, tmp_path)
    for minute, transition in ((0, "Triggered"), (5, "Recovered"), (20, "Triggered")):
        await sender.send(minute, body(minute, transition))

    episodes = await sender.sorting.episodes()
    assert [(one.status, one.starts_at) for one in episodes] == [
        ("resolved", NOW - TRAVELS),
        ("firing", NOW + timedelta(minutes=20) - TRAVELS),
    ]
    # A mere timestamp may be that of the start in both bodies: then its arrival is the end.
    assert episodes[0].ended_at == NOW + timedelta(minutes=5) - travels
    await sender.sorting.db.close()


async def test_a_report_that_comes_after_that_of_the_end_fires_nothing(tmp_path: Path) -> None:
    sender = await receiving("datadog", tmp_path)
    await sender.send(5, datadog(5, "Recovered"))
    await sender.send(6, datadog(0, "Triggered"))

    assert {one.status for one in await sender.sorting.episodes()} == {"resolved"}
    await sender.sorting.db.close()


async def test_ends_do_not_count_among_the_times_that_an_alert_fired(tmp_path: Path) -> None:
    sender = await receiving("cloudwatch", tmp_path)
    for minute, state, before in (
        (0, "ALARM", "OK"),
        (5, "OK", "ALARM"),
        (10, "ALARM", "OK"),
        (15, "OK", "ALARM"),
        (20, "ALARM", "OK"),
    ):
        await sender.send(minute, alarm(minute, state, before))

    (group,) = (group for group in await sender.sorting.groups() if group.title != "Alert first")
    assert (group.alerts, group.firing, group.flapping) == (3, 1, "")
    await sender.sorting.db.close()


async def test_an_alarm_that_loses_its_data_is_the_alert_that_fires(tmp_path: Path) -> None:
    sender = await receiving("cloudwatch", tmp_path)
    await sender.send(0, alarm(0, "ALARM", "OK"))
    await sender.send(5, alarm(5, "INSUFFICIENT_DATA", "ALARM"))

    (group,) = (group for group in await sender.sorting.groups() if group.title != "Alert first")
    assert (group.alerts, group.repeats) == (1, 1)
    await sender.sorting.db.close()
