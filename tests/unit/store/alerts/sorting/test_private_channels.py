"""What belongs to a private channel stands on no card, line or summary elsewhere, whatever ties its alerts to others."""

from pathlib import Path

import pytest

from bot.core.actor import NONE_KNOWN, ChannelAccess, KnownChannels
from bot.core.alert import Severity
from bot.core.config import Config
from bot.store.alerts.reader import reasons_of
from bot.store.alerts.ties.learned import saved_cascades
from bot.store.incidents import incidents
from bot.store.incidents.privacy import set_private
from bot.store.slack.message_contents import load
from bot.store.tables import MessageRow
from tests.unit.store.databases import PUBLIC, Clock, SortingFixture, alert, open_database

PRIVATE_C2 = KnownChannels({**PUBLIC.access, "C2": ChannelAccess(is_private=True, members=frozenset({"U1"}))})
"""Of the catalogue checkout stands in C1 and calls payments, which stands in C2; search has the default channel C0."""
CHECKOUT, PAYMENTS = alert("c"), alert("p", labels={"service": "payments"})


def knowing(sorting: SortingFixture, channels: KnownChannels, **values: object) -> SortingFixture:
    return SortingFixture(sorting.db, sorting.clock, Config.model_validate({"default_channel": "C0", **values}), channels)


async def cards(sorting: SortingFixture) -> list[tuple[str, int]]:
    """Channel and number of alerts of each group, in the order of their opening."""
    return [(group.channel, group.alerts) for group in await sorting.groups()]


@pytest.mark.parametrize("first", [CHECKOUT, PAYMENTS])
async def test_an_alert_of_a_private_channel_shares_no_card_with_one_of_another_whichever_comes_first(
    sorting: SortingFixture, first: object
) -> None:
    sorting = knowing(sorting, PRIVATE_C2)
    second = PAYMENTS if first is CHECKOUT else CHECKOUT

    await sorting.receive(*(one for one in (CHECKOUT, PAYMENTS) if one is first))
    await sorting.receive(second)

    assert sorted(await cards(sorting)) == [("C1", 1), ("C2", 1)]


async def test_alerts_of_two_public_channels_share_a_card_as_ever(sorting: SortingFixture) -> None:
    await knowing(sorting, PUBLIC).receive(CHECKOUT, PAYMENTS)

    assert await cards(sorting) == [("C1", 2)]


async def test_alerts_of_one_channel_share_a_card_also_where_it_is_private_or_slack_never_said_what_it_is(
    sorting: SortingFixture,
) -> None:
    await knowing(sorting, NONE_KNOWN).receive(PAYMENTS, alert("q", labels={"service": "payments"}))

    assert await cards(sorting) == [("C2", 2)]


async def test_where_slack_does_not_say_what_channels_are_their_alerts_are_kept_apart(sorting: SortingFixture) -> None:
    await knowing(sorting, NONE_KNOWN).receive(CHECKOUT, PAYMENTS)

    assert await cards(sorting) == [("C1", 1), ("C2", 1)]


async def test_a_channel_shared_with_another_workspace_takes_no_alert_of_others(sorting: SortingFixture) -> None:
    shared = KnownChannels({**PUBLIC.access, "C2": ChannelAccess(is_shared=True)})

    await knowing(sorting, shared).receive(PAYMENTS, CHECKOUT)

    assert await cards(sorting) == [("C2", 1), ("C1", 1)]


async def test_a_source_s_key_and_a_machine_tie_no_private_alert_to_another_card(sorting: SortingFixture) -> None:
    node = alert("n", labels={"service": "", "node": "n1"}, group_key="g")
    pod = alert("p", labels={"service": "payments", "node": "n1"}, group_key="g")

    await knowing(sorting, PRIVATE_C2).receive(node, pod)

    assert await cards(sorting) == [("C0", 1), ("C2", 1)]


async def test_an_incident_that_somebody_declared_elsewhere_takes_no_private_alerts_of_its_service(
    sorting: SortingFixture,
) -> None:
    sorting = knowing(sorting, PRIVATE_C2)
    await incidents.declare(
        sorting.db, title="x", severity=Severity.SEV2, service="payments", channel="C9", by="alice", group_ref="", key="1"
    )

    await sorting.receive(PAYMENTS)

    assert await cards(sorting) == [("C9", 0), ("C2", 1)]


async def test_a_private_incident_takes_alerts_of_its_own_channel_alone(sorting: SortingFixture) -> None:
    sorting = knowing(sorting, PUBLIC)
    await sorting.receive(CHECKOUT)
    await set_private(sorting.db, "INC-1", "alice", private=True)

    await sorting.receive(PAYMENTS, alert("d"))

    assert await cards(sorting) == [("C1", 2), ("C2", 1)]


