"""Sorting: episodes in any order and number, groups that open, join, clear and fire again, backlogs, heartbeats, storms."""

import asyncio
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.alert import Alert, Severity
from bot.core.config import Config
from bot.core.config.alerts import Inhibition, Maintenance, Threshold
from bot.store import audit
from bot.store.alerts.groups import end_flapping, end_storms, give_card
from bot.store.alerts.sorting.sorter import MAX_OPENED
from bot.store.incidents import incidents
from bot.store.slack.withheld import WithheldMessages
from bot.store.tables import AuditRow, GroupRow, HeartbeatRow, IncidentRow, MessageRow, TriageRow
from bot.store.triage.triage import Triages
from tests.unit.builders import NOW, at
from tests.unit.store.databases import Clock, SortingFixture, alert, open_database


def configured(sorting: SortingFixture, **values: object) -> SortingFixture:
    return SortingFixture(sorting.db, sorting.clock, Config.model_validate({"default_channel": "C0", **values}))


# ---------------------------------------------------------------- episodes


HISTORY = [
    alert("a", start=-40),  # nobody tells its end: it ended at the latest when the next one began
    alert("a", start=-30), alert("a", "resolved", start=-30, ends_at=at(-25)),
    alert("a", start=-20), alert("a", "resolved", start=-20, ends_at=at(-12)),
    alert("a", start=-10),
    alert("b", start=-28), alert("b", "resolved", start=-28, ends_at=at(-1)),
]  # fmt: skip
EXPECTED = [
    ("a", -40, "resolved", -30),
    ("a", -30, "resolved", -25),
    ("a", -20, "resolved", -12),
    ("a", -10, "firing", None),
    ("b", -28, "resolved", -1),
]


def minutes(moment: datetime | None) -> int | None:
    return None if moment is None else round((moment - NOW) / timedelta(minutes=1))


async def end_states(batches: list[list[Alert]]) -> list[tuple[str, int | None, str, int | None]]:
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        db = await open_database(Path(folder), clock)
        sorting = SortingFixture(db, clock)
        await sorting.connect()
        for batch in batches:
            await sorting.receive(*batch)
        found = [(e.fingerprint, minutes(e.starts_at), e.status, minutes(e.ended_at)) for e in await sorting.episodes()]
        firing = {group.id: group.firing for group in await sorting.groups()}
        members = [e.group_id for e in await sorting.episodes() if e.status == "firing"]
        await db.close()
    assert all(count == members.count(id) for id, count in firing.items())
    return sorted(found, key=str)


@settings(max_examples=25, deadline=None)
@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=6), st.integers(1, 14))
def test_any_order_and_number_of_copies_ends_in_the_same_episodes(order: list[Alert], copies: list[Alert], size: int) -> None:
    told = [*copies, *order]
    batches = [told[start : start + size] for start in range(0, len(told), size)]

    assert asyncio.run(end_states(batches)) == sorted(EXPECTED, key=str)


async def test_a_late_resolve_never_closes_a_newer_episode(sorting: SortingFixture) -> None:
    await sorting.receive(alert(start=-20), alert(start=-5))
    await sorting.receive(alert("a", "resolved", start=-20, ends_at=at(-1)))

    assert [e.status for e in await sorting.episodes()] == ["resolved", "firing"]
    assert [group.firing for group in await sorting.groups()] == [1]


async def test_repeats_are_counted_and_show_nothing_new(sorting: SortingFixture) -> None:
    await sorting.receive(alert())
    before = await sorting.rows(MessageRow)
    await sorting.receive(alert(), alert())

    assert [group.repeats for group in await sorting.groups()] == [2]
    assert [row.wanted_rev for row in await sorting.rows(MessageRow)] == [row.wanted_rev for row in before]


