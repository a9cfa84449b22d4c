"""The kind of cause, from measurements, log lines and alerts; "nothing is wrong" is one of the answers."""

from datetime import timedelta
from typing import Any

from bot.core.evidence import Findings
from bot.core.facts.alerting import AlertFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import BeyondThresholdFact
from bot.core.facts.recorded import TemplateFact
from bot.core.ranking.ranking import rank
from bot.core.verdict.category import categorize
from bot.core.verdict.category_signs import Category
from bot.core.verdict.verdict import judge
from tests.unit.evidence_builders import CASE, NOW, Ledger, change, deviation

READY = BeyondThresholdFact(signal="ready replicas", text="front ready replicas: 1 [bad below 3]")


def line(text: str, minutes_ago: float = 1) -> TemplateFact:
    return TemplateFact(template=text, count=2, before=0, last=NOW - timedelta(minutes=minutes_ago))


def categorized(ledger: Ledger, **case: Any) -> Findings:
    """The categorized findings; whatever they claim must survive the verdict."""
    case_with = CASE.model_copy(update=case)
    findings = categorize(rank(case_with, ledger.entries, now=NOW), case_with, ledger.entries)
    assert not judge(findings, ledger.entries).dropped
    return findings


def test_a_service_that_shows_nothing_is_healthy_whatever_its_alert_is_called() -> None:
    quiet = Ledger().health("front").lines("front", line("GET /healthz 200"))

    findings = categorized(quiet, alert_name="PodCrashLooping", summary="front-1 is in CrashLoopBackOff")

    assert findings.category == Category.HEALTHY and not findings.hypotheses
    assert findings.because[0].evidence == ["E1"] and findings.note == "1 signal of 1 service stayed within the normal range."


def test_a_service_that_could_not_be_looked_at_is_not_healthy() -> None:
    assert categorized(Ledger().failed("service_health", "no Prometheus", service="front")).category == Category.UNKNOWN


def test_one_of_many_signals_a_little_out_of_range_is_chance() -> None:
    odd = Ledger().health("front", deviation("front", "latency", 1.0, 1.2, doublings=0.4))

    findings = categorized(odd)

    assert findings.category == Category.HEALTHY and {h.confidence for h in findings.hypotheses} <= {"unlikely"}


def test_trouble_that_does_not_come_again_is_over_and_a_named_cause_is_not() -> None:
    over = Ledger().health("front").lines("front", line("Back-off restarting failed container", 12))
    named = Ledger().health("front").lines("front", line("no space left on device", 12))

    assert categorized(over).category == Category.HEALTHY
    assert categorized(named).category == Category.RESOURCE


def test_a_later_line_tells_the_end_of_a_cause() -> None:
    lines = [line("low storage space on front-db", 12), line("storage of front-db was extended, it is available", 3)]

    assert categorized(Ledger().health("front").lines("front", *lines)).category == Category.HEALTHY


def test_the_line_that_names_a_cause_is_quoted_as_it_was_written() -> None:
    written = 'Failed to pull image "front:2.1-bad": manifest unknown'
    kind = line('Failed to pull image "front:<*>-bad": manifest unknown').model_copy(update={"example": written})

    findings = categorized(Ledger().health("front").lines("front", kind))

    assert findings.because[0].text == written and "2.1-bad" in findings.hypotheses[0].cause


def test_another_alert_on_the_service_is_enough_not_to_be_healthy() -> None:
    other = AlertFact(name="ErrorRateHigh", service="front", starts_at=NOW)

    assert categorized(Ledger().health("front").alerts(EvidenceFacts(alerts=(other,)))).category != Category.HEALTHY


def test_lines_lead_where_metrics_rank_nothing() -> None:
    lines = Ledger().health("front").lines("front", line("getaddrinfo ENOTFOUND postgres.production"))

    findings = categorized(lines)

    assert findings.category == Category.CONFIGURATION
    assert "ENOTFOUND" in findings.hypotheses[0].cause and findings.hypotheses[0].confidence == "possible"
    assert findings.note.startswith("Inconclusive")


def test_what_was_logged_outweighs_what_the_alert_is_called() -> None:
    lines = Ledger().health("front").beyond("front", READY).lines("front", line("Failed to pull image: manifest unknown"))

    assert categorized(lines, alert_name="MemoryHigh").category == Category.CONFIGURATION


def test_missing_replicas_alone_are_trouble_of_no_known_kind() -> None:
    findings = categorized(Ledger().health("front").beyond("front", READY))

    assert findings.category == Category.UNKNOWN and findings.hypotheses[0].claims[0].evidence == ["E2"]


def test_a_config_change_that_fits_is_a_configuration_error() -> None:
    ledger = Ledger().health("front", deviation("front", "errors", 0.0, 0.4, doublings=4, unit="ratio")).graph("front")

    assert categorized(ledger.changes(change("front", 1, kind="config"))).category == Category.CONFIGURATION
