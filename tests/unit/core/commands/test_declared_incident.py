"""What a declared incident's text says of its service and its beginning."""

from datetime import datetime, timedelta

import pytest

from bot.core.commands.declared_incident import Start, began_at, service_in, start_in
from bot.core.service import Catalogue, Service
from tests.unit.builders import NOW, at

CATALOGUE = Catalogue(
    [
        Service(name="payments-service"),
        Service(name="checkout", known_as={"github": "acme/shop-front"}),
        Service(name="ledger-api"),
        Service(name="ledger-svc"),
    ]
)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Checkout fails when it calls payments", "checkout"),
        ("payments is down", "payments-service"),
        ("errors after the last release of shop-front", "checkout"),
        ("the ledger is slow", ""),  # two services could be meant
        ("everything is slow", ""),
    ],
)
def test_the_first_service_that_a_text_names_is_meant(text: str, service: str) -> None:
    assert service_in(text, CATALOGUE) == service


@pytest.mark.parametrize(
    ("text", "minutes_ago"),
    [
        ("slow since 02:30", 30),
        ("slow since about 2:30 am UTC", 30),
        ("slow since 04:30 +02:00", 30),
        ("down from 2h15 on", 45),
        ("errors at 23:00", 240),
        ("slow since 18:30", 510),
        ("slow ~02:30", 30),
        ("slow since 1:30, CET", 150),
        ("slow since 02:30 API errors", 30),
        ("since 02:30 PUT requests fail", 30),
        ("slow since 02:30 CET", 90),
        ("down since 6pm PT", 60),
        ("down since 6 p.m. (PST)", 60),
        ("down since 8:30 pm eastern", 90),
        ("down since 9pm ET", 60),
        ("down since 9am PT", 600),
        ("slow since 04:30 UTC+2", 30),
        ("slow since 08:00 UTC+05:30", 30),
        ("slow since 23:00 GMT-3", 60),
        ("slow since 01:00Z", 120),
        ("slow since 11:00 Asia/Tokyo", 60),
        ("slow since 04:30 UTC", 1_350),  # with a zone it can only be yesterday's
        ("errors since midnight", 180),
        ("errors since noon ET", 600),
        ("errors since yesterday 22:00", 300),
        ("errors since yesterday at 10pm", 300),
        ("errors since 22:00 yesterday", 300),
        ("errors since 2:00 today", 60),
        ("down since 2026-03-01T02:00Z", 60),
        ("down since 2026-03-01 02:00-00:30", 30),
        ("down since 2026-03-01 02:30 CET", 90),
        ("down since 2026-02-28, 10:30 pm", 270),
    ],
)
def test_a_time_of_day_in_the_text_is_when_it_began(text: str, minutes_ago: float) -> None:
    assert began_at(text, NOW) == at(-minutes_ago)


@pytest.mark.parametrize(
    ("text", "minutes_ago"),
    [
        ("slow for 20 minutes", 20),
        ("slow since 2 hours", 120),
        ("it began half an hour ago", 30),
        ("slow since 2h30m", 150),
        ("slow for 2h30", 150),
        ("slow for 2 h 30 min", 150),
        ("slow since about 2 hours and 30 minutes", 150),
        ("failing 1.5 hours ago", 90),
        ("failing since 1,5 h", 90),
        ("failing for an hour and a half", 90),
        ("failing for two and a half hours", 150),
        ("failing since 1 hour 20 minutes ago", 80),
        ("it failed 1 hour, 20 minutes ago", 80),
        ("slow for two hours", 120),
        ("slow for twenty-five minutes", 25),
        ("slow for half an hour", 30),
        ("slow in the past hour", 60),
        ("slow for the past hour", 60),
        ("slow for the last half hour", 30),
        ("slow for the last 20 minutes", 20),
        ("slow over the last 20 min", 20),
        ("down over 20 minutes", 20),
        ("down for more than 20 minutes", 20),
        ("down ~20 minutes", 20),
        ("down (~20 min ago)", 20),
        ("down for 5m, users call", 5),
        ("down for 5 m and counting", 5),
        ("jobs take over 20 minutes since 02:30", 30),
        ("deployed 2 hours ago, failing for 20 minutes", 20),
        ("pages of 3 s, since half an hour", 30),
    ],
)
def test_a_duration_in_the_text_is_how_long_ago_it_began(text: str, minutes_ago: float) -> None:
    assert began_at(text, NOW) == at(-minutes_ago)


