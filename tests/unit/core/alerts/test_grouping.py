"""Which alerts belong together, and why."""

from typing import Any

import pytest

from bot.core.alerts.arrival_rate import UsualDelays
from bot.core.alerts.episodes import LastTime
from bot.core.alerts.grouping import Arrival, GroupingReason, Membership, OpenGroup, Ties, neighbours, place
from bot.core.incident import GroupState
from bot.core.service import Catalogue, Service
from tests.unit.builders import NOW, at

CATALOGUE = Catalogue(
    [
        Service(name="web", depends_on=("checkout", "search")),
        Service(name="checkout", depends_on=("payments",)),
        Service(name="payments"),
        Service(name="search"),
        Service(name="billing"),
    ]
)


def arrival(service: str = "checkout", *, minutes: float = 0, **values: Any) -> Arrival:
    fields = {"source": "prod", "name": "Errors", "fingerprint": "f2", "group_key": "", "labels": {}, **values}
    return Arrival(service=service, at=at(minutes), **fields)


def group(number: int, *members: Arrival, cleared: float | None = None) -> OpenGroup:
    state = GroupState.FIRING if cleared is None else GroupState.MONITORING
    last = max(member.at for member in members)
    open_ = OpenGroup(number, state, NOW, last, cleared_at=None if cleared is None else at(cleared))
    for member in members:
        open_.add(member)
    return open_


def joined(new: Arrival, *groups: OpenGroup) -> int | None:
    placement = place(new, groups, CATALOGUE, Ties(neighbours(new.service, CATALOGUE)), UsualDelays())
    return placement.group.number if placement.group else None


def reason(new: Arrival, *members: Arrival, cleared: float | None = None) -> Membership | None:
    groups = [group(1, *members, cleared=cleared)]
    placement = place(new, groups, CATALOGUE, Ties(neighbours(new.service, CATALOGUE)), UsualDelays())
    return placement.membership if placement.group else None


first = arrival(fingerprint="f1", name="Latency")


def test_alerts_of_one_service_belong_together_with_the_reason() -> None:
    assert reason(arrival(minutes=20), first) == Membership(GroupingReason.SAME_SERVICE, "the same service, checkout")


def test_each_reason_is_named_with_what_it_depends_on() -> None:
    disk = arrival("", fingerprint="f1", name="Disk", labels={"node": "n1", "namespace": "shop"})

    assert reason(arrival(fingerprint="f1", minutes=5), first, cleared=1) == Membership(
        GroupingReason.FIRES_AGAIN, "the same alert fires again"
    )
    assert reason(arrival("payments"), first) == Membership(GroupingReason.RELATED_SERVICE, "checkout depends on payments")
    assert reason(arrival("", name="Load", labels={"node": "n1"}), disk) == Membership(
        GroupingReason.SAME_MACHINE, "the same machine"
    )
    assert reason(arrival("", name="Disk", labels={"node": "n2", "namespace": "shop"}), disk) == Membership(
        GroupingReason.SAME_NAMESPACE, "the same alert in the same namespace"
    )


def test_what_fires_again_joins_the_outage_that_began_since_its_own_card_cleared() -> None:
    over = group(1, first, cleared=1)
    new = OpenGroup(2, GroupState.FIRING, opened_at=at(2), last_alert_at=at(2))
    new.add(arrival(fingerprint="f3", name="Saturation", minutes=2))
    again = arrival(fingerprint="f1", name="Latency", minutes=3)

    assert joined(again, over, new) == 2
    assert joined(again, over) == 1


def test_what_fires_again_keeps_its_card_beside_an_outage_that_stood_already_or_is_of_others() -> None:
    over = group(1, first, cleared=1)
    before = group(2, arrival("payments", fingerprint="f3"))
    stranger = OpenGroup(3, GroupState.FIRING, opened_at=at(2), last_alert_at=at(2))
    stranger.add(arrival("billing", fingerprint="f4", minutes=2))

    assert joined(arrival(fingerprint="f1", name="Latency", minutes=3), over, before, stranger) == 1


def test_a_service_that_was_quiet_for_long_opens_a_new_group() -> None:
    assert joined(arrival(minutes=31), group(1, first)) is None


@pytest.mark.parametrize(
    ("service", "expected"), [("payments", 1), ("web", 1), ("search", None), ("billing", None), ("other", None)]
)
def test_callers_and_callees_belong_together_and_strangers_do_not(service: str, expected: int | None) -> None:
    assert joined(arrival(service, minutes=1), group(1, first)) == expected


def test_siblings_share_what_both_depend_on() -> None:
    catalogue = Catalogue([Service(name="a", depends_on=("db",)), Service(name="b", depends_on=("db",)), Service(name="db")])

    assert neighbours("a", catalogue) == {"b": "a and b depend on db", "db": "a depends on db"}


def test_neighbours_join_only_while_it_is_fresh() -> None:
    assert joined(arrival("payments", minutes=6), group(1, first)) is None