async def test_an_alert_that_was_never_seen_firing_and_ended_before_it_began_lasted_no_time(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", "resolved", start=-20, ends_at=at(-30)))

    assert [(minutes(e.starts_at), minutes(e.ended_at)) for e in await sorting.episodes()] == [(-20, -20)]


@pytest.mark.parametrize(("ahead", "ended"), [(9, 9), (600, 0)])
async def test_an_end_is_at_most_as_far_ahead_as_clocks_differ(sorting: SortingFixture, ahead: float, ended: float) -> None:
    await sorting.receive(alert("a"))

    await sorting.receive(alert("a", "resolved", ends_at=at(ahead)))

    assert [episode.ended_at for episode in await sorting.episodes()] == [at(ended)]


async def test_the_end_that_a_late_recovery_tells_counts_though_it_tells_no_start(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", start=-30))
    await sorting.receive(alert("a", "resolved", ends_at=at(-10)).model_copy(update={"starts_at": sorting.clock()}))

    assert [(e.status, minutes(e.ended_at)) for e in await sorting.episodes()] == [("resolved", -10)]


async def test_an_alert_whose_start_is_not_told_is_resolved_by_the_next_delivery(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a").model_copy(update={"starts_at": sorting.clock()}))
    sorting.clock.forward(3)
    await sorting.receive(alert("a", "resolved").model_copy(update={"starts_at": sorting.clock()}))

    assert [(e.status, minutes(e.ended_at)) for e in await sorting.episodes()] == [("resolved", 3)]


# ---------------------------------------------------------------- groups


async def test_alerts_of_one_cause_are_one_group_with_one_card(sorting: SortingFixture) -> None:
    results = await sorting.receive(*(alert(f"f{n}") for n in range(60)))

    assert [(group.alerts, group.firing, group.channel) for group in await sorting.groups()] == [(60, 60, "C1")]
    assert [row.key for row in await sorting.rows(MessageRow)] == ["card:AL-1"]
    assert results[0].triages == [("AL-1", 1)]


async def test_clearing_waits_for_the_last_alert(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b"))
    await sorting.receive(alert("a", "resolved"))
    still = (await sorting.groups())[0].state
    await sorting.receive(alert("b", "resolved"))

    assert [still, (await sorting.groups())[0].state] == ["FIRING", "MONITORING"]


async def test_firing_again_after_clearing_reopens_the_group_and_its_incident(sorting: SortingFixture) -> None:
    await sorting.receive(alert(start=-5))
    await sorting.receive(alert(status="resolved", start=-5, ends_at=at(0)))
    sorting.clock.forward(2)
    await sorting.receive(alert(start=1))

    (group,) = await sorting.groups()
    assert (group.state, group.reopened, group.firing) == ("FIRING", 1, 1)
    assert [row.state for row in await sorting.rows(IncidentRow)] == ["OPEN"]


async def test_a_group_that_cleared_long_ago_swallows_nothing(sorting: SortingFixture) -> None:
    await sorting.receive(alert(start=-5))
    await sorting.receive(alert(status="resolved", start=-5, ends_at=at(0)))
    sorting.clock.forward(31)
    await sorting.receive(alert(start=31))

    assert [(group.id, group.state, group.previous_id) for group in await sorting.groups()] == [
        (1, "MONITORING", None), (2, "FIRING", 1),
    ]  # fmt: skip


async def test_a_resolved_group_swallows_nothing(sorting: SortingFixture) -> None:
    await sorting.receive(alert(start=-5))
    await incidents.resolve(sorting.db, "AL-1", "alice")
    await sorting.receive(alert(start=-1))

    assert [group.state for group in await sorting.groups()] == ["RESOLVED", "FIRING"]


async def test_a_worse_alert_raises_the_group_and_declares_once(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", severity="warning"))
    results = await sorting.receive(alert("b", severity="critical", name="Down"), alert("c", severity="critical"))

    (group,) = await sorting.groups()
    assert (group.severity, group.title) == ("SEV2", "Down")
    assert [row.severity for row in await sorting.rows(IncidentRow)] == ["SEV2"]
    assert results[0].triages == [("AL-1", 2)]


async def test_the_same_alert_may_become_worse(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", severity="warning"))
    await sorting.receive(alert("a", severity="critical"))

    assert [group.severity for group in await sorting.groups()] == ["SEV2"]


async def test_services_that_call_each_other_share_a_group_and_strangers_do_not(sorting: SortingFixture) -> None:
    payments, search = {"service": "payments"}, {"service": "search"}
    await sorting.receive(alert("a"), alert("b", labels=payments), alert("c", labels=search))

    assert [(group.service, group.alerts) for group in await sorting.groups()] == [("checkout", 2), ("search", 1)]


async def test_why_each_alert_belongs_to_its_group_is_kept_with_it(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a"), alert("b"), alert("c", labels={"service": "payments"}))

    assert {(e.fingerprint, e.grouping_reason, e.grouping_text) for e in await sorting.episodes()} == {
        ("a", "opened_group", "it opened the group"),
        ("b", "same_service", "the same service, checkout"),
        ("c", "related_service", "checkout depends on payments"),
    }


# ---------------------------------------------------------------- muting


async def test_severity_none_and_info_are_kept_and_never_shown(sorting: SortingFixture) -> None:
    await sorting.receive(alert("a", severity="none"), alert("b", severity="info"))

    assert [e.muted_by for e in await sorting.episodes()] == ["severity none", "severity none"]
    assert await sorting.groups() == []


async def test_an_alert_that_still_fires_after_the_maintenance_comes_through(sorting: SortingFixture) -> None:
    window = Maintenance(match={"service": "checkout"}, starts=at(-10), ends=at(10), reason="upgrade")
    sorting = configured(sorting, maintenance=(window,))
    await sorting.receive(alert())
    muted = (await sorting.episodes())[0].muted_by
    sorting.clock.forward(15)
    await sorting.receive(alert())

    assert muted == "maintenance: upgrade"
    assert [group.firing for group in await sorting.groups()] == [1]


async def test_an_alert_is_inhibited_by_one_that_came_earlier_until_that_ends(sorting: SortingFixture) -> None:
    rule = Inhibition(source={"alertname": "NodeDown"}, target={"alertname": "PodDown"}, equal=("node",))
    sorting = configured(sorting, inhibitions=(rule,))
    await sorting.receive(alert("n", name="NodeDown", labels={"node": "n1"}))
    await sorting.receive(alert("p", name="PodDown", labels={"node": "n1"}), alert("q", name="PodDown", labels={"node": "n2"}))
    muted = {e.fingerprint: e.muted_by for e in await sorting.episodes()}
    await sorting.receive(alert("n", "resolved", name="NodeDown", labels={"node": "n1"}))
    await sorting.receive(alert("p", name="PodDown", labels={"node": "n1"}))

    assert muted == {"n": "", "p": "inhibited by NodeDown", "q": ""}
    assert {e.fingerprint: e.muted_by for e in await sorting.episodes()}["p"] == ""


async def test_a_threshold_lets_the_third_episode_through(sorting: SortingFixture) -> None:
    sorting = configured(sorting, thresholds=(Threshold(match={"service": "checkout"}, count=3, window=timedelta(hours=1)),))
    for start in (-9, -6, -3):
        await sorting.receive(alert(start=start))

    assert [e.muted_by for e in await sorting.episodes()] == ["threshold 1 of 3", "threshold 2 of 3", ""]


async def test_alerts_that_fired_long_before_the_first_connect_become_one_backlog_summary(tmp_path: Path) -> None:
    clock = Clock()
    sorting = SortingFixture(await open_database(tmp_path, clock), clock)
    await sorting.receive(*(alert(f"old{n}", start=-600) for n in range(20)), alert("new", start=-1))
    await sorting.receive(*(alert(f"old{n}", start=-600) for n in range(20)))

    assert sorted(row.key for row in await sorting.rows(MessageRow)) == ["card:AL-1", "digest:prod"]
    assert [group.alerts for group in await sorting.groups()] == [1]
    await sorting.db.close()


async def test_a_heartbeat_is_noted_and_opens_nothing(sorting: SortingFixture) -> None:
    await sorting.receive(alert("w", name="Watchdog", severity="none"))
    sorting.clock.forward(4)
    await sorting.receive(alert("w", name="Watchdog", severity="none"))

    assert [(row.key, row.last_seen_at) for row in await sorting.rows(HeartbeatRow)] == [("prod:Watchdog", at(4))]
    assert await sorting.groups() == []


# ---------------------------------------------------------------- storms


async def test_from_the_sixth_new_group_of_a_minute_on_they_stand_on_a_storm_card(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(8)))

    assert [bool(group.on_storm_card) for group in await sorting.groups()] == [False] * 5 + [True] * 3
    assert len({group.on_storm_card for group in await sorting.groups() if group.on_storm_card}) == 1


async def test_a_service_that_reaches_a_storm_after_its_card_was_posted_has_its_on_call_told_once(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(7)))
    async with sorting.db.write() as session:
        (storm,) = [row for row in await sorting.rows(MessageRow) if row.kind == "storm"]
        storm.ts, storm.sent_rev = "1.0", 1
        session.add(await session.merge(storm))

    await sorting.receive(*(alert(f"late{n}", labels={"service": name}) for n, name in enumerate(("s6", "s9", "s9"))))
    await sorting.receive(alert("mild", severity="warning", labels={"service": "s11"}))

    raised = [row for row in await sorting.rows(MessageRow) if row.kind == "raised"]
    assert [(row.subject, row.thread_key) for row in raised] == [("AL-8", storm.key)]


async def test_a_bad_alert_of_another_source_has_a_card_of_its_own_in_a_flooded_channel(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(8)))

    await sorting.receive(*(alert(f, source="other", severity=f, labels={"service": f}) for f in ("critical", "warning")))

    assert [(group.service, bool(group.on_storm_card)) for group in (await sorting.groups())[8:]] == [
        ("critical", False),
        ("warning", True),
    ]


async def test_a_storm_of_two_sources_in_one_channel_is_two_storm_cards(sorting: SortingFixture) -> None:
    for source in ("prod", "other"):
        await sorting.receive(*(alert(f"f{n}", source=source, labels={"service": f"{source}-{n}"}) for n in range(7)))

    cards = [group.on_storm_card for group in await sorting.groups()]
    assert cards[5] == cards[6] and cards[12] == cards[13]
    assert len({*cards} - {""}) == 2


async def test_ten_thousand_alerts_of_one_cause_are_one_group(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", severity="warning") for n in range(10_000)))

    assert [(group.alerts, group.firing) for group in await sorting.groups()] == [(10_000, 10_000)]
    assert [row.kind for row in await sorting.rows(MessageRow)] == ["card"]


async def test_a_batch_opens_few_groups_and_the_next_one_goes_on_where_it_ended(sorting: SortingFixture) -> None:
    await sorting.receive(alert("known"))
    new = [alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(MAX_OPENED + 2)]

    # A repeat before the cut, one behind it, and one behind all.
    first, second = await sorting.receive(*new[:3], alert("known"), *new[3:-1], alert("known"), new[-1], alert("known"))

    assert [(one.opened, len(one.triages), one.more) for one in (first, second)] == [
        (MAX_OPENED, MAX_OPENED, True),
        (2, 2, False),
    ]
    assert [group.repeats for group in await sorting.groups()] == [3] + [0] * len(new)
    assert await sorting.inbox.take(1000) is None


async def test_a_storm_card_is_wanted_anew_once_a_batch(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(8)))
    await sorting.receive(*(alert(f"g{n}", labels={"service": f"t{n}"}) for n in range(4)))

    storms = [row.wanted_rev for row in await sorting.rows(MessageRow) if row.kind == "storm"]
    assert (storms, {group.rev for group in await sorting.groups()}) == ([2], {2})


async def test_the_audit_of_many_incidents_of_one_batch_is_one_chain(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(4)))

    assert await audit.verify(sorting.db) is None
    assert [row.subject for row in await sorting.rows(AuditRow)] == [f"INC-{n}" for n in range(1, 5)]


async def test_two_beats_of_one_rule_in_one_batch_are_one_heartbeat(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"w{n}", name="Watchdog", severity="none") for n in range(2)))

    assert len(await sorting.rows(HeartbeatRow)) == 1


async def test_the_same_rule_of_two_clusters_is_two_heartbeats_and_the_end_of_one_is_no_end_of_the_other(
    sorting: SortingFixture,
) -> None:
    def watchdog(cluster: str, status: str = "firing") -> Alert:
        return alert(cluster, status, name="Watchdog", severity="none", labels={"cluster": cluster})

    await sorting.receive(watchdog("eu"), watchdog("us"))
    await sorting.receive(watchdog("us", "resolved"))

    heartbeats = {row.key: row.missed for row in await sorting.rows(HeartbeatRow)}
    assert heartbeats == {"prod:Watchdog{cluster=eu}": False, "prod:Watchdog{cluster=us}": True}


async def test_a_heartbeat_that_was_noted_without_its_cluster_is_not_missed(sorting: SortingFixture) -> None:
    await sorting.receive(alert("w", name="Watchdog", severity="none"))

    await sorting.receive(alert("w", name="Watchdog", severity="none", labels={"cluster": "eu"}))

    assert [row.key for row in await sorting.rows(HeartbeatRow)] == ["prod:Watchdog{cluster=eu}"]


# ---------------------------------------------------------------- declared incidents


async def declare(sorting: SortingFixture, service: str) -> str:
    incident = await incidents.declare(
        sorting.db, title="Nobody can pay", severity=Severity.SEV2, service=service, channel="C0", by="alice"
    )
    return incident.ref


async def test_alerts_of_a_declared_incident_s_service_join_it_and_count_towards_no_storm(sorting: SortingFixture) -> None:
    await declare(sorting, "checkout")
    sorting.clock.forward(minutes=90)

    results = await sorting.receive(*(alert(f"f{n}", start=-1) for n in range(7)))

    (group,) = await sorting.groups()
    assert (group.alerts, group.firing, group.title, group.on_storm_card) == (7, 7, "Nobody can pay", "")
    assert {(e.grouping_reason, e.grouping_text) for e in await sorting.episodes()} == {
        ("declared_incident", "an incident of checkout was declared")
    }
    assert len(await sorting.rows(IncidentRow)) == 1
    assert [triage for result in results for triage in result.triages] == [(f"AL-{group.id}", 2)]


async def test_the_first_alert_of_a_declared_incident_is_investigated_also_where_people_investigated_before(
    sorting: SortingFixture,
) -> None:
    await declare(sorting, "checkout")
    (group,) = await sorting.groups()
    async with sorting.db.write() as session:
        for attempt in (1, 2):
            session.add(TriageRow(group_id=group.id, attempt=attempt, state="done", started_at=sorting.clock()))

    results = await sorting.receive(alert("f1", start=-1))

    assert [triage for result in results for triage in result.triages] == [(f"AL-{group.id}", 3)]


async def test_a_declared_incident_takes_no_alert_once_it_is_resolved(sorting: SortingFixture) -> None:
    ref = await declare(sorting, "checkout")
    await incidents.resolve(sorting.db, ref, "alice")

    await sorting.receive(alert("f1", start=-1))

    assert [group.alerts for group in await sorting.groups()] == [0, 1]


SEVERE = Config(default_channel="C0")


async def test_a_group_that_gets_worse_while_its_card_is_kept_back_has_its_on_call_called_again(
    sorting: SortingFixture,
) -> None:
    await sorting.receive(alert("mild", severity="warning"))
    card = next(row for row in await sorting.rows(MessageRow) if row.key == "card:AL-1")
    await WithheldMessages(sorting.db).withhold(card, None, "is_archived", notice_in="C0", retry_in=timedelta(minutes=5))

    await sorting.receive(alert("bad"))

    assert "raised:AL-1" in {row.key for row in await sorting.rows(MessageRow)}


async def test_what_stands_on_a_storm_card_is_no_incident_of_its_own(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(12)))

    groups = await sorting.groups()
    assert [group.incident_id is not None for group in groups] == [True] * 5 + [False] * 7
    assert all(group.mentioned_at for group in groups)


