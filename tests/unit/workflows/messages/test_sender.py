"""The sender: the newest state stands in Slack, once, at Slack's pace, whatever Slack answers."""

from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.store.tables import MessageRow, PictureRow
from bot.workflows.messages.delivery import (
    AccessRefused,
    ChannelRefused,
    ContentRefused,
    LeaseExpired,
    MessageGone,
    RateLimited,
    Refused,
    Rendering,
    Unanswered,
    Unreachable,
)
from bot.workflows.messages.sender import Sender
from tests.unit.builders import NOW
from tests.unit.workflows.messages.sender_fixture import SenderFixture
from tests.unit.workflows.recording_slack import RecordingSlack


async def test_ten_changes_before_the_sender_looks_are_one_post_of_the_newest(fixture: SenderFixture) -> None:
    for _ in range(10):
        await fixture.touch("card:AL-1")

    await fixture.sender.drain()

    assert [m["text"] for m in fixture.slack.messages.values()] == ["card:AL-1 rev 10"]
    assert (await fixture.row("card:AL-1")).sent_rev == 10


async def test_a_commit_wakes_the_sender(fixture: SenderFixture) -> None:
    woken: list[bool] = []
    fixture.db.on_messages.append(lambda: woken.append(True))

    await fixture.touch("card:AL-1")

    assert woken == [True]


async def test_a_thread_message_waits_for_the_card_above_it(fixture: SenderFixture) -> None:
    await fixture.touch("triage:AL-1", kind="triage", thread="card:AL-1")
    await fixture.touch("card:AL-1")

    await fixture.sender.drain()

    assert fixture.slack.standing("triage:AL-1")[0]["thread"] == "1.0"


async def test_proposals_go_before_lines(fixture: SenderFixture) -> None:
    await fixture.touch("line:1", kind="line")
    await fixture.touch("proposal:AP-1", kind="proposal")

    await fixture.sender.drain()

    assert fixture.slack.calls == [("post", "proposal:AP-1"), ("post", "line:1")]


async def test_a_channel_gets_a_short_burst_and_then_one_message_a_second(fixture: SenderFixture) -> None:
    started = fixture.seconds
    for number in range(8):
        await fixture.touch(f"line:{number}", kind="line")

    await fixture.sender.drain()

    assert 4.9 <= fixture.seconds - started <= 6


async def test_a_post_that_was_long_on_its_way_does_not_bring_more_to_slack_than_it_takes_at_once(
    fixture: SenderFixture,
) -> None:
    slack, arrivals = fixture.slack, []

    class FarAway(RecordingSlack):
        async def post(self, *args: Any, **kwargs: Any) -> str:
            fixture.seconds += 2 if not arrivals else 0
            arrivals.append(fixture.seconds)
            return await slack.post(*args, **kwargs)

    fixture.slack = FarAway()
    fixture.sender = fixture.new_sender()
    for number in range(6):
        await fixture.touch(f"line:{number}", kind="line")

    await fixture.sender.drain()

    first = arrivals[0]
    assert [round(at - first, 1) for at in arrivals] == [0, 0, 0, 1, 2, 3]


async def test_retry_after_is_honoured_and_nothing_is_lost(fixture: SenderFixture) -> None:
    started = fixture.seconds
    fixture.slack.answers = [RateLimited(30)]
    await fixture.touch("card:AL-1")

    await fixture.sender.drain()

    assert len(fixture.slack.standing("card:AL-1")) == 1
    assert fixture.seconds - started >= 30
    assert ("find", "card:AL-1") not in fixture.slack.calls


async def test_an_answer_lost_after_the_post_is_found_again_and_not_posted_twice(fixture: SenderFixture) -> None:
    fixture.slack.answers, fixture.slack.takes_anyway = [Unanswered("cut")], True
    await fixture.touch("card:AL-1")

    await fixture.sender.drain()
    await fixture.pass_time(3)

    assert len(fixture.slack.standing("card:AL-1")) == 1
    assert (await fixture.row("card:AL-1")).ts == "1.0"


