"""Each kind of fault looks as it should, and what is said to fix it does."""

import pytest

from bot.sandbox.scenarios.catalogue import FAULTS
from bot.sandbox.world.model import World
from tests.unit.sandbox.world.builders import Clock, ask, error_ratio, let_pass, world

SEEDS = range(1, 10)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_has_a_user_visible_symptom_and_an_innocent_newer_deploy(seed: int) -> None:
    shop, clock = world(seed)
    firing = let_pass(shop, clock, 10)
    assert {"critical"} <= {alert.rule.severity for alert in firing} and len(firing) >= 12
    fault, innocent = shop.faults[0], shop.innocent[0]
    assert innocent.service != fault.service and innocent.at <= fault.onset + 5
    assert fault.change is None or innocent.at > fault.change.at


@pytest.mark.parametrize("seed", range(1, 10))
def test_before_the_onset_nothing_fires_but_the_heartbeat(seed: int) -> None:
    shop, clock = world(seed, onset_ago=-600.0)
    # A leak is at more than nine tenths ten minutes before it hits the limit.
    allowed = {"MemoryHigh"} if shop.faults[0].name == "memory-leak" else set()
    assert {alert.rule.name for alert in let_pass(shop, clock, 6)} - allowed == {"Watchdog"}


@pytest.mark.parametrize("seed", range(1, 10))
def test_versions_of_the_innocent_service_do_not_differ(seed: int) -> None:
    shop, clock = world(seed)
    clock.at += 10
    ratios = error_ratio(shop, shop.innocent[0].service, "version")
    assert len(ratios) == 2
    assert max(ratios.values()) - min(ratios.values()) < 0.02


def test_a_bad_deploy_fails_in_its_new_version_only() -> None:
    shop, _ = world(1, fault="bad-deploy")
    change = shop.faults[0].change
    assert change is not None
    ratios = error_ratio(shop, change.service, "version", code="500")
    assert ratios[change.version] > 0.3 and ratios[change.previous_version] < 0.01


def repair(shop: World, action: str) -> None:
    service = shop.faults[-1].service
    operations = shop.jobs.operations
    match action:
        case "rollback":
            operations.rollback(service, {})
        case "restart":
            operations.restart(service)
        case "flag_off":
            operations.flag(service, {"state": "off"})


@pytest.mark.parametrize("name", [name for name, kind in FAULTS.items() if kind.fixed_by])
def test_the_right_action_brings_the_shop_back_within_half_a_minute(name: str) -> None:
    shop, clock = world(3, fault=name)
    assert not shop.state()["healthy"]
    repair(shop, str(FAULTS[name].fixed_by))
    firing = let_pass(shop, clock, 60)
    assert shop.state()["healthy"]
    assert {alert.rule.name for alert in firing} - {"QueueBacklog"} == {"Watchdog"}


@pytest.mark.parametrize("name", [name for name, kind in FAULTS.items() if not kind.fixed_by])
@pytest.mark.parametrize("action", ["rollback", "restart"])
def test_where_no_action_fits_none_helps(name: str, action: str) -> None:
    shop, clock = world(3, fault=name)
    try:
        repair(shop, action)
    except ValueError:
        assert action == "rollback"
    clock.at += 40
    assert error_ratio(shop, "storefront")["storefront"] > 0.03
    assert not shop.state()["healthy"]


def test_rolling_the_innocent_deploy_back_changes_nothing() -> None:
    shop, clock = world(1)
    before = error_ratio(shop, "storefront")["storefront"]
    shop.jobs.operations.rollback(shop.innocent[0].service, {})
    clock.at += 40
    assert error_ratio(shop, "storefront")["storefront"] == pytest.approx(before, rel=0.2)