async def test_of_a_storm_that_is_over_the_few_that_still_fire_get_cards_and_incidents(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(12)))
    sorting.clock.forward(30)
    await sorting.receive(*(alert(f"f{n}", "resolved", labels={"service": f"s{n}"}) for n in range(10)))
    sorting.clock.forward(120)
    await end_storms(sorting.db, SEVERE)

    assert [bool(group.on_storm_card) for group in await sorting.groups()] == [False] * 5 + [True] * 5 + [False] * 2
    assert [group.incident_id is not None for group in await sorting.groups()] == [True] * 5 + [False] * 5 + [True] * 2


async def test_a_storm_of_which_much_still_fires_stays_on_its_card(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(12)))
    sorting.clock.forward(120)
    await end_storms(sorting.db, SEVERE)

    assert sum(bool(group.on_storm_card) for group in await sorting.groups()) == 7


async def test_whoever_opens_a_group_of_a_storm_makes_it_an_incident_with_its_causes(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(8)))
    triages = Triages(sorting.db)
    await triages.open("AL-7", 1, "", "")
    assert "triage:AL-7" not in {row.key for row in await sorting.rows(MessageRow)}

    assert await give_card(sorting.db, "AL-7", SEVERE)

    threads = {row.key: row.thread_key for row in await sorting.rows(MessageRow)}
    assert threads["triage:AL-7"] == "card:AL-7" and "card:AL-7" in threads
    assert (await sorting.groups())[6].incident_id


