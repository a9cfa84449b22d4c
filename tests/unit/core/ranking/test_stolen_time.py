"""Processor time that a host gives to other guests is a cause outside, and no change of who is slowed by it."""

from bot.core.evidence import Hypothesis
from bot.core.metrics.deviation import Deviation
from bot.core.ranking.ranking import rank
from tests.unit.evidence_builders import CASE, NOW, Ledger, change, deviation


def first_cause(stolen: Deviation) -> Hypothesis:
    slow = deviation("front", "latency", 28, 900, doublings=5, unit="ms")
    ledger = (
        Ledger().health("front", slow, stolen).graph("front", "cart").health("cart").changes(change("front", 3, version="2"))
    )
    return rank(CASE, ledger.entries, now=NOW).hypotheses[0]


def steal(signal: str = "cpu_steal_ratio", late: float = -1) -> Deviation:
    return deviation("front", signal, 0.006, 0.37, doublings=6, late=late, family="saturation")


def test_a_host_that_gives_its_time_to_others_goes_before_a_deploy_minutes_before() -> None:
    cause = first_cause(steal())

    assert (cause.kind, cause.change_id) == ("external", "")
    assert cause.cause == "The host of front gives its processor time to other guests"
    assert "front cpu_steal_ratio rose" in cause.claims[0].text


def test_tasks_that_workers_take_from_each_other_and_what_rose_later_are_none() -> None:
    assert first_cause(steal("queue_steals")).change_id
    assert first_cause(steal(late=5)).change_id
