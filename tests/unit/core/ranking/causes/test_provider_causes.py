"""A provider whose calls fail is called by the name that the evidence holds."""

import pytest

from bot.core.facts.recorded import TemplateFact
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, deviation, failing_payments


@pytest.mark.parametrize(
    ("urls", "named"),
    [
        (["https://api.bank.example/v1/charge"], "The provider api.bank.example that payments calls is failing"),
        (["https://api.bank.example/v1", "https://rates.example/eur"], "An outside provider that payments calls is failing"),
        (["http://ledger.svc/v1"], "An outside provider that payments calls is failing"),
    ],
)
def test_a_provider_has_the_one_host_for_a_name_that_the_lines_of_failing_calls_hold(urls: list[str], named: str) -> None:
    calls = deviation("payments", "provider errors", 0.001, 0.9, doublings=6, unit="ratio")
    lines = [TemplateFact(template=f"ERROR POST {url}: 503 unavailable", count=9, before=0, trend="new") for url in urls]
    ledger = failing_payments().health("payments", calls).lines("payments", *lines)

    causes = [cause.cause for cause in rank(CASE, ledger.entries, now=NOW).hypotheses if "provider" in cause.cause]

    assert causes == [named]


def test_calls_that_take_somewhat_longer_are_no_likely_failure_of_a_provider() -> None:
    def likely(after: float) -> bool:
        calls = deviation("payments", "provider latency", 308, after, doublings=6, unit="ms", family="external")
        found = rank(CASE, failing_payments().health("payments", calls).entries, now=NOW).hypotheses
        return any(cause.kind == "external" and cause.confidence == "likely" for cause in found)

    assert likely(3080) and not likely(415)


def test_the_teams_own_address_in_the_alerts_words_is_no_provider() -> None:
    def hosts(line: str) -> list[str]:
        case = CASE.model_copy(update={"summary": "portal.shop.example.com: more than 8% of callbacks answer 502"})
        failing = TemplateFact(template=line, count=9, before=0, trend="new")
        found = rank(case, failing_payments().lines("payments", failing).entries, now=NOW).hypotheses
        return [cause.cause for cause in found if "portal.shop" in cause.cause]

    assert not hosts("callback answered 502")
    assert hosts("POST https://portal.shop.example.com/v1: 502 bad gateway")