async def test_whoever_asks_about_a_group_of_a_storm_gets_the_answer_in_the_storms_thread(sorting: SortingFixture) -> None:
    await sorting.receive(*(alert(f"f{n}", labels={"service": f"s{n}"}) for n in range(8)))
    await Triages(sorting.db).open("AL-7", 1, "", "alice")

    (triage,) = [row for row in await sorting.rows(MessageRow) if row.kind == "triage"]
    assert triage.thread_key.startswith("storm:")


async def outages(sorting: SortingFixture) -> list[int]:
    """An outage whose alerts come ever more slowly, and minutes later a second one of its service; alerts of each group."""
    slowing = [(f"first {n}", n * n / 4) for n in range(16)]
    for name, seconds in (*slowing, *((f"second {n}", 150 + n / 5) for n in range(24))):
        sorting.clock.now = NOW + timedelta(seconds=seconds)
        await sorting.receive(alert(name, severity="warning", start=seconds / 60 - 0.001))
    return [group.alerts for group in await sorting.groups()]


async def test_a_second_outage_of_a_service_has_a_group_of_its_own_and_says_why(sorting: SortingFixture) -> None:
    first, second = await outages(sorting)

    assert first >= 16 and second >= 12 and first + second == 40
    reasons = {episode.grouping_reason for episode in await sorting.episodes()}
    assert {"opened_group", "same_service", "same_burst", "new_burst"} == reasons


