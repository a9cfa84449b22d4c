"""Which alerts of a source are the same one: by rules over labels, and for replicas of a source."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.core.config.alerts import SourceConfig
from tests.unit.store.databases import alert


def source(*rules: dict[str, Any], **more: Any) -> SourceConfig:
    return SourceConfig.model_validate({"kind": "alertmanager", "fingerprint": rules, **more})


def identities(config: SourceConfig, *labels: dict[str, str]) -> list[str]:
    alerts = [alert(str(number), name="Crash", labels=one) for number, one in enumerate(labels)]
    return [one.fingerprint for one in config.identified("prod", alerts)]


def test_the_labels_of_a_rule_alone_make_the_identity() -> None:
    first, second, other = identities(
        source({"labels": ["alertname", "namespace"]}),
        {"namespace": "shop", "pod": "a-1"},
        {"namespace": "shop", "pod": "a-2"},
        {"namespace": "mail", "pod": "a-1"},
    )

    assert first == second != other


def test_labels_that_say_who_reports_can_be_left_out() -> None:
    first, second, other = identities(
        source({"without": ["replica"]}),
        {"replica": "a", "pod": "x"},
        {"replica": "b", "pod": "x"},
        {"replica": "a", "pod": "y"},
    )

    assert first == second != other


def test_the_first_rule_that_fits_counts_and_without_one_the_sources_own_identity() -> None:
    rules = source({"match": {"alertname": "Other"}, "labels": ["pod"]}, {"match": {"pod": "a"}, "labels": ["pod"]})

    assert identities(rules, {"pod": "b"}) == ["0"]
    assert identities(rules, {"pod": "a", "zone": "1"}, {"pod": "a", "zone": "2"})[0] != "0"


def test_an_alert_without_any_label_of_a_rule_is_not_thrown_together_with_others() -> None:
    assert identities(source({"labels": ["pod"]}), {"zone": "1"}, {"zone": "2"}) == ["0", "1"]


def test_alerts_of_a_replica_are_those_of_its_original() -> None:
    (one,) = source(replica_of="prod-a").identified("prod-b", [alert("x")])

    assert (one.source, one.fingerprint) == ("prod-a", "x")


@pytest.mark.parametrize("rule", [{}, {"labels": ["a"], "without": ["b"]}])
def test_a_rule_says_either_which_labels_count_or_which_do_not(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="name the labels"):
        source(rule)
