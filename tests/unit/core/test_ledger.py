"""What counts of a ledger that holds several attempts."""

from datetime import timedelta

from bot.core.evidence import Evidence, LedgerEntry, without_repeated
from tests.unit.builders import NOW


def entry(id: str, seconds: float, tool: str = "service_health", **arguments: str) -> LedgerEntry:
    at = NOW + timedelta(seconds=seconds)
    return LedgerEntry(id=id, group="AL-1", tool=tool, arguments=arguments, at=at, evidence=Evidence(summary="", query=""))


def test_what_the_same_call_showed_in_an_attempt_before_counts_no_more_unless_something_stands_on_it() -> None:
    before = [
        entry("E1", 0, service="cart"),
        entry("E2", 0, service="stock"),
        entry("E3", 0, tool="search_logs", service="cart"),
    ]
    twice = [entry("E4", 30, service="cart"), entry("E5", 31, service="cart"), entry("E6", 31, service="stock")]

    kept = without_repeated([*before, *twice], {"E2"}, since=NOW + timedelta(seconds=30))

    assert [one.id for one in kept] == ["E2", "E3", "E4", "E5", "E6"]
