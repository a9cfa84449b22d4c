"""What a burst of alerts adds to the causes: a lead where nothing was measured, support where something was."""

from datetime import timedelta

from bot.core.alert import Alert
from bot.core.evidence import Findings, Lead
from bot.core.facts.alerting import AlertFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.ranking.alert_burst import read_burst
from bot.core.ranking.ranking import rank
from bot.core.service import Catalogue
from bot.core.verdict.verdict import judge
from tests.unit.evidence_builders import CASE, NOW, Ledger, change, deviation

STARTED = CASE.started_at


def fires(name: str, service: str, seconds: float = 5, **labels: str) -> Alert:
    at = STARTED + timedelta(seconds=seconds)
    labels = {"service": service, **labels}
    return Alert(source="prod", fingerprint=f"{name}{labels}", status="firing", name=name, labels=labels, starts_at=at)


def with_alerts(ledger: Ledger, now: list[Alert], *past: list[Alert]) -> Ledger:
    burst = read_burst(now, past, Catalogue())
    firing = tuple(AlertFact(name=a.name, service=a.labels["service"], starts_at=a.starts_at) for a in now)
    return ledger.alerts(EvidenceFacts(alerts=firing, burst=burst.as_fact()))


def judged(ledger: Ledger) -> Findings:
    findings = rank(CASE, ledger.entries, now=NOW)
    kept = judge(findings, ledger.entries)
    assert [c for h in kept.hypotheses for c in h.claims] == [c for h in findings.hypotheses for c in h.claims], kept.dropped
    return kept


USUAL = fires("CpuHigh", "noisy")


def test_without_metrics_the_burst_says_which_pod_and_proves_it() -> None:
    rare, other = fires("DiskFull 2", "cart", pod="cart-2"), fires("CpuHigh", "cart", pod="cart-1")

    first = judged(with_alerts(Ledger(), [USUAL, rare], [other], *[[USUAL]] * 6)).hypotheses[0]

    assert (first.service, first.component, first.kind) == ("cart", "cart-2", "resource")
    assert first.cause == "The burst of alerts points at cart-2 (a pod of cart): DiskFull 2"
    assert "in none of 7 earlier alert groups" in first.claims[0].text


def test_alerts_alone_are_never_called_likely() -> None:
    rare = fires("DiskFull", "cart")

    assert all(h.confidence != "likely" for h in judged(with_alerts(Ledger(), [USUAL, rare], *[[USUAL]] * 7)).hypotheses)


def lead_of(*now: Alert, bursts: int = 7) -> Lead:
    """The lead of a burst before which only the usual alert fired."""
    lead = judged(with_alerts(Ledger(), [USUAL, *now], *[[USUAL]] * bursts)).lead
    assert lead is not None and lead.basis == "burst"
    return lead


CART = (fires("DiskFull", "cart"), fires("ErrorsHigh", "cart"))


def test_two_rare_kinds_of_alert_on_one_service_are_a_lead_and_one_kind_is_none() -> None:
    assert lead_of(*CART).distance > 0.9 and lead_of(CART[0]).distance == 0.0


def test_before_a_few_bursts_nobody_knows_what_is_rare_so_nothing_leads() -> None:
    assert lead_of(*CART, bursts=4).distance == 0.0 < lead_of(*CART, bursts=5).distance


def test_as_many_bits_ahead_are_less_of_a_lead_where_the_next_service_has_many_too() -> None:
    kinds = ("DiskFull", "ErrorsHigh", "QueueGrows", "PodsRestart", "CpuHigh", "MemoryHigh")
    next_to_few = lead_of(*CART, fires("DiskFull", "shop"))
    next_to_many = lead_of(*(fires(kind, "cart") for kind in kinds), *(fires(kind, "shop") for kind in kinds[:4]))

    assert 0 < next_to_many.distance < next_to_few.distance


def test_a_pod_of_the_same_service_is_no_rival_of_a_lead_and_one_of_another_service_is() -> None:
    pod = [fires(kind, "cart", pod="cart-1") for kind in ("DiskFull", "ErrorsHigh")]
    sibling, elsewhere = (fires("DiskFull", service, pod=f"{service}-2") for service in ("cart", "shop"))

    assert lead_of(*pod, sibling).distance > 1.5 * lead_of(*pod, elsewhere).distance


def test_a_service_that_was_measured_is_ranked_by_its_metrics() -> None:
    ledger = Ledger().health("front", deviation("front", "errors", 0.0, 0.3)).graph("front", "cart").health("cart")

    findings = judged(with_alerts(ledger, [fires("DiskFull", "cart"), fires("ErrorsHigh", "front", 60)]))

    assert [h.service for h in findings.hypotheses] == ["front"]