@pytest.mark.parametrize(
    "text",
    [
        "slow since release 2.10",
        "errors at 9.50 per second",
        "slow",
        "slow for hours",
        "slow since Monday",
        "errors for 5 m users",
        "errors over 5M users",
        "jobs take over 20 minutes",
        "lag is ~20 minutes",
        "a few minutes ago",
        "latency of 20 minute jobs",
    ],
)
def test_what_gives_no_moment_is_none(text: str) -> None:
    assert start_in(text, NOW) == Start()


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("slow since 02:30 CST", 'the time zone "CST" is not understood'),  # Chicago's or Shanghai's
        ("slow since 2am ist", 'the time zone "ist" is not understood'),
        ("slow since 2am Berlin time", 'the time zone "Berlin time" is not understood'),
        ("slow since 2am local time", 'the time zone "local" is not understood'),
        ("slow since 02:00 Moon/Base", 'the time zone "Moon/Base" is not understood'),
        ("slow since 2026-03-01 02:30 IST", 'the time zone "IST" is not understood'),
        ("slow since 02:00 America/Argentina", 'the time zone "America/Argentina" is not understood'),
        ("since 2am eastern replicas lag", 'the time zone "eastern" is not understood'),
        ("slow since 02:00 UTC+17", 'the time zone "UTC+17" is not understood'),
        ("down since 6pm PDT", "PDT is not what its clocks show then"),
        ("slow since 04:30", "04:30 UTC has not come yet"),  # another zone is meant
        ("slow since 04:30 today", "2026-03-01 04:30 UTC has not come yet"),
        ("down since 2026-02-01T02:00Z", "2026-02-01 02:00 UTC is more than a day ago"),
        ("down since 2026-02-30 02:00", '"2026-02-30" is not understood'),
        ("down for 2 days", "2026-02-27 03:00 UTC is more than a day ago"),
        ("at 13:05 pm", '"13:05 pm" is not understood'),
        ("since 2:30 in the afternoon", '"2:30 in the afternoon" is not understood'),
        ("on Friday at 2:30", '"Friday at 2:30" is not understood'),
        ("at 2:30 on Friday", '"2:30 on Friday" is not understood'),
        ("since 01:00-02:00", '"01:00-02:00" is not understood'),
        ("since 2h15", '"since 2h15" is a time of day or a duration'),
        ("10 to 20 minutes ago", '"10 to 20 minutes ago" is not understood'),
        ("for 10-20 minutes", '"10-20 minutes" is not understood'),
        ("three quarters of an hour ago", '"three quarters of an hour ago" is not understood'),
        ("since 20 minutes past two", '"20 minutes" is not understood'),
        ("since 5 minutes after the deploy", '"5 minutes" is not understood'),
        ("for 20 minutes every hour", '"20 minutes" is not understood'),
        ("for 20 minutes 1 hour", '"20 minutes 1 hour" is not understood'),
    ],
)
def test_what_cannot_be_meant_for_sure_is_no_moment_and_says_why(text: str, unread: str) -> None:
    assert start_in(text, NOW) == Start(unread=unread)


@pytest.mark.parametrize(
    ("text", "began"),
    [
        ("slow since 09:30 PT", "2026-07-14T16:30:00+00:00"),
        ("slow since 09:30 PDT", "2026-07-14T16:30:00+00:00"),
        ("slow since 09:30 PST", None),  # by its letters an hour later than by the writer's clock
        ("slow since 18:30 CEST", "2026-07-14T16:30:00+00:00"),
    ],
)
def test_a_zone_has_the_hour_of_its_season(text: str, began: str | None) -> None:
    summer = datetime.fromisoformat("2026-07-14T17:00:00+00:00")

    assert began_at(text, summer) == (datetime.fromisoformat(began) if began else None)


def test_the_hour_that_summer_time_s_end_has_twice_is_the_last_one_before_now() -> None:
    after, between = (datetime.fromisoformat(f"2026-10-25T{clock}:00+00:00") for clock in ("02:00", "00:50"))

    assert began_at("slow since 02:30 Europe/Berlin", after) == after - timedelta(minutes=30)
    assert began_at("slow since 02:30 Europe/Berlin", between) == between - timedelta(minutes=20)


def test_shortly_after_midnight_a_late_hour_was_yesterday() -> None:
    midnight = datetime.fromisoformat("2026-03-01T00:10:00+00:00")

    assert began_at("slow since 23:50", midnight) == midnight - timedelta(minutes=20)
