"""What waits is named by the triage above it."""

from datetime import timedelta
from pathlib import Path

from bot.core.investigation.triage_state import TriageState
from bot.core.messages.content import MessageKind
from bot.store import messages
from bot.store.alerts import groups
from bot.store.slack.investigation_contents import triage_content
from bot.store.slack.proposal_contents import proposal_content
from bot.store.tables import GroupRow, MessageRow, TriageRow
from tests.unit.approvals_fixture import open_approvals


async def test_the_triage_is_shown_anew_when_a_proposal_comes_and_when_it_is_decided(tmp_path: Path) -> None:
    fixture = await open_approvals(tmp_path)
    async with fixture.db.write() as session:
        await messages.touch(fixture.db, session, "triage:AL-1", channel="C1", kind=MessageKind.TRIAGE, subject="AL-1")

    async def wanted() -> int:
        return next(int(row.wanted_rev) for row in await fixture.rows(MessageRow) if row.key == "triage:AL-1")

    first = await wanted()
    await fixture.propose()
    proposed = await wanted()
    await fixture.press("AP-1", "bob", "deny", reason="no")

    assert first < proposed < await wanted()
    await fixture.close()


async def test_what_was_proposed_for_the_outage_before_is_named_as_such_and_no_button_of_the_new_triage(tmp_path: Path) -> None:
    fixture = await open_approvals(tmp_path)
    await fixture.propose()
    async with fixture.db.write() as session:
        session.add(TriageRow(group_id=1, attempt=1, state=TriageState.DONE, started_at=fixture.db.clock()))
    async with fixture.db.read() as session:
        now = await triage_content(session, "AL-1")
    async with fixture.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        group.renewed_at = fixture.db.clock() + timedelta(minutes=5)
        session.add(group)
    async with fixture.db.read() as session:
        renewed = await triage_content(session, "AL-1")

    assert now is not None and renewed is not None
    assert [(line.ref, line.of_before) for line in now.proposals] == [("AP-1", False)] and now.waiting is not None
    assert [(line.ref, line.of_before) for line in renewed.proposals] == [("AP-1", True)] and renewed.waiting is None
    await fixture.close()


async def test_when_the_alerts_clear_what_waits_says_so_on_its_card_and_in_the_triage(tmp_path: Path) -> None:
    fixture = await open_approvals(tmp_path)
    async with fixture.db.write() as session:
        await messages.touch(fixture.db, session, "triage:AL-1", channel="C1", kind=MessageKind.TRIAGE, subject="AL-1")
    await fixture.propose()
    before = {row.key: row.wanted_rev for row in await fixture.rows(MessageRow)}

    async with fixture.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        await groups.clear(fixture.db, session, group, fixture.db.clock())

    after = {row.key: row.wanted_rev for row in await fixture.rows(MessageRow)}
    assert all(after[key] > before[key] for key in ("triage:AL-1", "proposal:AP-1"))
    async with fixture.db.read() as session:
        content = await proposal_content(session, "AP-1")
    assert content is not None and content.alerts_cleared_at == fixture.db.clock()
    await fixture.close()