async def test_a_restart_in_the_middle_of_a_burst_knows_it_as_one(sorting: SortingFixture) -> None:
    await outages(sorting)
    sorting.inbox.sorter.reset()

    await sorting.receive(alert("late", severity="warning", start=2.6))

    late = next(episode for episode in await sorting.episodes() if episode.fingerprint == "late")
    assert late.grouping_reason == "same_burst"


async def test_two_alertmanagers_that_send_the_same_alerts_are_one_group_and_one_alert(sorting: SortingFixture) -> None:
    sorting.inbox.sorter.config = Config.model_validate(
        {
            "default_channel": "C0",
            "sources": {"prod": {"kind": "alertmanager"}, "b": {"kind": "alertmanager", "replica_of": "prod"}},
        }
    )
    seen_later = {"start": -0.75}

    await sorting.receive(alert("a"), alert("a", **seen_later))
    await sorting.receive(alert("a"), alert("a", **seen_later))
    assert [(group.alerts, group.firing, group.repeats) for group in await sorting.groups()] == [(1, 1, 3)]

    await sorting.receive(alert("a", "resolved"))
    await sorting.receive(alert("a", **seen_later), alert("a", "resolved", **seen_later))
    assert [(group.state, group.alerts, group.reopened) for group in await sorting.groups()] == [("MONITORING", 1, 0)]