def test_another_fault_can_be_started_and_healed() -> None:
    shop, clock = world(1)
    shop.break_now("memory-leak", "auth")
    let_pass(shop, clock, 130)
    assert shop.state()["fault"] == "memory-leak" and shop.truth()["root"] == "auth"
    assert max(ask(shop, 'process_resident_memory_bytes{service="auth"} / container_spec_memory_limit_bytes').values()) > 0.9
    shop.heal()
    let_pass(shop, clock, 40)
    assert shop.state()["healthy"]


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("memory-leak", "process_resident_memory_bytes / container_spec_memory_limit_bytes"),
        ("pool-exhaustion", "db_connections_in_use / db_connections_max"),
    ],
)
def test_what_fills_up_slowly_is_seen_to_climb_and_falls_when_it_is_healed(name: str, share: str) -> None:
    shop, clock = world(1)
    shop.break_now(name, "payments")

    def most() -> float:
        return max(ask(shop, f'max({share} and on(service) up{{service="payments"}})').values())

    filled = []
    for _ in range(4):
        clock.at += 30
        shop.now()
        filled.append(most())
    shop.heal()
    clock.at += 10
    shop.now()

    assert filled[0] < filled[1] <= filled[2] and max(filled) > 0.95
    assert most() < 0.7


def test_a_healed_leak_restarts_no_container_any_more() -> None:
    shop, clock = world(3, fault="memory-leak")
    let_pass(shop, clock, 60)
    shop.heal()
    query = "sum(kube_pod_container_status_restarts_total)"
    before = ask(shop, query)
    let_pass(shop, clock, 120)

    assert max(before.values()) > 0 and ask(shop, query) == before


def test_a_fault_is_refused_where_it_cannot_strike() -> None:
    shop, _ = world(1)
    with pytest.raises(ValueError, match="can strike"):
        shop.break_now("provider-outage", "auth")


def test_the_past_does_not_change_when_the_world_goes_on() -> None:
    shop, clock = world(2)
    query = "sum by (service) (rate(http_requests_total[5m] offset 10m))"
    shop.now()
    moment = clock.at
    first = ask(shop, query)
    shop.jobs.operations.rollback(shop.faults[0].service, {})
    let_pass(shop, clock, 60)
    later = ask(shop, f"sum by (service) (rate(http_requests_total[5m] offset {600 + int(clock.at - moment)}s))")
    assert later == pytest.approx(first)


def test_the_same_seed_and_moment_give_the_same_world_in_any_cut() -> None:
    one, one_clock = world(4)
    one_clock.at += 50
    other, other_clock = world(4)
    for _ in range(25):
        other_clock.at += 2
        other.now()
    query = "http_requests_total"
    assert ask(one, query) == pytest.approx(ask(other, query)) and one.truth() == other.truth()


def test_services_roll_by_pods_and_keep_one_old_pod_for_comparison() -> None:
    shop, clock = world(1, fault="bad-deploy", service="payments")
    versions = [pod.version for pod in shop.fleet.alive("payments", clock.at)]
    assert len(versions) == 3 and len(set(versions)) == 2


def test_unknown_faults_are_refused() -> None:
    with pytest.raises(KeyError):
        World(1, fault="earthquake", clock=Clock())


def test_a_rollback_replaces_the_new_pods_and_a_restart_replaces_all() -> None:
    shop, clock = world(1, fault="bad-deploy", service="payments")
    shop.now()
    before = {pod.name for pod in shop.fleet.alive("payments", clock.at)}
    shop.jobs.operations.rollback("payments", {})
    clock.at += 10
    after = shop.fleet.alive("payments", shop.now())
    assert {pod.version for pod in after} == {shop.shop["payments"].version} and len(after) == 3
    shop.jobs.operations.restart("payments")
    clock.at += 10
    assert not before & {pod.name for pod in shop.fleet.alive("payments", shop.now())}


def test_a_fault_beside_another_heals_nothing() -> None:
    shop, clock = world(1)
    first = shop.truth()["root"]
    shop.break_now("flag-flip", "search", beside=True)
    let_pass(shop, clock, 40)
    failing = error_ratio(shop, first)[first], error_ratio(shop, "search")["search"]

    assert shop.truth()["root"] == "search" != first and min(failing) > 0.03
