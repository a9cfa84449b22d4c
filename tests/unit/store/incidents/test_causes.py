"""What an incident was: asked once, kept with who said it, and only then reused."""

from datetime import timedelta

from bot.core.history.past_incidents import ConfirmedCause
from bot.core.messages.investigation import CauseContent
from bot.store.answers.postmortems import Postmortems
from bot.store.incidents import causes, incidents
from bot.store.slack import message_contents as contents
from bot.store.tables import AuditRow, CauseRow, IncidentRow, MessageRow, ProposalRow
from bot.store.triage.past_incidents import PastIncidents
from tests.unit.approvals_fixture import ApprovalsFixture
from tests.unit.readers import everything_public

YEAR = timedelta(days=365)


def said(fixture: ApprovalsFixture, text: str, who: str = "alice") -> ConfirmedCause:
    return ConfirmedCause(text=text, service="checkout", kind="change", confirmed_by=who, at=fixture.now)


async def questions(fixture: ApprovalsFixture) -> list[tuple[str, str]]:
    return [(row.subject, row.thread_key) for row in await fixture.rows(MessageRow) if row.kind == "cause"]


async def past(fixture: ApprovalsFixture) -> list[tuple[str, str]]:
    past = PastIncidents(fixture.db, "", everything_public(fixture.db).recallable)
    return [(one.ref, one.cause.text) for one in await past.confirmed(fixture.now - YEAR)]


async def test_a_close_without_a_cause_asks_once_in_the_thread(fixture: ApprovalsFixture) -> None:
    for _ in range(2):
        await incidents.resolve(fixture.db, "INC-1", "alice")

    assert await questions(fixture) == [("INC-1", "card:AL-1")]


async def test_a_close_that_tells_the_cause_asks_nothing_and_keeps_who_said_it(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice", "bad deploy")

    assert await questions(fixture) == []
    assert [(row.text, row.confirmed_by) for row in await fixture.rows(CauseRow)] == [("bad deploy", "alice")]


async def test_the_newest_word_stands_and_the_older_is_its_history(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice", "bad deploy")
    await causes.confirm(fixture.db, "INC-1", said(fixture, "full disk", "bob"))

    assert await past(fixture) == [("INC-1", "full disk")]
    assert [row.cause for row in await fixture.rows(IncidentRow)] == ["full disk"]
    assert [(row.who, row.before, row.after) for row in await fixture.rows(AuditRow) if row.what == "cause"] == [
        ("alice", "", "bad deploy"), ("bob", "bad deploy", "full disk"),
    ]  # fmt: skip


async def test_the_question_shows_the_answer_and_who_gave_it(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice")
    await causes.confirm(fixture.db, "INC-1", said(fixture, "full disk", "bob"))

    async with fixture.db.read() as session:
        content = await contents.load(session, "cause", "INC-1")
    (row,) = [row for row in await fixture.rows(MessageRow) if row.kind == "cause"]

    assert isinstance(content, CauseContent) and content.confirmed is not None
    assert (content.confirmed.text, content.confirmed.confirmed_by, row.wanted_rev) == ("full disk", "bob", 2)


async def test_secrets_in_what_people_say_are_not_stored(fixture: ApprovalsFixture) -> None:
    await causes.confirm(fixture.db, "INC-1", said(fixture, "password=hunter22secret was wrong"))

    assert "hunter22secret" not in (await fixture.rows(CauseRow))[0].text


async def test_what_nobody_confirmed_is_never_reused(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "policy")

    assert await past(fixture) == []


async def test_a_cause_of_an_incident_that_is_not_over_is_not_reused_yet(fixture: ApprovalsFixture) -> None:
    await causes.confirm(fixture.db, "INC-1", said(fixture, "full disk"))

    assert await past(fixture) == []


async def test_a_past_incident_tells_which_fix_was_verified(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")
    await fixture.propose("rollback", key="k2")
    async with fixture.db.write() as session:
        for number, state in ((1, "not recovered"), (2, "succeeded")):
            row = await session.get(ProposalRow, number)
            assert row is not None
            row.state = state
            session.add(row)
    await incidents.resolve(fixture.db, "INC-1", "alice", "bad deploy")

    (one,) = await PastIncidents(fixture.db, "", everything_public(fixture.db).recallable).confirmed(fixture.now - YEAR)

    assert {(fix.action, fix.verified) for fix in one.fixes} == {("restart", False), ("rollback", True)}


async def test_a_cause_told_after_the_draft_brings_a_new_draft(fixture: ApprovalsFixture) -> None:
    await incidents.resolve(fixture.db, "INC-1", "alice")
    drafts = Postmortems(fixture.db)
    await drafts.save("INC-1", 1, [], "")
    before = await drafts.due_drafts()
    fixture.pass_time(minutes=5)
    await causes.confirm(fixture.db, "INC-1", said(fixture, "full disk"))
    after = [due.n for due in await drafts.due_drafts()]
    await drafts.save("INC-1", 2, [], "")

    assert (before, after, await drafts.due_drafts()) == ([], [2], [])
