"""More requests as a cause: whose they are, and what behind the service they reach."""

import pytest

from bot.core.evidence import Hypothesis
from bot.core.facts.code import DiffFact, EffectFact
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.recorded import TemplateFact
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, ONSET, Ledger, change, deviation, minutes

DEPLOY = change("front", 9, version="2.0.0")


def surge(*, at_the_door: bool) -> Ledger:
    """Six times the requests of `front`; `at_the_door`: its caller has them too. The store behind it runs full."""
    slow = deviation("front", "latency", 0.06, 3.7, doublings=6, unit="s")
    more = deviation("front", "requests", 190, 1147, doublings=5.8, family="traffic", unit="/s")
    full = deviation("store", "connections_in_use", 44, 163, doublings=4.4, family="saturation")
    ledger = Ledger().health("front", slow, more).graph("front", "store", callers=["edge"]).health("store", full)
    edge_deviation = deviation(
        "edge",
        "requests",
        210,
        1160 if at_the_door else 212,
        doublings=5.8 if at_the_door else 0.0,
        family="traffic",
        unit="/s",
    )
    return ledger.graph("store").graph("edge", "front").health("edge", edge_deviation)


def first_of(ledger: Ledger) -> Hypothesis:
    return rank(CASE, ledger.entries, now=NOW).hypotheses[0]


def test_a_store_that_nobody_counts_the_requests_of_fails_of_those_that_reach_who_uses_it() -> None:
    assert first_of(surge(at_the_door=True)).kind == "traffic"


@pytest.mark.parametrize(("at_the_door", "kind"), [(True, "traffic"), (False, "change")])
def test_a_diff_that_may_bring_requests_about_brings_none_that_came_from_the_callers(at_the_door: bool, kind: str) -> None:
    keys = EffectFact(kind="cache", name="ttl", before="60s", after="3s", path="front/cache.yaml")
    diff = DiffFact(commit="a" * 40, at=ONSET - minutes(60), paths=("front/cache.yaml",), effects=(keys,))
    ledger = surge(at_the_door=at_the_door).changes(DEPLOY)
    ledger.lines("front", TemplateFact(template="cache miss rate high, loading from store", count=40, before=0, trend="new"))
    ledger._add("code_changes", EvidenceFacts(diffs=(diff,), version="2.0.0"), source="github", service="front")

    assert first_of(ledger).kind == kind


def test_no_load_brings_about_what_is_refused() -> None:
    def likelihood(signal: str) -> float:
        errors = deviation("front", signal, 0.002, 0.4, doublings=6, unit="ratio", family="errors")
        rise = deviation("front", "requests", 100, 300, doublings=5, family="traffic", unit="/s")
        case = CASE.model_copy(update={"alert_name": signal})
        ledger = Ledger().health("front", errors, rise).graph("front").changes()
        found = rank(case, ledger.entries, now=NOW).hypotheses
        return next(h.likelihood for h in found if h.kind == "traffic")

    assert likelihood("http_403_ratio") < likelihood("http_503_ratio")


def test_a_few_more_requests_have_not_everything_fail() -> None:
    def likely(failing: float, requests: float = 135) -> bool:
        errors = deviation("front", "errors", 0.002, failing, doublings=6, unit="ratio")
        rise = deviation("front", "requests", 95, requests, doublings=5, family="traffic", unit="/s")
        found = rank(CASE, Ledger().health("front", errors, rise).graph("front").changes().entries, now=NOW).hypotheses
        return next(h.confidence == "likely" for h in found if h.kind == "traffic")

    assert likely(0.3) and likely(0.995, requests=500)
    assert not likely(0.995)