def test_the_sources_key_ties_unknown_services() -> None:
    keyed = arrival("x", fingerprint="f1", group_key="k", name="A")

    assert joined(arrival("y", group_key="k", name="B"), group(1, keyed)) == 1
    assert joined(arrival("y", group_key="k", name="B", source="other"), group(1, keyed)) is None


def test_the_catalogue_knows_better_than_the_sources_key() -> None:
    keyed = arrival("checkout", fingerprint="f1", group_key="k")

    assert joined(arrival("billing", group_key="k"), group(1, keyed)) is None


def test_another_cluster_is_never_the_same_cause() -> None:
    here = arrival(fingerprint="f1", labels={"cluster": "eu"})

    assert joined(arrival(labels={"cluster": "us"}), group(1, here)) is None
    assert joined(arrival(labels={"cluster": "eu"}), group(1, here)) == 1


def test_a_cleared_group_takes_back_its_own_alert_and_nothing_else() -> None:
    cleared = group(1, first, cleared=1)

    assert joined(arrival(fingerprint="f1", minutes=5), cleared) == 1
    assert joined(arrival(fingerprint="f2", minutes=5), cleared) is None
    assert joined(arrival(fingerprint="f1", minutes=32), cleared) is None


def test_without_a_service_the_machine_ties_alerts() -> None:
    disk = arrival("", fingerprint="f1", name="DiskFull", labels={"instance": "10.0.0.1:9100"})

    assert joined(arrival("", name="LoadHigh", labels={"instance": "10.0.0.1:8080"}), group(1, disk)) == 1
    assert joined(arrival("", name="LoadHigh", labels={"instance": "10.0.0.2:9100"}), group(1, disk)) is None


def test_what_a_machine_exporter_reports_is_tied_to_what_runs_on_that_machine() -> None:
    disk = arrival("web-3", fingerprint="f1", name="DiskFull", labels={"job": "node", "instance": "web-3:9100"})

    assert joined(arrival("cart", labels={"node": "web-3"}), group(1, disk)) == 1
    assert joined(arrival("cart", labels={"node": "web-4"}), group(1, disk)) is None


def test_two_machines_of_one_network_are_two_machines() -> None:
    disk = arrival("", fingerprint="f1", name="DiskFull", labels={"instance": "2001:db8::1"})

    assert joined(arrival("", name="LoadHigh", labels={"instance": "[2001:db8::1]:8080"}), group(1, disk)) == 1
    assert joined(arrival("", name="LoadHigh", labels={"instance": "2001:db8::2"}), group(1, disk)) is None


def test_the_stronger_reason_wins_then_the_newer_group() -> None:
    same_signal = group(1, arrival(fingerprint="f2", minutes=-9))
    same_service = group(2, arrival(fingerprint="f3", minutes=-1))

    assert joined(arrival(), same_service, same_signal) == 1
    assert joined(arrival(fingerprint="new"), same_service, same_signal) == 2


def test_services_that_call_each_other_in_a_circle_are_neighbours_once() -> None:
    circle = Catalogue([Service(name="a", depends_on=("b",)), Service(name="b", depends_on=("a",))])

    assert set(neighbours("a", circle)) == {"b"}


def declared(service: str, *, cleared: float | None = None) -> OpenGroup:
    state = GroupState.FIRING if cleared is None else GroupState.MONITORING
    open_ = OpenGroup(1, state, NOW, NOW, cleared_at=None if cleared is None else at(cleared))
    open_.declare(service)
    return open_


def test_alerts_of_the_service_join_the_incident_that_a_person_declared_however_late() -> None:
    placement = place(arrival("checkout", minutes=300), [declared("checkout")], CATALOGUE, Ties({}), UsualDelays())

    assert placement.group and placement.membership == Membership(
        GroupingReason.DECLARED_INCIDENT, "an incident of checkout was declared"
    )


def test_alerts_of_others_and_of_another_installation_do_not_join_a_declared_incident() -> None:
    assert joined(arrival("billing"), declared("checkout")) is None
    assert joined(arrival("payments", minutes=20), declared("checkout")) is None
    assert joined(arrival("checkout", minutes=5), declared("checkout", cleared=1)) is None


def many(count: int, service: str = "checkout", *, seconds: float = 1) -> OpenGroup:
    """A group of alerts that came one after the other."""
    return group(1, *(arrival(service, fingerprint=f"m{n}", minutes=n * seconds / 60) for n in range(count)))


def test_a_burst_keeps_a_late_alert_of_its_service_and_says_why() -> None:
    placement = place(arrival(minutes=3), [many(20)], CATALOGUE, Ties({}), UsualDelays())

    assert placement.group and placement.membership.reason is GroupingReason.SAME_BURST


def many_that_fired(count: int = 20, *, still: int) -> OpenGroup:
    """A group of alerts that came ten a second; of these so many still fire, half a minute later."""
    old = many(count, seconds=0.1)
    for running in range(count, still - 1, -1):
        old.set_running(running, at(0.5).timestamp())
    return old


