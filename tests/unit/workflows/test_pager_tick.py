"""The tick that pages: who is woken outside Slack, when, and that a page is not lost."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.store.tables import AlertRow, EpisodeRow, GroupRow, HeartbeatRow, MessageRow, PageRow
from tests.unit.builders import NOW
from tests.unit.workflows.pager_fixture import PagerFixture, message, open_pager


def episode(at: datetime) -> EpisodeRow:
    fields = {"source": "am", "fingerprint": "f", "name": "HighErrorRate", "service": "checkout", "severity": "SEV2"}
    moments = {"starts_at": at, "first_seen_at": at, "last_seen_at": at}
    return EpisodeRow(**fields, **moments, status="firing", labels={}, annotations={}, group_id=1)


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[PagerFixture]:
    async with open_pager(tmp_path) as fixture:
        yield fixture


async def test_a_sev2_that_nobody_takes_pages_once_after_five_minutes(fixture: PagerFixture) -> None:
    await fixture.firing()

    assert await fixture.after(4.9) == []
    assert await fixture.after(5.1) == [("page", "ack:AL-1")]
    assert await fixture.after(9) == [("page", "ack:AL-1")]
    assert "SEV2 checkout: HighErrorRate" in fixture.pager.summaries[0] and "5 min" in fixture.pager.summaries[0]


async def test_the_page_is_cleared_when_somebody_acknowledges(fixture: PagerFixture) -> None:
    await fixture.firing()
    await fixture.after(6)
    await fixture.change(GroupRow, 1, state="ACKNOWLEDGED", acknowledged_by="alice")

    assert await fixture.after(7) == [("page", "ack:AL-1"), ("clear", "ack:AL-1")]


async def test_a_sev3_wakes_nobody(fixture: PagerFixture) -> None:
    await fixture.firing("SEV3")

    assert await fixture.after(60) == []


async def test_messages_that_slack_does_not_take_for_two_minutes_page_until_it_does(fixture: PagerFixture) -> None:
    await fixture.add(message("proposal:AP-1", NOW, kind="proposal"))

    assert await fixture.after(1.9) == []
    assert await fixture.after(2.1) == [("page", "slack")]
    await fixture.change(MessageRow, "proposal:AP-1", sent_rev=1)
    assert await fixture.after(3) == [("page", "slack"), ("clear", "slack")]


async def test_a_heartbeat_missed_twice_pages_and_its_return_clears(fixture: PagerFixture) -> None:
    await fixture.add(HeartbeatRow(key="am:Watchdog", last_seen_at=NOW, every_seconds=60))

    assert await fixture.after(1.9) == []
    assert await fixture.after(2.1) == [("page", "heartbeat:am:Watchdog")]
    assert "03:00:00 UTC" in fixture.pager.summaries[0]
    await fixture.change(HeartbeatRow, "am:Watchdog", last_seen_at=NOW + timedelta(minutes=3))
    assert await fixture.after(3.1) == [("page", "heartbeat:am:Watchdog"), ("clear", "heartbeat:am:Watchdog")]


async def test_a_cluster_whose_monitoring_dies_pages_though_that_of_another_lives_until_it_counts_as_removed(
    fixture: PagerFixture,
) -> None:
    fixture.configure()
    for cluster in ("eu", "us"):
        await fixture.add(HeartbeatRow(key=f"am:Watchdog{{cluster={cluster}}}", last_seen_at=NOW, every_seconds=60))

    async def seen_until(minutes: float) -> list[tuple[str, str]]:
        await fixture.change(HeartbeatRow, "am:Watchdog{cluster=eu}", last_seen_at=NOW + timedelta(minutes=minutes))
        return list(await fixture.after(minutes))

    assert await seen_until(3) == [("page", "heartbeat:am:Watchdog{cluster=us}")]
    assert (await fixture.reminders())[0][1].startswith("No heartbeat (Watchdog) from am (cluster=us) since 03:00:00 UTC")
    assert (await seen_until(8 * 24 * 60))[1:] == [("clear", "heartbeat:am:Watchdog{cluster=us}")]
    text = (await fixture.reminders())[0][1]
    assert text.startswith("am (cluster=us) was silent.") and text.endswith("(Watchdog) is not waited for any more.")


async def test_a_page_that_the_pager_does_not_take_is_tried_again_later(fixture: PagerFixture) -> None:
    await fixture.firing()
    fixture.pager.down = True
    assert await fixture.after(6) == []
    fixture.pager.down = False

    assert await fixture.after(6 + 4 / 60) == []
    assert await fixture.after(6 + 6 / 60) == [("page", "ack:AL-1")]


async def test_a_page_whose_answer_was_lost_is_cleared_too_since_it_may_stand(fixture: PagerFixture) -> None:
    await fixture.firing()
    fixture.pager.down = True
    await fixture.after(6)
    fixture.pager.down = False
    await fixture.change(GroupRow, 1, state="ACKNOWLEDGED")

    assert await fixture.after(8) == [("clear", "ack:AL-1")]


async def test_the_same_trouble_pages_anew_after_it_was_cleared(fixture: PagerFixture) -> None:
    await fixture.add(HeartbeatRow(key="am:Watchdog", last_seen_at=NOW, every_seconds=60))
    await fixture.after(3)
    await fixture.change(HeartbeatRow, "am:Watchdog", last_seen_at=NOW + timedelta(minutes=3))
    await fixture.after(4)

    assert [what for what, _ in await fixture.after(9)] == ["page", "clear", "page"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([AlertRow(source="am", fingerprint="f", status="firing", name="n", severity="SEV3", labels={}, annotations={},
                   starts_at=NOW, received_at=NOW)], "the inbox did not read 1 stored alert"),
        ([GroupRow(key="k", title="t", service="s", severity="SEV3", state="ACKNOWLEDGED", channel="C1", opened_at=NOW,
                   last_alert_at=NOW)], "no card stands in Slack for AL-1"),
        ([GroupRow(key="k", title="t", service="s", severity="SEV3", state="FIRING", channel="C1", opened_at=NOW,
                   last_alert_at=NOW), message("card:AL-1", NOW, sent_rev=1)], "no triage was started for AL-1"),
    ],
)  # fmt: skip
async def test_the_auditor_pages_for_what_a_stored_alert_should_have(fixture: PagerFixture, rows: list[Any], told: str) -> None:
    await fixture.add(*rows)

    assert ("page", "auditor") not in await fixture.after(0.9)
    assert ("page", "auditor") in await fixture.after(1.1)
    assert any(told in text for text in fixture.pager.summaries)


async def test_a_card_that_comes_out_of_a_storm_is_young_though_its_group_is_old(fixture: PagerFixture) -> None:
    await fixture.firing("SEV3")
    await fixture.change(MessageRow, "card:AL-1", sent_rev=0, created_at=NOW + timedelta(minutes=9.9))

    assert await fixture.after(10) == []


async def test_a_long_queue_is_no_outage_while_slack_takes_messages(fixture: PagerFixture) -> None:
    await fixture.add(message("card:AL-7", NOW), message("card:AL-8", NOW, sent_rev=1, sent_at=NOW + timedelta(minutes=4)))

    assert await fixture.after(5) == []
    assert await fixture.after(7) == [("page", "slack")]


async def test_a_message_that_slack_refuses_is_told_once_and_hides_no_outage(fixture: PagerFixture) -> None:
    await fixture.add(message("card:AL-7", NOW, undelivered="channel_not_found"))

    assert await fixture.after(3) == [("page", "refused:C1")]
    assert "it refuses channel C1, because Tocsin is not in it, or it does not exist; check it" in fixture.pager.summaries[0]
    await fixture.add(message("card:AL-8", NOW + timedelta(minutes=55)))
    assert await fixture.after(59) == [("page", "refused:C1"), ("page", "slack")]
    assert ("clear", "refused:C1") in await fixture.after(61)


async def test_a_refused_token_is_an_outage_of_slack(fixture: PagerFixture) -> None:
    await fixture.add(message("card:AL-7", NOW, undelivered="no access: token_revoked"))

    assert await fixture.after(3) == [("page", "slack")]


async def test_a_card_that_fails_while_others_are_sent_is_the_auditors_to_tell(fixture: PagerFixture) -> None:
    await fixture.firing("SEV3")
    await fixture.change(MessageRow, "card:AL-1", sent_rev=0, failures=7)
    await fixture.add(message("line:1", NOW, kind="line", sent_rev=1, sent_at=NOW + timedelta(minutes=4)))

    assert await fixture.after(4.5) == [("page", "auditor")]


async def test_a_card_that_a_person_deleted_wakes_nobody_while_it_is_posted_anew(fixture: PagerFixture) -> None:
    await fixture.firing("SEV3")
    await fixture.change(MessageRow, "card:AL-1", sent_rev=0, sent_at=NOW)

    assert await fixture.after(10) == []


async def test_a_group_that_fires_again_has_five_minutes_anew(fixture: PagerFixture) -> None:
    await fixture.firing()
    await fixture.change(GroupRow, 1, reopened=1)
    await fixture.add(episode(NOW + timedelta(minutes=59)))

    assert await fixture.after(60) == []
    assert await fixture.after(64.1) == [("page", "ack:AL-1")]


async def test_a_group_that_became_worse_has_five_minutes_from_then(fixture: PagerFixture) -> None:
    await fixture.firing()
    await fixture.change(GroupRow, 1, mentioned_at=NOW + timedelta(minutes=59))

    assert await fixture.after(60) == []
    assert await fixture.after(64.1) == [("page", "ack:AL-1")]


async def test_a_rule_whose_period_is_not_known_yet_wakes_nobody(fixture: PagerFixture) -> None:
    fixture.tick.config = fixture.tick.config.model_copy(update={"heartbeat_every": None})
    await fixture.add(HeartbeatRow(key="am:Watchdog", last_seen_at=NOW, beats=2, every_seconds=60))
    before = list(await fixture.after(60))
    await fixture.change(HeartbeatRow, "am:Watchdog", beats=3)

    assert (before, await fixture.after(61)) == ([], [("page", "heartbeat:am:Watchdog")])


@pytest.mark.parametrize("key", ["am:OldRule", "gone:Watchdog"])
async def test_a_heartbeat_that_is_no_longer_configured_wakes_nobody(fixture: PagerFixture, key: str) -> None:
    await fixture.add(HeartbeatRow(key=key, last_seen_at=NOW, every_seconds=60))

    assert await fixture.after(60) == []


async def test_what_happened_while_the_bot_was_down_is_nobodys_silence(fixture: PagerFixture) -> None:
    ago = NOW - timedelta(hours=1)
    await fixture.add(HeartbeatRow(key="am:Watchdog", last_seen_at=ago, every_seconds=60))
    await fixture.add(
        GroupRow(
            key="k", title="t", service="s", severity="SEV3", state="FIRING", channel="C1", opened_at=ago, last_alert_at=ago
        )
    )

    assert await fixture.after(0.5) == []
    assert await fixture.after(2.1) == [("page", "heartbeat:am:Watchdog"), ("page", "auditor")]


async def test_a_page_is_tried_for_as_long_as_the_pager_is_down(fixture: PagerFixture) -> None:
    await fixture.firing()
    fixture.pager.down = True
    await fixture.after(6)
    await fixture.change(PageRow, "ack:AL-1", failures=500)
    fixture.pager.down = False

    assert await fixture.after(20) == [("page", "ack:AL-1")]


async def test_without_a_pager_the_page_stands_in_the_log_and_nothing_breaks(fixture: PagerFixture) -> None:
    await fixture.firing()
    fixture.tick.pager = None

    with capture_logs() as lines:
        await fixture.after(6)
        await fixture.change(GroupRow, 1, state="ACKNOWLEDGED")
        await fixture.after(7)

    assert await fixture.tick.pages.due() == []
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("page without a pager", "error"),
        ("a page without a pager is over", "info"),
    ]


async def test_a_page_stays_while_nobody_could_confirm_that_the_alerts_ended(fixture: PagerFixture) -> None:
    await fixture.firing("SEV1")
    await fixture.after(6)
    ended = NOW + timedelta(minutes=7)
    await fixture.change(GroupRow, 1, state="MONITORING", cleared_at=ended)
    just_ended = list(await fixture.after(7.2))
    await fixture.change(GroupRow, 1, unconfirmed_at=ended, unmeasured="checkout")
    unconfirmed = list(await fixture.after(20))
    await fixture.change(GroupRow, 1, unconfirmed_at=None, unmeasured="")

    assert just_ended == unconfirmed == [("page", "ack:AL-1")]
    assert await fixture.after(21) == [("page", "ack:AL-1"), ("clear", "ack:AL-1")]


async def test_an_unconfirmed_end_pages_nobody_who_acknowledged(fixture: PagerFixture) -> None:
    await fixture.firing("SEV1")
    await fixture.after(6)
    values = {"state": "MONITORING", "cleared_at": NOW, "unconfirmed_at": NOW, "acknowledged_by": "bob"}
    await fixture.change(GroupRow, 1, **values)

    assert await fixture.after(7) == [("page", "ack:AL-1"), ("clear", "ack:AL-1")]
