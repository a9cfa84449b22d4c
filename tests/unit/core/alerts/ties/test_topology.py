"""Topology: what is declared beside what traces, metrics and past bursts show."""

from typing import Any

from bot.core.alerts.ties.cascades import Cascade
from bot.core.alerts.ties.topology import CallSource, LearnedCall, Topology, TopologyRead, near_by_calls, resolved_calls
from bot.core.service import Catalogue, Service
from tests.unit.builders import NOW, at

CATALOGUE = Catalogue(
    [
        Service(name="web", depends_on=("checkout",)),
        Service(name="checkout", depends_on=("payments",)),
        Service(name="payments"),
        Service(name="redis", match={"service": "redis-master"}),
    ]
)


def call(caller: str, callee: str, reads: int = 3) -> LearnedCall:
    return LearnedCall(CallSource.TRACES, caller, callee, reads, at(-10))


def topology(*calls: LearnedCall, **values: Any) -> Topology:
    return Topology("checkout", CATALOGUE, calls, **{"cascades": (), "reads": (), **values})


def test_a_call_that_was_seen_twice_ties_both_ends_with_its_reason() -> None:
    near = near_by_calls([call("checkout", "redis", 2), call("checkout", "mail", 1)])

    reason = "traces show that checkout calls redis"
    assert near == {"checkout": {"redis": reason}, "redis": {"checkout": reason}}


def test_what_is_called_and_not_declared_is_proposed_as_lines_of_the_file() -> None:
    learned = topology(call("checkout", "redis"), call("checkout", "mail", 1), call("web", "checkout"))

    assert learned.undeclared == ["redis"]
    assert learned.proposal() == "services:\n  checkout:\n    depends_on: [payments, redis]"


def test_a_name_that_yaml_would_misread_is_quoted() -> None:
    assert topology(call("checkout", "mail: [x]")).proposal().endswith('depends_on: [payments, "mail: [x]"]')


def test_what_is_declared_and_never_seen_is_said_only_where_calls_were_seen() -> None:
    assert topology(call("checkout", "redis")).unseen == ["payments"]
    assert topology().unseen == []


def test_where_nothing_differs_nothing_is_proposed() -> None:
    assert topology(call("checkout", "payments")).proposal() == ""


def test_people_read_what_is_declared_what_was_learned_and_what_could_not_be_read() -> None:
    learned = topology(
        call("checkout", "redis"),
        call("checkout", "mail", 1),
        cascades=[Cascade("zookeeper", "checkout", 4, 5), Cascade("n1", "checkout", 2, 4)],
        reads=[TopologyRead(CallSource.METRICS, NOW, 0, "no answer"), TopologyRead(CallSource.TRACES, NOW, 12)],
    )

    assert learned.lines(NOW) == [
        "Declared: checkout depends on payments.",
        "Declared: web depends on checkout.",
        "Learned: checkout calls redis (traces, 3 reads, last 10 min ago).",
        "Learned: checkout calls mail (traces, 1 read, last 10 min ago; seen once, so it groups nothing yet).",
        "Learned: zookeeper alerted in 4 bursts of checkout, of 5 times that it alerted.",
        "Learned: n1 alerted in 2 bursts of checkout, of 4 times that it alerted; too seldom to group by it.",
        "Declared, and not seen so far: payments.",
        "Read: metrics could not be read at 2026-03-01 03:00 UTC: no answer.",
        "Read: traces read at 2026-03-01 03:00 UTC: 12 calls between services.",
    ]


def test_names_of_tracers_become_those_of_the_catalogue() -> None:
    pairs = [("checkout", "redis-master"), ("checkout", "checkout"), ("", "web"), ("checkout", "redis-master")]

    assert resolved_calls(pairs, CATALOGUE, 10) == [("checkout", "redis")]
