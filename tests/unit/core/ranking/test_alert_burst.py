"""Which component a burst of alerts points at: rarity, onset, kind, and what behaves alike."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.alert import Alert
from bot.core.facts.alerting import BurstFact
from bot.core.ranking.alert_burst import Burst, read_burst
from bot.core.ranking.burst_ranking import rank_burst
from bot.core.service import Catalogue
from tests.unit.builders import NOW

CATALOGUE = Catalogue()


def fires(name: str, seconds: float = 5, **labels: str) -> Alert:
    """An alert so many seconds after NOW (before, in a past burst: it does not matter there)."""
    at = NOW + timedelta(seconds=seconds)
    return Alert(source="prod", fingerprint=f"{name}{labels}", status="firing", name=name, labels=labels, starts_at=at)


def on_pod(number: int, name: str = "ContainerCpuHigh", seconds: float = 5, service: str = "cart") -> Alert:
    return fires(name, seconds, pod=f"{service}-{number}", service=service, node=f"n{number}")


def order(now: list[Alert], *past: list[Alert]) -> list[str]:
    """Component names, the likeliest first."""
    return [s.place.name for s in rank_burst(read_burst(now, past, CATALOGUE), started_at=NOW)]


def test_what_fired_in_every_burst_before_says_less_than_what_never_did() -> None:
    usual, new = fires("ContainerCpuHigh", service="noisy"), fires("ContainerCpuHigh", service="cart")

    assert order([usual, new], *[[usual]] * 6) == ["cart", "noisy"]


def test_without_history_the_earlier_of_two_alike_is_first() -> None:
    assert order([fires("LatencyHigh", 240, service="front"), fires("LatencyHigh", 2, service="db")]) == ["db", "front"]


def test_a_resource_says_more_than_traffic_that_follows_it() -> None:
    assert order([fires("RequestRateHigh", service="front"), fires("MemoryHigh", service="db")]) == ["db", "front"]


def test_less_use_of_a_resource_says_less_than_more_use() -> None:
    fell, rose = fires("memory", service="a", direction="down"), fires("memory", service="b", direction="up")

    assert order([fell, rose]) == ["b", "a"]


def test_a_service_stands_before_its_pods_only_if_they_behave_alike() -> None:
    history = [[on_pod(n, "Other") for n in range(4)], [fires("Other", service="db")]]

    assert order([*(on_pod(n) for n in range(4)), fires("LogLines", service="db")], *history)[0] == "cart"
    assert order([on_pod(2), fires("LogLines", service="db")], *history)[0] == "cart-2"


def test_numbers_in_names_do_not_make_an_alert_new() -> None:
    past = [[fires(f"cpu core {n} busy", service="noisy")] for n in range(6)]

    assert order([fires("cpu core 9 busy", service="noisy"), fires("disk full", service="db")], *past)[0] == "db"


def test_slow_calls_point_at_the_called_one() -> None:
    slow = fires("SlowCalls", client_service="front", server_service="db", operation="query")

    assert order([slow]) == ["db", "front"]


def test_a_host_copies_the_one_pod_on_it_that_fires_alike() -> None:
    host = fires("node memory high", 5, node="n1", job="node-exporter")
    pod = on_pod(1, "container memory high", 5)

    assert order([host, pod]) == ["cart", "cart-1", "n1"]
    assert order([host, fires("LogLines", service="db")])[0] == "n1"


def test_a_fault_that_came_once_before_is_not_less_likely_for_it() -> None:
    fault, noise = fires("disk full", service="db"), fires("RequestRateHigh", service="front")
    quiet = [[fires("Other", service="x")]] * 30

    assert order([fault, noise], [fault], *quiet)[0] == "db"


def test_a_burst_survives_being_stored_as_json() -> None:
    burst = read_burst([on_pod(1), fires("SlowCalls", client_service="a", server_service="b")], [[on_pod(1)]], CATALOGUE)

    assert Burst.of_fact(BurstFact.model_validate_json(burst.as_fact().model_dump_json())) == burst


def test_what_fired_long_ago_is_news_again() -> None:
    quiet = [[fires("Other", -60 * n, service="x")] for n in range(1, 40)]
    old = [[fires("DiskFull", -10_000 - n, service="a")] for n in range(10)]
    new = [[fires("DiskFull", -n, service="b")] for n in range(10)]

    assert order([fires("DiskFull", service="a"), fires("DiskFull", service="b")], *old, *quiet, *new)[0] == "a"


def test_in_which_order_earlier_bursts_are_handed_in_changes_nothing() -> None:
    past = [[fires(name, -60 * n, service="a")] for n, name in enumerate(("Cpu", "Disk", "Cpu", "Slow"), 1)]
    now = [fires("Cpu", service="a"), fires("Disk", service="a")]

    assert read_burst(now, past, CATALOGUE) == read_burst(now, past[::-1], CATALOGUE)


def calls(caller: str, callee: str, name: str = "SlowCalls") -> Alert:
    return fires(name, client_service=caller, server_service=callee, operation="get")


def test_slow_calls_that_one_caller_of_many_sees_are_rather_its_own() -> None:
    all_see_it = [calls(caller, "db") for caller in ("a", "b", "c", "d")]

    assert order(all_see_it[:1], all_see_it) == ["a", "db"]
    assert order(all_see_it, all_see_it)[0] == "db"


def test_a_component_whose_own_calls_fail_fails_because_of_them() -> None:
    failing = [calls("front", "cart", "CallsFailed"), calls("cart", "db", "CallsFailed")]

    assert order(failing)[0] == "db"
    assert order([calls("front", "cart", "CallsFailed"), calls("cart", "db", "SlowCalls")])[0] != "front"


def waits(caller: str, callee: str) -> list[Alert]:
    """The caller's own measure of its calls; the server's own once named who serves them."""
    return [fires("SlowCalls", client_service=caller, server_service=caller, operation=f"get {callee}")]


def serves(caller: str, callee: str) -> Alert:
    return fires("SlowCalls", client_service=caller, server_service=callee, operation=f"get {callee}")


CALLEES = ("cart", "ads", "users")
SERVED = [[serves("front", callee) for callee in CALLEES], [fires("Other", service="x")], [fires("Other", service="x")]]


def test_a_wait_for_one_of_many_callees_points_at_that_callee() -> None:
    assert order(waits("front", "cart"), *SERVED)[0] == "cart"


def test_waits_for_all_callees_point_at_the_caller() -> None:
    assert order([alert for callee in CALLEES for alert in waits("front", callee)], *SERVED)[0] == "front"


def test_four_moderately_rare_kinds_beat_one_rare_alert_on_a_bystander() -> None:
    kinds = ("MemoryHigh", "DiskBusy", "LatencyHigh", "ErrorsHigh")
    sometimes = [[fires(name, -60 * n, service="cart") for name in kinds] for n in range(1, 6)]
    quiet = [[fires("Other", -60 * n, service="x")] for n in range(6, 25)]

    now = [*(fires(name, service="cart") for name in kinds), fires("CpuHigh", service="bystander")]
    assert order(now, *sometimes, *quiet)[0] == "cart"


def test_the_pod_that_took_over_the_traffic_of_a_sibling_is_no_suspect() -> None:
    lost = fires("requests received", pod="cart-1", service="cart", direction="down")
    took = fires("requests received", pod="cart-2", service="cart", direction="up")

    assert "cart-2" not in order([lost, took])


def test_another_new_line_says_little_of_a_component_that_logs_new_lines_all_the_time() -> None:
    chatty = [[fires(f"Log lines: {word}", -60 * n, service="chatty")] for n, word in enumerate("abcdefgh", 1)]
    now = [fires("Log lines: y", service="chatty"), fires("Log lines: z", service="quiet")]

    assert order(now, *chatty) == ["quiet", "chatty"]


def test_two_names_of_one_number_count_once() -> None:
    one, other = fires("memory rss bytes", service="a"), fires("memory rss share", service="a")
    together, apart = [[one, other]], [[one, other], [one]]

    assert [f.what for f in rank_burst(read_burst([one, other], together, CATALOGUE), started_at=NOW)[0].firings] == [one.name]
    assert len(rank_burst(read_burst([one, other], apart, CATALOGUE), started_at=NOW)[0].firings) == 2


def test_facts_of_before_bursts_were_counted_by_age_still_rank() -> None:
    fact = read_burst([on_pod(1), on_pod(2, "MemoryHigh")], [[on_pod(1)]], CATALOGUE).as_fact()
    rows = [{"own": firing.earlier_here, "alike": firing.weighted_alike} for firing in fact.firings]
    kept = {"component", "level", "service", "host", "what", "kind", "role", "weight", "at"}
    firings = [{**firing.model_dump(mode="json", include=kept), **row} for firing, row in zip(fact.firings, rows, strict=True)]
    older = {**fact.model_dump(mode="json", exclude={"weighted_bursts"}), "firings": firings}
    burst = Burst.of_fact(BurstFact.model_validate(older))

    assert burst.weighted_bursts == 1 and [firing.weighted_here for firing in burst.firings] == [1, 0]
    assert [s.place.name for s in rank_burst(burst, started_at=NOW)][:1] == ["cart-2"]


@settings(max_examples=50, deadline=None)
@given(st.permutations([on_pod(n, name, s) for n in range(3) for name, s in (("Cpu", 3), ("Disk", 90), ("Slow", 0))]))
def test_the_order_in_which_alerts_are_read_changes_nothing(alerts: list[Alert]) -> None:
    assert order(alerts) == order(sorted(alerts, key=lambda a: (a.starts_at, a.name, str(a.labels))))


def test_no_alerts_point_nowhere() -> None:
    assert order([]) == []