def test_one_alert_alone_is_no_burst() -> None:
    lone = judged(with_alerts(Ledger(), [fires("ErrorsHigh", "front")]))

    assert [h.cause for h in lone.hypotheses] == ["front itself fails, and nothing that was checked shows why"]


def test_beside_a_cause_that_measurements_carry_what_only_fires_is_no_other_cause() -> None:
    ledger = Ledger().health("front", deviation("front", "errors", 0.0, 0.3)).graph("front", "cart").health("cart")
    ledger = ledger.health("cart", deviation("cart", "errors", 0.0, 0.4)).changes(change("cart", 6))
    elsewhere = [fires("ErrorsHigh", "front", 60), fires("DependencyErrors", "search", 61)]

    assert {h.service for h in judged(with_alerts(ledger, elsewhere)).hypotheses} == {"cart"}


def test_a_service_without_any_tie_to_others_gets_no_likely_cause_among_them_and_is_not_its_own() -> None:
    stranger = CASE.model_copy(update={"service": "mail", "alert_name": "DiskFull"})
    known = Ledger().graph("front", "cart").health("front", deviation("front", "errors", 0.0, 0.3, doublings=5))
    known = known.health("cart", deviation("cart", "errors", 0.0, 0.4, doublings=5)).graph("cart", callers=["front"])
    ledger = known.changes(change("cart", 1)).failed("service_health", "mail is not known", service="mail")
    ledger = with_alerts(ledger, [fires("DiskFull", "mail"), fires("GatewayDown", "vpn")])

    tied = rank(CASE, ledger.entries, now=NOW).hypotheses
    ranking = rank(stranger, ledger.entries, now=NOW)
    alone = ranking.hypotheses

    assert tied[0].confidence == "likely" and tied[0].not_checked == []
    assert all(one.confidence == "unlikely" and one.service not in ("mail", "vpn") for one in alone)
    assert ranking.onset is None, "no metric of mail was read"
    assert alone[0].not_checked == ["whether mail depends on cart: nothing ties them"]


def test_what_fires_at_the_same_time_and_calls_nobody_is_no_cause_of_a_service_that_is_known_by_its_calls() -> None:
    ledger = Ledger().health("front").graph("front", "cart")

    named = judged(with_alerts(ledger, [fires("ErrorsHigh", "front"), fires("DiskFull", "mail"), fires("DiskFull", "cart")]))

    assert {one.service for one in named.hypotheses} == {"cart"}


def test_of_single_alerts_of_services_that_nobody_knows_more_of_none_is_the_cause_of_another() -> None:
    strangers = [fires("ErrorsHigh", "front"), fires("DiskFull", "mail"), fires("GatewayDown", "vpn")]

    assert {one.service for one in judged(with_alerts(Ledger(), strangers)).hypotheses} <= {"front"}
    assert {one.service for one in judged(with_alerts(Ledger(), strangers, *[[USUAL]] * 7)).hypotheses} > {"front"}


def test_an_alert_of_a_host_that_nothing_ties_to_services_gets_no_likely_cause_and_no_onset_of_theirs() -> None:
    known = Ledger().graph("front", "cart").health("front", deviation("front", "errors", 0.0, 0.3, doublings=5))
    known = known.health("cart", deviation("cart", "errors", 0.0, 0.4, doublings=5)).changes(change("cart", 1))
    of_host = CASE.model_copy(update={"service": "", "alert_name": "DiskFull", "labels": {"host": "db-3"}})

    ranking = rank(of_host, known.entries, now=NOW)

    assert ranking.onset is None and all(one.confidence == "unlikely" for one in ranking.hypotheses)
    assert rank(CASE.model_copy(update={"service": ""}), known.entries, now=NOW).hypotheses[0].confidence == "likely"


def test_one_alert_of_a_host_is_no_lead_before_anybody_knows_what_is_rare() -> None:
    ledger = Ledger().health("front", deviation("front", "errors", 0.0, 0.3)).graph("front", "cart").health("cart")
    disk = Alert(source="prod", fingerprint="d", status="firing", name="DiskFull", labels={"host": "db-3"}, starts_at=STARTED)
    burst = read_burst([disk, fires("ErrorsHigh", "front")], [], Catalogue())
    ledger.alerts(EvidenceFacts(alerts=(), burst=burst.as_fact()))

    assert [one.service for one in judged(ledger).hypotheses] == ["front"]
