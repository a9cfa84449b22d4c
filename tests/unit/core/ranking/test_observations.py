"""Observations grow with the ledger: read entry by entry they are those of the whole."""

from bot.core.evidence import LedgerEntry
from bot.core.facts.alerting import AlertFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.ranking.observations import Observations, observe
from tests.unit.evidence_builders import ONSET, Ledger, change, deviation, failing_payments


def by_steps(entries: list[LedgerEntry], alert: str) -> Observations:
    observations = Observations(alert)
    for entry in entries:
        observations.add([entry])
    return observations


def test_entries_read_one_by_one_give_the_same_as_all_at_once() -> None:
    entries = failing_payments(change("payments", 2)).entries

    assert by_steps(entries, "errors") == observe(entries, alert="errors")


def test_an_alert_stands_in_for_a_service_only_until_its_health_is_checked() -> None:
    alert = AlertFact(name="HighErrorRate", service="cart", starts_at=ONSET)
    entries = Ledger().alerts(EvidenceFacts(alerts=(alert,))).health("cart", deviation("cart", "latency", 0.1, 2.0)).entries

    assert list(by_steps(entries[:1], "").signals["cart"]) == ["errors"]
    assert list(by_steps(entries, "").signals["cart"]) == ["latency"]


def test_what_the_alert_is_about_is_how_its_service_fails_unless_its_name_is_a_resource() -> None:
    def family(signal: str) -> list[str]:
        moved = deviation("front", signal, 0.01, 0.9, doublings=5, family="saturation")
        return list(observe(Ledger().health("front", moved).entries, alert=signal).signals["front"])

    assert family("insufficient_history_ratio") == ["errors"]
    assert family("memory_used_ratio") == ["saturation"]


def test_what_is_drawn_beside_a_signal_to_compare_it_with_tells_of_nothing_that_happens_now() -> None:
    now, week = (deviation("front", name, 40, 900, doublings=5) for name in ("joins_per_min", "joins_per_min_7d_ago"))

    signals = observe(Ledger().health("front", now, week).entries).signals["front"]
    assert [one.signal for one in signals.values()] == ["joins_per_min"]


def test_a_count_over_the_last_hour_is_a_signal_of_its_own_where_nothing_stands_beside_it() -> None:
    lost = deviation("front", "failed_logins_last_hour", 4, 900, doublings=5)

    observed = observe(Ledger().health("front", lost).entries)

    assert [one.signal for one in observed.signals["front"].values()] == ["failed_logins_last_hour"]
    assert "front" in observed.health_evidence
