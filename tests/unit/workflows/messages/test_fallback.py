"""What the default channel gets of a message that its own channel refuses."""

from sqlmodel import col, update

from bot.store.tables import GroupRow, IncidentRow, MessageRow
from bot.workflows.messages.delivery import Unreachable
from tests.unit.builders import NOW
from tests.unit.workflows.messages.sender_fixture import SenderFixture

CARD, NOTICE = "card:AL-1", "withheld:card:AL-1"


def standing(fixture: SenderFixture) -> set[tuple[str, str]]:
    """Channel and key of everything that stands in Slack."""
    return {(message["channel"], message["key"]) for message in fixture.slack.messages.values()}


async def private_card(fixture: SenderFixture) -> None:
    """A card whose private channel the bot was removed from."""
    fixture.public, fixture.slack.refusing = {"C0"}, {"C1": "channel_not_found"}
    await fixture.touch(CARD)
    await fixture.sender.drain()


async def private_incident(fixture: SenderFixture) -> None:
    async with fixture.db.write() as session:
        values = {"severity": "SEV1", "service": "vault", "state": "OPEN", "channel": "C1", "private": True}
        session.add(IncidentRow(id=7, title="t", declared_at=NOW, **values))


async def test_of_a_private_channel_the_default_channel_gets_a_notice_and_not_the_card(fixture: SenderFixture) -> None:
    await private_card(fixture)

    assert standing(fixture) == {("C0", NOTICE)}
    assert (await fixture.row(CARD)).undelivered == "channel_not_found; withheld"


async def test_where_nobody_says_what_a_channel_is_it_is_taken_for_private(fixture: SenderFixture) -> None:
    fixture.public.clear()
    fixture.slack.refusing = {"C1": "is_archived"}
    await fixture.touch(CARD)

    await fixture.sender.drain()

    assert standing(fixture) == {("C0", NOTICE)}


async def test_a_private_incident_of_a_public_channel_stays_out_of_the_default_channel(fixture: SenderFixture) -> None:
    await private_incident(fixture)
    fixture.slack.refusing = {"C1": "is_archived"}
    await fixture.touch("incident:INC-7", kind="incident_card")
    await fixture.touch("line:1", kind="line", thread="incident:INC-7")

    await fixture.sender.drain()

    assert standing(fixture) == {("C0", "withheld:incident:INC-7")}


async def test_a_storm_with_a_group_of_a_private_incident_stays_out_of_the_default_channel(fixture: SenderFixture) -> None:
    async with fixture.db.write() as session:
        values = {"key": "k", "title": "t", "service": "vault", "severity": "SEV1", "state": "FIRING", "channel": "C1"}
        session.add(GroupRow(id=1, opened_at=NOW, last_alert_at=NOW, on_storm_card="storm:1", private=True, **values))
    fixture.slack.refusing = {"C1": "is_archived"}
    await fixture.touch("storm:1", kind="storm")

    await fixture.sender.drain()

    assert standing(fixture) == {("C0", "withheld:storm:1")}


async def test_once_the_channel_takes_messages_again_the_card_and_its_thread_stand_there(fixture: SenderFixture) -> None:
    await private_card(fixture)
    await fixture.touch("triage:AL-1", kind="triage", thread=CARD)
    await fixture.sender.drain()
    fixture.slack.refusing.clear()

    await fixture.pass_time(301)

    assert standing(fixture) == {("C0", NOTICE), ("C1", CARD), ("C1", "triage:AL-1")}
    assert fixture.slack.standing("triage:AL-1")[0]["thread"] == (await fixture.row(CARD)).ts
    assert (await fixture.row(CARD)).undelivered == ""


async def test_what_calls_people_below_a_card_that_is_kept_back_gets_a_notice_of_its_own_and_the_rest_none(
    fixture: SenderFixture,
) -> None:
    await private_card(fixture)
    await fixture.touch("triage:AL-1", kind="triage", thread=CARD)
    await fixture.touch("raised:AL-1", kind="raised", thread=CARD)
    await fixture.touch("proposal:AP-1", kind="proposal", thread=CARD)

    await fixture.sender.drain()

    assert standing(fixture) == {("C0", NOTICE), ("C0", "withheld:raised:AL-1"), ("C0", "withheld:proposal:AP-1")}
    assert fixture.slack.calls.count(("post", "triage:AL-1")) == 0


