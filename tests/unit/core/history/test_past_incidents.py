"""Which past incidents resemble a case, and which fix was verified how often."""

from typing import Any

import pytest

from bot.core.evidence import Case
from bot.core.history.past_incidents import ConfirmedCause, Fix, PastIncident, fix_records, named_service, similar_incidents
from tests.unit.builders import NOW, at

CASE = Case(
    group="AL-9", service="checkout", alert_name="HighErrorRate", summary="Checkout answers with errors", started_at=NOW
)


def past(number: int, **values: Any) -> PastIncident:
    cause = ConfirmedCause(text="the connection pool was exhausted", confirmed_by="alice", at=NOW)
    fields: dict[str, Any] = {
        "ref": f"INC-{number}", "group": f"AL-{number}", "title": "Errors", "service": "checkout", "resolved_at": at(-number),
        "alert_names": {"HighErrorRate"}, "cause": cause,
    }  # fmt: skip
    return PastIncident(**{**fields, **values})


def refs(*incidents: PastIncident, words: str = "") -> list[str]:
    return [one.incident.ref for one in similar_incidents(incidents, CASE, words=words)]


def test_the_same_alert_on_the_same_service_goes_before_the_same_alert_elsewhere() -> None:
    assert refs(past(1, service="search"), past(2)) == ["INC-2", "INC-1"]


def test_the_same_service_alone_is_not_alike() -> None:
    assert refs(past(1, alert_names={"DiskFull"}, title="Disk")) == []


def test_words_make_the_same_service_alike() -> None:
    other = past(1, alert_names={"Latency"}, title="Checkout connection pool exhausted")

    assert refs(other, words="connection pool exhausted") == ["INC-1"]


def test_of_equals_the_newest_comes_first() -> None:
    assert refs(past(3), past(1), past(2)) == ["INC-1", "INC-2", "INC-3"]


def test_the_case_is_not_like_itself() -> None:
    assert refs(past(9)) == []


def test_the_reasons_are_told() -> None:
    (alike,) = similar_incidents([past(1)], CASE)

    assert alike.reasons[:2] == ("same alert", "same service") and 0.8 <= alike.similarity <= 1


def test_fixes_are_counted_over_incidents_the_most_often_verified_first() -> None:
    worked, failed = (Fix(action="rollback", service="checkout", verified=ok) for ok in (True, False))
    restart = Fix(action="restart", service="checkout", verified=False)

    records = fix_records([past(1, fixes=(restart, worked)), past(2, fixes=(failed,)), past(3, fixes=(worked,))])

    assert [(one.action, one.ran, one.verified) for one in records] == [("rollback", 3, 2), ("restart", 1, 0)]


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Checkout lost its index.", "checkout"),
        ("the pool of cart-db, as ever", "cart-db"),
        ("checkout overran search", ""),
        ("the checkouts were slow", ""),
        ("", ""),
    ],
)
def test_words_that_name_one_service_tell_it(text: str, service: str) -> None:
    assert named_service(text, ["checkout", "search", "cart-db"]) == service