async def fires_and_resolves(sorting: SortingFixture, times: int, every: float = 2) -> None:
    """One alert, again and again; the last time it goes on."""
    for number in range(times):
        start = number * every
        await sorting.receive(alert("f", start=start, starts_at=at(start)))
        if number < times - 1:
            sorting.clock.forward(every / 2)
            await sorting.receive(alert("f", "resolved", starts_at=at(start), ends_at=at(start + every / 2)))
            sorting.clock.forward(every / 2)


async def test_a_flapping_alert_is_marked_and_its_pauses_do_not_clear_the_card(sorting: SortingFixture) -> None:
    await fires_and_resolves(sorting, 5, every=1)
    (group,) = await sorting.groups()
    assert (group.flapping, group.state) == ("Alert f of checkout fired 5 times within 4 min", "FIRING")

    sorting.clock.forward(0.5)
    await sorting.receive(alert("f", "resolved", starts_at=at(4), ends_at=at(4.5)))
    (group,) = await sorting.groups()
    renewals = group.renewals
    assert (group.state, group.firing) == ("FIRING", 0)
    sorting.clock.forward(0.4)
    await sorting.receive(alert("f", starts_at=at(4.9)))

    (group,) = await sorting.groups()
    assert (group.state, group.firing, group.renewals) == ("FIRING", 1, renewals)


