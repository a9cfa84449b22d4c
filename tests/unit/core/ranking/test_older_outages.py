"""An outage of another service that stood before: it is not blamed first for what begins minutes later."""

import pytest

from bot.core.change import Change
from bot.core.evidence import Findings
from bot.core.facts.alerting import AlertFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import JumpFact
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, minutes

DEPLOY = change("payments", 12.98, version="3.1.0", previous="1.4.0")
DOWN = CASE.model_copy(update={"service": "shop", "alert_name": "ShopDown"})
SLOW = CASE.model_copy(update={"service": "search", "alert_name": "SearchSlow"})
GONE = deviation("shop", "up", 1, 0, doublings=4.7, family="errors")


def failing_for(age: float, *, deploy: Change = DEPLOY) -> Ledger:
    """Payments has failed for so many minutes, with a deploy; nobody knows whether anything rests on it."""
    errors = deviation("payments", "errors", 0.0, 0.294, doublings=5.6, late=-age, unit="ratio")
    traffic = deviation("payments", "traffic", 40, 26.7, doublings=4.3, late=-0.08, unit="req/s")
    jump = JumpFact(change_id=deploy.id, service="payments", signal="errors", before=0, after=0.294, unit="ratio", scales=300)
    ledger = Ledger().changes(deploy).health("payments", errors, traffic)
    return ledger._add("change_jumps", EvidenceFacts(jumps=(jump,)), service="payments")


def alert_of(service: str, age: float) -> EvidenceFacts:
    return EvidenceFacts(alerts=(AlertFact(name="HighErrorRate", service=service, starts_at=ONSET - minutes(age)),))


def test_a_target_that_goes_down_is_the_first_lead_before_what_a_service_failed_by_long_before() -> None:
    findings = rank(DOWN, failing_for(12.9).health("shop", GONE).entries, now=NOW)

    first, *further = findings.hypotheses
    assert first.service == "shop" and first.cause.startswith("shop itself is down") and first.confidence == "possible"
    assert "The requests measured of payments fall with it, from 11:59:55 UTC on" in [claim.text for claim in first.claims]
    assert "its last lines, how it exited" in first.check
    (deploy,) = [cause for cause in further if cause.change_id == DEPLOY.id]
    assert [claim.text for claim in deploy.against] == [
        "payments errors left the normal range at 11:47:06 UTC, 12 min before the onset: another outage"
    ]


def test_what_fails_longer_without_a_known_tie_is_told_beside_the_target_that_is_down() -> None:
    errors = deviation("payments", "errors", 0.0, 0.294, doublings=5.6, late=-12.9, unit="ratio")
    findings = rank(DOWN, Ledger().health("payments", errors).health("shop", GONE).entries, now=NOW)

    assert [claim.text for claim in findings.hypotheses[0].against] == [
        "payments errors left the normal range at 11:47:06 UTC, 12 min before the onset: another outage, "
        "unless shop rests on payments"
    ]


def test_what_broke_just_before_a_target_went_down_may_be_why() -> None:
    soon = change("payments", 2, version="3.1.0", previous="1.4.0")

    assert rank(DOWN, failing_for(1.9, deploy=soon).health("shop", GONE).entries, now=NOW).hypotheses[0].change_id == soon.id


def test_a_target_that_is_known_to_rest_on_what_failed_before_may_be_down_by_it() -> None:
    ledger = failing_for(12.9).health("shop", GONE).graph("shop", "payments")

    assert rank(DOWN, ledger.entries, now=NOW).hypotheses[0].change_id == DEPLOY.id


def slow_search(ledger: Ledger) -> Findings:
    ledger.health("search", deviation("search", "latency p95", 0.1, 2.0, doublings=4, unit="s"))
    return rank(SLOW, ledger.entries, now=NOW)


@pytest.mark.parametrize(("alert", "first"), [("payments", "search"), ("cart", "payments")])
def test_of_what_fails_before_a_service_without_a_tie_only_an_outage_with_its_own_alert_is_another(
    alert: str, first: str
) -> None:
    assert slow_search(failing_for(12.9).alerts(alert_of(alert, 12.7))).hypotheses[0].service == first


def test_an_alert_of_minutes_before_may_be_how_it_began() -> None:
    soon = change("payments", 4, version="3.1.0", previous="1.4.0")

    findings = slow_search(failing_for(3.9, deploy=soon).alerts(alert_of("payments", 3.7)))
    assert findings.hypotheses[0].change_id == soon.id
