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