def places_of(old: OpenGroup, *new: Arrival) -> list[tuple[int | None, GroupingReason]]:
    """Where the alerts of an outage belong that begins minutes after, and why; without repetition."""
    found = []
    for one in new:
        placement = place(one, [old], CATALOGUE, Ties({}), UsualDelays())
        found.append((placement.group.number if placement.group else None, placement.membership.reason))
        if placement.group:
            old.add(one)
            old.set_running(old.running + 1, one.at.timestamp())
    return list(dict.fromkeys(found))


def fresh(count: int = 40, *, minutes: float = 4) -> list[Arrival]:
    """Alerts that never fired before, ten a second."""
    return [arrival(fingerprint=f"n{n}", minutes=minutes + n / 600) for n in range(count)]


def returning(*minutes: float) -> list[Arrival]:
    """Alerts of the group that had resolved and fire again."""
    return [arrival(fingerprint=f"m{n}", minutes=minute, last=LastTime(1, returns=True)) for n, minute in enumerate(minutes)]


STAYS, LEAVES = (1, GroupingReason.NEXT_BURST), (None, GroupingReason.NEW_BURST)


@pytest.mark.parametrize(
    ("again", "place_of_burst"),
    [((4, 4, 4), STAYS), ((3.9, 4), STAYS), ((), LEAVES), ((4,), LEAVES), ((2, 3, 4), LEAVES)],
    ids=["three at once", "two within seconds", "none", "one", "three, a minute apart"],
)
def test_an_outage_that_begins_with_several_alerts_that_fire_again_in_a_group_is_its_next_one(
    again: tuple[float, ...], place_of_burst: tuple[int | None, GroupingReason]
) -> None:
    found = places_of(many_that_fired(still=20), *returning(*again), *fresh())

    assert place_of_burst in found and ({STAYS, LEAVES} - {place_of_burst}).isdisjoint(found)


@pytest.mark.parametrize(("still", "place_of_burst"), [(3, STAYS), (10, LEAVES), (20, LEAVES)])
def test_an_outage_that_begins_in_a_group_whose_outage_is_over_is_its_next_one(
    still: int, place_of_burst: tuple[int | None, GroupingReason]
) -> None:
    found = places_of(many_that_fired(still=still), *fresh())

    assert place_of_burst in found and ({STAYS, LEAVES} - {place_of_burst}).isdisjoint(found)


def test_what_fired_in_outages_long_over_makes_the_present_one_of_a_group_not_over() -> None:
    old = many_that_fired(still=0)
    places_of(old, *fresh(20))
    old.set_running(20, at(5).timestamp())

    assert LEAVES in places_of(old, *(arrival(fingerprint=f"o{n}", minutes=8 + n / 600) for n in range(40)))


def test_that_a_larger_outage_of_its_card_is_over_makes_the_present_one_not_over() -> None:
    old = many_that_fired(60, still=0)
    places_of(old, *fresh(40))
    old.set_running(12, at(6).timestamp())

    assert LEAVES in places_of(old, *(arrival(fingerprint=f"o{n}", minutes=8 + n / 600) for n in range(40)))


def test_a_stranger_never_joins_a_burst() -> None:
    assert joined(arrival("billing", minutes=0.2), many(20)) is None


def test_what_flaps_goes_back_to_its_group_however_fast_alerts_come() -> None:
    flapping = arrival(fingerprint="m1", minutes=0.5, last=LastTime(1, returns=True, flaps_rapidly=True))

    placement = place(flapping, [many(20)], CATALOGUE, Ties({}), UsualDelays())

    assert placement.group and placement.membership.reason is GroupingReason.FLAPPING


def test_a_host_belongs_to_what_runs_on_it_and_two_services_of_one_host_do_not_belong_together() -> None:
    pod = arrival(fingerprint="f1", labels={"node": "n1"})

    assert joined(arrival("", labels={"node": "n1"}), group(1, pod)) == 1
    assert joined(arrival("billing", labels={"node": "n1"}), group(1, pod)) is None


def test_a_cleared_group_leaves_an_alert_to_the_group_where_it_fired_since() -> None:
    cleared = group(1, first, cleared=1)

    assert joined(arrival(fingerprint="f1", minutes=5, last=LastTime(2)), cleared) is None
    assert joined(arrival(fingerprint="f1", minutes=5, last=LastTime(1)), cleared) == 1


@pytest.mark.parametrize(("minutes", "state"), [(4, GroupingReason.BY_RULE), (6, None)])
def test_a_rule_of_a_person_ties_what_the_graph_does_not_while_the_group_is_fresh(
    minutes: float, state: GroupingReason | None
) -> None:
    ties = Ties({}, {1: "rule GR-1 of alice: alerts of billing with alerts of checkout"})

    placement = place(arrival("billing", minutes=minutes), [group(1, first)], CATALOGUE, ties, UsualDelays())

    assert (placement.membership.reason if placement.group else None) is state
