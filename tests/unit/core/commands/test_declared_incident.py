"""What a declared incident's text says of its service and its beginning."""

from datetime import datetime, timedelta

import pytest

from bot.core.commands.declared_incident import began_at, service_in
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
        ("slow for 20 minutes", 20),
        ("slow since 2 hours", 120),
        ("it began half an hour ago", 30),
        ("down since 2026-03-01T02:00Z", 60),
    ],
)
def test_a_moment_in_the_text_is_when_it_began(text: str, minutes_ago: float) -> None:
    assert began_at(text, NOW) == at(-minutes_ago)


@pytest.mark.parametrize(
    "text",
    [
        "slow since 02:30 CET",  # letters of a zone mean several
        "slow since 2026-03-01 02:30 CET",
        "slow since 04:30",  # not yet come in UTC: another zone is meant
        "down since 2026-02-01T02:00Z",
        "slow since release 2.10",
        "errors at 9.50 per second",
        "at 13:05 pm",
        "slow",
    ],
)
def test_what_cannot_be_meant_is_no_moment(text: str) -> None:
    assert began_at(text, NOW) is None


def test_shortly_after_midnight_a_late_hour_was_yesterday() -> None:
    midnight = datetime.fromisoformat("2026-03-01T00:10:00+00:00")

    assert began_at("slow since 23:50", midnight) == midnight - timedelta(minutes=20)