async def test_what_is_new_below_a_card_that_stands_in_its_own_channel_is_told_by_a_notice_about_the_card(
    fixture: SenderFixture,
) -> None:
    fixture.public = {"C0"}
    await fixture.touch(CARD)
    await fixture.sender.drain()
    fixture.slack.refusing = {"C1": "not_in_channel"}
    await fixture.touch("triage:AL-1", kind="triage", thread=CARD)

    await fixture.sender.drain()

    assert standing(fixture) == {("C1", CARD), ("C0", NOTICE)}


async def test_a_notice_is_posted_once_however_often_the_channel_refuses(fixture: SenderFixture) -> None:
    await private_card(fixture)

    await fixture.pass_time(1000)

    assert fixture.slack.calls.count(("post", NOTICE)) == 1
    assert fixture.slack.calls.count(("post", CARD)) > 2


async def test_a_card_that_is_kept_back_stays_so_while_slack_is_away(fixture: SenderFixture) -> None:
    await private_card(fixture)
    fixture.slack.refusing, fixture.slack.answers = {}, [Unreachable("down")] * 3

    await fixture.pass_time(400)

    assert standing(fixture) == {("C0", NOTICE), ("C1", CARD)}


async def test_a_card_in_the_default_channel_goes_home_once_its_incident_is_private(fixture: SenderFixture) -> None:
    fixture.slack.refusing = {"C1": "is_archived"}
    await fixture.touch("incident:INC-7", kind="incident_card")
    await fixture.sender.drain()
    await private_incident(fixture)
    await fixture.touch("incident:INC-7", kind="incident_card")
    await fixture.touch("line:1", kind="line", thread="incident:INC-7")

    await fixture.sender.drain()

    assert [message["text"] for message in fixture.slack.standing("incident:INC-7")] == ["incident:INC-7 rev 1"]
    assert standing(fixture) == {("C0", "incident:INC-7"), ("C0", "withheld:incident:INC-7")}


async def test_a_card_in_the_default_channel_tells_nothing_new_there_once_its_own_channel_is_private(
    fixture: SenderFixture,
) -> None:
    fixture.slack.refusing = {"C1": "is_archived"}
    await fixture.touch(CARD)
    await fixture.sender.drain()
    fixture.public = {"C0"}
    await fixture.touch(CARD)
    await fixture.touch("triage:AL-1", kind="triage", thread=CARD)

    await fixture.sender.drain()

    assert [message["text"] for message in fixture.slack.standing(CARD)] == [f"{CARD} rev 1"]
    assert standing(fixture) == {("C0", CARD), ("C0", NOTICE)}


async def test_a_line_that_mentions_somebody_has_its_notice_mention_them(fixture: SenderFixture) -> None:
    fixture.public, fixture.slack.refusing = {"C0"}, {"C1": "is_archived"}
    await fixture.touch("line:1", kind="line")
    async with fixture.db.write() as session:
        await session.exec(update(MessageRow).where(col(MessageRow.key) == "line:1").values(mentions=["alice"]))

    await fixture.sender.drain()

    assert (await fixture.row("withheld:line:1")).mentions == ["alice"]


async def test_of_lines_that_call_nobody_one_notice_tells_for_the_whole_channel(fixture: SenderFixture) -> None:
    fixture.public, fixture.slack.refusing = {"C0"}, {"C1": "is_archived"}
    for number in range(3):
        await fixture.touch(f"line:{number}", kind="line")
        await fixture.sender.drain()

    assert standing(fixture) == {("C0", "withheld:C1")}
    fixture.slack.refusing.clear()
    await fixture.pass_time(301)
    assert standing(fixture) == {("C0", "withheld:C1"), *(("C1", f"line:{number}") for number in range(3))}
    assert fixture.slack.calls[-1] == ("update", "withheld:C1")
