"""A time that names no time zone may be anybody's local one: it makes no new alert old, and its sender's zone can be given."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.core.config.alerts import SourceConfig
from bot.plugins import ParsedBody, SourceRequest
from bot.sources.generic import generic
from tests.unit.builders import NOW, at
from tests.unit.store.databases import Clock, SortingFixture, open_database

ZONELESS = "%Y-%m-%d %H:%M:%S"
OTHER_FORM = "time"
OWN_FORM = "starts_at"


def read(body: dict[str, Any], received_at: datetime = NOW, endpoint: str = "alerts", **config: Any) -> ParsedBody:
    request = SourceRequest(
        "prod", json.dumps(body).encode(), {}, received_at, SourceConfig(kind="generic", **config), endpoint
    )
    return generic.read(request)


def body(hours: float, field: str = OTHER_FORM, **more: Any) -> dict[str, Any]:
    """Of a sender whose clock on the wall is so many hours before or behind UTC."""
    return {
        "title": "Queue stuck",
        field: (NOW + timedelta(hours=hours)).strftime(ZONELESS),
        "labels": {"host": "mq-1"},
        **more,
    }


@pytest.mark.parametrize("field", [OTHER_FORM, OWN_FORM])
@pytest.mark.parametrize("hours", [-5, 2])
def test_a_time_hours_from_its_arrival_counts_as_unknown_and_a_warning_says_what_to_set(hours: float, field: str) -> None:
    parsed = read(body(hours, field))

    assert parsed.alerts[0].starts_at == NOW
    assert parsed.warnings[0].startswith(f"{field} names no time zone") and "time_zone" in parsed.warnings[0]


@pytest.mark.parametrize("field", [OTHER_FORM, OWN_FORM])
def test_a_time_minutes_before_its_arrival_counts_as_utc(field: str) -> None:
    parsed = read(body(-0.1, field))

    assert (parsed.alerts[0].starts_at, parsed.warnings) == (at(-6), ())


@pytest.mark.parametrize("field", [OTHER_FORM, OWN_FORM])
def test_the_zone_of_a_source_is_that_of_its_times_without_one(field: str) -> None:
    parsed = read(body(-5.5, field), time_zone="America/New_York")

    assert (parsed.alerts[0].starts_at, parsed.warnings) == (at(-30), ())


@pytest.mark.parametrize(
    "given",
    [
        {"time": "2026-02-28T22:00:00Z"},
        {"time": "2026-02-28 23:00:00+01:00"},
        {"state_changed_utc_time": "2026-02-28T22:00:00"},
        {"time": NOW.timestamp() - 5 * 3600},
    ],
)
def test_a_time_that_says_its_zone_counts_however_old(given: dict[str, Any]) -> None:
    parsed = read({"title": "Queue stuck", "host": "mq-1", **given}, time_zone="America/New_York")

    assert (parsed.alerts[0].starts_at, parsed.warnings) == (at(-300), ())


@pytest.mark.parametrize("field", ["resolved_at", "ends_at"])
def test_an_end_without_a_zone_hours_from_its_arrival_is_the_arrival(field: str) -> None:
    over = body(0, OWN_FORM, status="resolved", **{field: (NOW - timedelta(hours=5)).strftime(ZONELESS)})

    assert read(over).alerts[0].ends_at is None
    assert read(over, time_zone="America/New_York").alerts[0].ends_at == NOW


@pytest.mark.parametrize("hours", [-5, 2])
async def test_what_repeats_a_local_time_is_one_new_alert_from_its_arrival_on(hours: float, tmp_path: Path) -> None:
    clock = Clock()
    sorting = SortingFixture(await open_database(tmp_path, clock), clock)
    for _ in range(3):
        await sorting.receive(*read(body(hours), clock()).alerts)
        clock.forward(15)
    await sorting.receive(*read(body(hours, status="ok"), clock()).alerts)

    episodes = await sorting.episodes()
    assert [(one.starts_at, one.ended_at, one.muted_by) for one in episodes] == [(NOW, at(45), "")]
    await sorting.db.close()


def test_a_change_without_a_zone_counts_as_utc_or_as_in_the_zone_of_its_source() -> None:
    given = {"service": "checkout", "title": "deploy 1.5", "at": "2026-02-28 22:00:00"}
    guessed, configured = read(given, endpoint="changes"), read(given, endpoint="changes", time_zone="America/New_York")

    assert (guessed.changes[0].at, configured.changes[0].at) == (datetime(2026, 2, 28, 22, tzinfo=UTC), NOW)
    assert "time_zone" in guessed.warnings[0] and configured.warnings == ()


def test_a_zone_that_does_not_exist_is_an_error_of_the_configuration() -> None:
    with pytest.raises(ValidationError, match="not a time zone"):
        SourceConfig(kind="generic", time_zone="Mars/Olympus")
