"""What doctor says of fingerprint rules: whether they fit anything that came."""

from typing import Any

from bot.console.configuration.fingerprints import check_fingerprints
from bot.core.check import Check
from bot.core.config import Config

STORED = [{"alertname": "Crash", "pod": f"a-{n}", "namespace": "shop"} for n in range(3)]


def check(*rules: dict[str, Any], stored: list[dict[str, str]] = STORED) -> Check:
    config = Config.model_validate({"sources": {"am": {"kind": "alertmanager", "fingerprint": rules}}})
    (one,) = check_fingerprints(config, lambda source: stored if source == "am" else [])
    return one


def test_a_rule_says_how_many_alerts_it_makes_one() -> None:
    one = check({"labels": ["alertname", "namespace"]})

    assert (one.state, one.result) == ("ok", "1 rule: 3 alerts of 3 have 1 fingerprint")


def test_a_rule_that_matches_nothing_is_named() -> None:
    one = check({"match": {"alertname": "Crsh"}, "labels": ["namespace"]}, {"labels": ["namespace"]})

    assert one.state == "failed"
    assert one.result == "matches nothing of 3 alerts: rule 1 (alertname=Crsh: labels namespace)"


def test_nothing_stored_is_no_failure() -> None:
    assert check({"labels": ["pod"]}, stored=[]).state == "not set up"


def test_sources_without_rules_have_no_check() -> None:
    assert check_fingerprints(Config.model_validate({"sources": {"am": {"kind": "alertmanager"}}}), lambda _: STORED) == []