async def test_a_crash_before_the_record_is_healed_by_looking(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    await fixture.outbox.attempt("card:AL-1")
    await fixture.slack.post("C1", "t", [], thread_ts="", key="card:AL-1", rev=1)

    await fixture.new_sender().drain()

    assert len(fixture.slack.standing("card:AL-1")) == 1
    assert (await fixture.row("card:AL-1")).sent_rev == 1


async def test_an_empty_look_counts_only_after_eight_seconds(fixture: SenderFixture) -> None:
    fixture.slack.answers = [Unanswered("cut")]
    await fixture.touch("card:AL-1")
    await fixture.sender.drain()

    await fixture.pass_time(6)
    assert fixture.slack.messages == {}
    await fixture.pass_time(4)

    assert len(fixture.slack.standing("card:AL-1")) == 1


@pytest.mark.parametrize("failed", [Unanswered("slow"), Unreachable("down"), RateLimited(2), AccessRefused("token_revoked")])
async def test_a_look_that_failed_never_counts_as_an_empty_one(fixture: SenderFixture, failed: Exception) -> None:
    fixture.slack.answers, fixture.slack.takes_anyway, fixture.slack.lookup_failures = [Unanswered("cut")], True, [failed] * 9
    await fixture.touch("card:AL-1")

    await fixture.pass_time(120)
    fixture.slack.lookup_failures = []
    await fixture.pass_time(40)

    assert len(fixture.slack.standing("card:AL-1")) == 1
    assert (await fixture.row("card:AL-1")).ts == "1.0"


async def test_a_look_that_slack_does_not_answer_is_repeated_ever_more_seldom(fixture: SenderFixture) -> None:
    fixture.slack.answers, fixture.slack.takes_anyway = [Unanswered("cut")], True
    fixture.slack.lookup_failures = [Unanswered("slow")] * 99
    await fixture.touch("card:AL-1")

    await fixture.pass_time(60)

    assert 3 <= fixture.slack.calls.count(("find", "card:AL-1")) <= 6


async def test_where_slack_does_not_let_us_look_the_message_comes_after_eight_seconds(fixture: SenderFixture) -> None:
    fixture.slack.answers, fixture.slack.lookup_failures = [Unanswered("cut")], [Refused("missing_scope")] * 99
    await fixture.touch("card:AL-1")

    await fixture.pass_time(6)
    assert fixture.slack.messages == {}
    await fixture.pass_time(4)

    assert len(fixture.slack.standing("card:AL-1")) == 1


async def test_an_archived_channel_falls_back_to_the_default_and_the_reason_is_kept(fixture: SenderFixture) -> None:
    fixture.slack.answers = [ChannelRefused("is_archived")]
    await fixture.touch("card:AL-1")
    await fixture.touch("triage:AL-1", kind="triage", thread="card:AL-1")

    await fixture.sender.drain()

    assert {m["channel"] for m in fixture.slack.messages.values()} == {"C0"}
    assert fixture.slack.standing("triage:AL-1")[0]["thread"] == "1.0"
    assert "Meant for <#C1>: Slack refuses it there, because it is archived." in str(fixture.slack.standing("card:AL-1"))
    assert (await fixture.row("card:AL-1")).undelivered == "is_archived; posted in the default channel"


async def test_where_even_the_default_channel_refuses_the_reason_stands_and_it_is_tried_again(fixture: SenderFixture) -> None:
    fixture.slack.answers = [ChannelRefused("is_archived"), ChannelRefused("channel_not_found")]
    await fixture.touch("card:AL-1")

    await fixture.sender.drain()
    assert (await fixture.row("card:AL-1")).undelivered == "is_archived; channel_not_found"
    await fixture.pass_time(301)

    assert len(fixture.slack.standing("card:AL-1")) == 1


async def test_slack_down_for_an_hour_loses_nothing_and_shows_the_newest_state_only(fixture: SenderFixture) -> None:
    fixture.slack.answers = [Unreachable("down")] * 10
    await fixture.touch("card:AL-1")
    for _ in range(10):
        await fixture.pass_time(31)
        await fixture.touch("card:AL-1")
    fixture.slack.answers = []
    await fixture.pass_time(31)

    assert [m["text"] for m in fixture.slack.standing("card:AL-1")] == ["card:AL-1 rev 11"]


async def test_mere_counts_are_edited_ever_more_seldom(fixture: SenderFixture) -> None:
    for number in range(30 * 60 // 15):
        fixture.renderings["card:AL-1"] = Rendering(text=f"{number} alerts", blocks=[], urgent_state="FIRING")
        await fixture.touch("card:AL-1")
        await fixture.sender.drain()
        fixture.seconds += 15

    assert 20 <= (await fixture.row("card:AL-1")).edits <= 60
    await fixture.pass_time(301)
    assert fixture.slack.standing("card:AL-1")[0]["text"] == "119 alerts"


async def test_a_new_state_is_shown_at_once_although_counts_are_put_off(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    for alerts in range(8):
        fixture.renderings["card:AL-1"] = Rendering(text=f"{alerts}", blocks=[], urgent_state="FIRING")
        await fixture.touch("card:AL-1")
        await fixture.sender.drain()
    fixture.renderings["card:AL-1"] = Rendering(text="taken", blocks=[], urgent_state="ACKNOWLEDGED")
    await fixture.touch("card:AL-1")

    await fixture.sender.drain()

    assert fixture.slack.standing("card:AL-1")[0]["text"] == "taken"


async def test_an_edit_that_changes_nothing_is_not_sent(fixture: SenderFixture) -> None:
    fixture.renderings["card:AL-1"] = Rendering(text="same", blocks=[], urgent_state="x")
    await fixture.touch("card:AL-1")
    await fixture.sender.drain()
    await fixture.touch("card:AL-1")

    await fixture.sender.drain()

    assert fixture.slack.calls == [("post", "card:AL-1")]


async def test_a_card_that_a_person_deleted_is_posted_anew(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    await fixture.sender.drain()
    fixture.slack.answers = [MessageGone("message_not_found")]
    await fixture.touch("card:AL-1")

    await fixture.pass_time(3)

    assert [m["rev"] for m in fixture.slack.standing("card:AL-1")] == [1, 2]


async def with_picture(fixture: SenderFixture) -> None:
    async with fixture.db.write() as session:
        session.add(PictureRow(key="p", png=b"png", alt="errors rise at 03:00", title="errors", created_at=NOW))
    fixture.renderings["triage:AL-1"] = Rendering(text="facts", blocks=[{"type": "image", "picture": "p"}], urgent_state="")
    await fixture.touch("triage:AL-1", kind="triage")


async def test_a_picture_is_uploaded_once_and_shown_with_its_text(fixture: SenderFixture) -> None:
    await with_picture(fixture)
    await fixture.sender.drain()

    expected = {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "errors rise at 03:00"}
    assert fixture.slack.standing("triage:AL-1")[0]["blocks"] == [expected]


async def test_a_failed_upload_leaves_the_message_and_says_so(fixture: SenderFixture) -> None:
    fixture.slack.answers = [Unreachable("down")]
    await with_picture(fixture)
    await fixture.sender.drain()

    blocks: list[dict[str, Any]] = fixture.slack.standing("triage:AL-1")[0]["blocks"]
    assert blocks[0]["elements"][0]["text"] == "The graph could not be uploaded. errors rise at 03:00"


async def test_refused_blocks_become_a_plain_line_that_calls_the_same_people(fixture: SenderFixture) -> None:
    fixture.slack.answers = [ContentRefused("invalid_blocks")]
    on_call = {"type": "section", "text": {"type": "mrkdwn", "text": "on call <@U1> <@U2>, <@U1> leads"}}
    fixture.renderings["card:AL-1"] = Rendering(text="Firing, severity 1: checkout", blocks=[on_call])
    await fixture.touch("card:AL-1")

    await fixture.sender.drain()

    line = fixture.slack.standing("card:AL-1")[0]["blocks"][0]["text"]["text"]
    assert line == "<@U1> <@U2> Firing, severity 1: checkout"


async def test_a_message_that_cannot_be_rendered_does_not_stop_the_channel(fixture: SenderFixture) -> None:
    async def broken(row: MessageRow) -> Rendering | None:
        if row.key == "card:AL-1":
            raise ValueError("a bug")
        return Rendering(text="fine", blocks=[])

    fixture.sender.render = broken
    await fixture.touch("card:AL-1")
    await fixture.touch("card:AL-2")

    await fixture.sender.drain()

    assert len(fixture.slack.standing("card:AL-2")) == 1


async def test_a_card_is_known_to_be_on_its_way_before_it_is_rendered(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    noted: list[bool] = []

    async def render(row: MessageRow) -> Rendering | None:
        noted.append((await fixture.row(row.key)).attempted_at is not None)
        return None

    await Sender(fixture.outbox, render, fixture.slack, monotonic=lambda: fixture.seconds, sleep=fixture.sleep).drain()

    assert noted == [True], "whoever deserves a mention while it is rendered would be in no message"
    assert (await fixture.row("card:AL-1")).attempted_at is None, "nothing was sent"


async def test_a_process_that_may_have_been_replaced_neither_sends_nor_notes_an_attempt(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    replaced = Sender(
        fixture.outbox,
        fixture.render,
        fixture.slack,
        monotonic=lambda: fixture.seconds,
        sleep=fixture.sleep,
        lease_until=lambda: fixture.seconds,
    )
    row = await fixture.row("card:AL-1")

    with pytest.raises(LeaseExpired):
        await replaced.poster.post(row, None, await fixture.render(row) or Rendering(text="", blocks=[]))

    assert fixture.slack.calls == []
    assert (await fixture.row("card:AL-1")).attempted_at is None


async def test_what_belongs_to_no_channel_stands_in_the_default_channel(fixture: SenderFixture) -> None:
    await fixture.touch("proposal:AP-1", channel="", kind="proposal")

    await fixture.sender.drain()

    assert (await fixture.row("proposal:AP-1")).posted_channel == "C0"


async def test_while_slack_is_down_the_log_tells_it_once_a_minute_and_when_it_is_over(fixture: SenderFixture) -> None:
    for number in range(8):
        await fixture.touch(f"card:AL-{number}", channel=f"C{number}")
    fixture.slack.answers = [Unreachable("no connection")] * 10_000

    with capture_logs() as lines:
        await fixture.pass_time(150)
        fixture.slack.answers.clear()
        await fixture.pass_time(60)

    told = [line["event"] for line in lines]
    assert told[:-1] in (["Slack does not take messages"] * count for count in (2, 3))
    assert told[-1] == "Slack takes messages again"
    assert lines[0]["times"] == 1 and lines[1]["times"] > 8
    assert lines[-1]["times"] >= sum(line["times"] for line in lines[:-1])


async def test_while_the_database_is_away_the_log_tells_it_once_a_minute_without_a_traceback(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    await rename(fixture, "messages", "away")

    with capture_logs() as lines:
        await fixture.pass_time(150)
        await rename(fixture, "away", "messages")
        await fixture.pass_time(5)

    told = [line["event"] for line in lines]
    assert told[:-1] in (["the sender waits for the database"] * count for count in (2, 3)) and told[-1] == "the sender goes on"
    assert not any(line.get("exc_info") for line in lines) and (await fixture.row("card:AL-1")).ts


async def rename(fixture: SenderFixture, table: str, name: str) -> None:
    async with fixture.db.write() as session:
        await (await session.connection()).execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


async def test_a_channel_that_refuses_many_messages_is_one_line(fixture: SenderFixture) -> None:
    fixture.sender = Sender(
        fixture.outbox, fixture.render, fixture.slack, monotonic=lambda: fixture.seconds, sleep=fixture.sleep
    )
    for number in range(8):
        await fixture.touch(f"card:AL-{number}")
    fixture.slack.answers = [ChannelRefused("is_archived")] * 8

    with capture_logs() as lines:
        await fixture.pass_time(30)

    assert [(line["event"], line["channel"], line["why"]) for line in lines] == [
        ("a channel refuses messages", "C1", "Slack refused: is_archived")
    ]


# ---------------------------------------------------------------- what is read of what waits


async def waiting(fixture: SenderFixture, **told: Any) -> list[str]:
    return [seen.key for seen in await fixture.outbox.due(**told)]


async def test_a_channel_that_is_being_served_is_left_out_of_what_waits(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1", channel="C1")
    await fixture.touch("card:AL-2", channel="C2")

    assert await waiting(fixture, without=["C1"]) == ["card:AL-2"]
    assert await waiting(fixture, channel="C1") == ["card:AL-1"]


async def test_without_edits_only_new_posts_and_proposals_wait(fixture: SenderFixture) -> None:
    for _ in range(2):
        await fixture.sender.drain()
        await fixture.touch("card:AL-1")
        await fixture.touch("proposal:AP-1", kind="proposal")
    await fixture.touch("card:AL-2")

    assert await waiting(fixture, edits=False) == ["proposal:AP-1", "card:AL-2"]
    assert await waiting(fixture) == ["proposal:AP-1", "card:AL-2", "card:AL-1"]


async def test_what_waits_tells_of_the_message_above_it(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    await fixture.touch("triage:AL-1", kind="triage", thread="card:AL-1")
    before = {seen.key: seen.parent_ts for seen in await fixture.outbox.due()}
    await fixture.sender.drain()
    await fixture.touch("triage:AL-1", kind="triage", thread="card:AL-1")
    after = {seen.key: seen.parent_ts for seen in await fixture.outbox.due()}

    assert (before, after) == ({"card:AL-1": None, "triage:AL-1": ""}, {"triage:AL-1": "1.0"})


async def test_what_was_put_off_is_not_due_before_its_time(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    await fixture.outbox.not_posted("card:AL-1", retry_in=5)

    before = await waiting(fixture)
    await fixture.sleep(5)

    assert (before, await waiting(fixture)) == ([], ["card:AL-1"])


async def test_a_new_card_waits_for_no_edit_of_the_cards_that_stand(fixture: SenderFixture) -> None:
    for _ in range(2):
        await fixture.sender.drain()
        for number in range(20):
            await fixture.touch(f"card:AL-{number}")
    await fixture.touch("triage:AL-1", kind="triage", thread="card:AL-1")
    await fixture.touch("card:AL-99")
    fixture.seconds += 5
    fixture.slack.calls.clear()

    await fixture.sender.drain()

    assert fixture.slack.calls[:2] == [("post", "card:AL-99"), ("post", "triage:AL-1")]


async def test_where_edits_are_scarce_a_triage_is_edited_more_seldom_and_counts_wait_longest(fixture: SenderFixture) -> None:
    for number in range(20):
        await fixture.touch(f"card:AL-{number}")
        await fixture.touch(f"triage:AL-{number}", kind="triage", thread=f"card:AL-{number}")
    await fixture.pass_time(60)
    for number in range(20):
        await fixture.touch(f"triage:AL-{number}", kind="triage")
    await fixture.sender.drain()
    await fixture.touch("card:AL-99", channel="C2")
    await fixture.sender.drain()
    shown: list[list[str]] = []
    for seconds in (1.5, 2.0, 3.0, 6.0):
        fixture.renderings["card:AL-99"] = Rendering(text=f"{seconds}", blocks=[], urgent_state="1")
        for key in ("triage:AL-0", "card:AL-99"):
            await fixture.touch(key)
        fixture.slack.calls.clear()
        fixture.seconds += seconds
        await fixture.sender.drain()
        shown.append([key for _, key in fixture.slack.calls])

    assert shown == [[], ["triage:AL-0"], ["triage:AL-0"], ["card:AL-99", "triage:AL-0"]]


async def test_a_card_that_comes_while_many_lines_turn_out_to_need_no_message_waits_for_none_of_them(
    fixture: SenderFixture,
) -> None:
    fixture.db.on_messages.append(fixture.sender.wake)
    looked_at: list[str] = []

    async def render(row: MessageRow) -> Rendering | None:
        looked_at.append(row.key)
        if row.kind == "raised":
            if len(looked_at) == 2:
                await fixture.touch("card:AL-9")
            return None
        return await fixture.render(row)

    fixture.sender.render = render
    for number in range(5):
        await fixture.touch(f"raised:AL-{number}", kind="raised")

    await fixture.sender.drain()

    assert looked_at.index("card:AL-9") == 2
    assert len(looked_at) == 6 and fixture.slack.calls == [("post", "card:AL-9")]


async def test_edits_go_on_while_posts_wait_for_their_turn(fixture: SenderFixture) -> None:
    await fixture.touch("card:AL-1")
    await fixture.sender.drain()
    for number in range(10):
        await fixture.touch(f"line:{number}", kind="line")
    await fixture.touch("card:AL-1")
    fixture.slack.calls.clear()

    await fixture.sender.drain()

    assert ("update", "card:AL-1") in fixture.slack.calls[:4]