async def test_the_private_card_says_which_group_it_was_kept_apart_from_and_the_other_says_nothing(
    sorting: SortingFixture,
) -> None:
    sorting = knowing(sorting, PRIVATE_C2)
    await sorting.receive(CHECKOUT, PAYMENTS)
    sorting.clock.forward(40)

    await sorting.receive(alert("p2", labels={"service": "payments"}, start=39), alert("c2", start=39))

    async with sorting.db.read() as session:
        reasons = {group.service: await reasons_of(session, group.id or 0) for group in (await sorting.groups())[:2]}
    apart = "it opened the group: it would be in AL-1 (checkout depends on payments), but others read its channel"
    assert reasons["payments"].joined_lines() == [f"1 alert: {apart}"]
    assert (reasons["payments"].in_short(), reasons["checkout"].joined_lines()) == ("", [])
    assert "payments" not in str([one.grouping_text for one in await sorting.episodes() if one.service == "checkout"])


async def test_what_is_beyond_a_source_s_budget_stands_in_its_own_private_channel(sorting: SortingFixture) -> None:
    source = {"kind": "generic", "groups_a_minute": 1}
    sorting = knowing(sorting, PRIVATE_C2, sources={"prod": source})
    await sorting.receive(alert("a", labels={"service": "a"}))

    await sorting.receive(*(alert(name, labels={"service": name}) for name in ("b", "payments", "c")), PAYMENTS)

    assert await cards(sorting) == [("C0", 1), ("C0", 2), ("C2", 2)]
    assert [group.overflow for group in await sorting.groups()] == [False, True, True]


async def test_a_backlog_s_summary_names_private_alerts_in_their_own_channel_alone(tmp_path: Path) -> None:
    clock = Clock()
    sorting = knowing(SortingFixture(await open_database(tmp_path, clock), clock), PRIVATE_C2)

    await sorting.receive(alert("c", start=-600), alert("p", start=-600, labels={"service": "payments"}))

    messages = [(row.channel, row.kind, row.subject) for row in await sorting.rows(MessageRow)]
    async with sorting.db.read() as session:
        named = {channel: str(await load(session, kind, subject)) for channel, kind, subject in messages}
    assert {channel: ("Alert c" in text, "Alert p" in text) for channel, text in named.items()} == {
        "C0": (True, False),
        "C2": (False, True),
    }
    await sorting.receive(alert("p", start=-600, labels={"service": "payments"}))
    assert await sorting.groups() == []
    await sorting.db.close()


async def test_a_card_s_reason_does_not_name_the_private_alert_that_inhibits_another(sorting: SortingFixture) -> None:
    rule = {"source": {"alertname": "Down"}, "target": {"service": "checkout"}}
    down = alert("p", name="Down", labels={"service": "payments"})
    for channels, text in (
        (PUBLIC, "inhibited by Down"),
        (PRIVATE_C2, "inhibited by an alert of another channel"),
    ):
        inhibiting = knowing(sorting, channels, inhibitions=[rule])
        await inhibiting.receive(down, alert(f"c {text}"))
        assert (await sorting.episodes())[-1].muted_by == text


async def test_an_earlier_group_is_named_only_to_those_who_may_read_it(sorting: SortingFixture) -> None:
    await knowing(sorting, PRIVATE_C2).receive(PAYMENTS)
    sorting.clock.forward(60)
    moved = alert("p2", start=59, name="Alert p", labels={"service": "payments"})

    again = knowing(sorting, PRIVATE_C2)
    again.inbox.sorter.catalogue = type(again.inbox.sorter.catalogue)([])
    await again.receive(moved)

    earlier, later = await sorting.groups()
    assert (earlier.channel, later.channel, later.previous_id) == ("C2", "C0", None)


async def test_what_alerts_in_a_private_channel_during_others_bursts_teaches_no_tie_to_them(sorting: SortingFixture) -> None:
    sorting = knowing(sorting, PRIVATE_C2)
    for burst in range(3):
        begun, payments = burst * 60, {"service": "payments"}
        await sorting.receive(*(alert(f"{burst}-{number}", start=begun) for number in range(12)))
        await sorting.receive(alert(f"p{burst}", labels=payments, start=begun))
        sorting.clock.forward(60)
        await sorting.receive(*(alert(f"{burst}-{number}", "resolved", start=begun) for number in range(12)))
        await sorting.receive(alert(f"p{burst}", "resolved", labels=payments, start=begun))

    async with sorting.db.read() as session:
        saved = await saved_cascades(session)
    assert [one for one in saved if "payments" in (one.place, one.service)] == []