async def test_an_alert_that_flaps_slowly_is_still_told_of_as_one_that_fires_again(sorting: SortingFixture) -> None:
    await fires_and_resolves(sorting, 6, every=8)

    (group,) = await sorting.groups()
    assert (group.flapping, group.renewals) == ("Alert f of checkout fired 6 times within 40 min", 5)


async def test_a_flapping_alert_that_has_been_quiet_has_cleared(sorting: SortingFixture) -> None:
    await fires_and_resolves(sorting, 5)
    sorting.clock.forward(1)
    await sorting.receive(alert("f", "resolved", starts_at=at(8), ends_at=at(9)))
    sorting.clock.forward(3.9)
    await end_flapping(sorting.db)
    assert [group.state for group in await sorting.groups()] == ["FIRING"]

    sorting.clock.forward(0.2)
    await end_flapping(sorting.db)

    assert [(group.state, group.flapping) for group in await sorting.groups()] == [("MONITORING", "")]


async def test_an_alert_that_begins_anew_without_an_end_holds_no_group_that_it_has_left(sorting: SortingFixture) -> None:
    for start in range(5):
        await sorting.receive(alert("f", starts_at=at(start - 0.5)))
        sorting.clock.forward(1)
    async with sorting.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None and group.flapping
        group.state, group.cleared_at = "RESOLVED", sorting.clock()

    await sorting.receive(alert("f", starts_at=at(4.5)))

    first, second = await sorting.groups()
    assert (first.state, second.state, second.flapping) == ("RESOLVED", "FIRING", "")


async def test_outages_that_people_resolved_do_not_make_their_alert_flap(sorting: SortingFixture) -> None:
    for number in range(5):
        start = sorting.clock()
        await sorting.receive(alert("f", starts_at=start))
        sorting.clock.forward(5)
        await sorting.receive(alert("f", "resolved", starts_at=start, ends_at=sorting.clock()))
        if number < 4:
            await incidents.resolve(sorting.db, f"AL-{number + 1}", "bob", "")
        sorting.clock.forward(5)

    assert [(group.flapping, group.state) for group in await sorting.groups()][-1] == ("", "MONITORING")
