"""Break-glass as rows: what makes it count, for how long, and who is told."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from bot.core.action import DecisionChoice
from bot.store.approvals.break_glass_reviews import BreakGlassReviews
from bot.store.approvals.decisions import DecisionResult, Press
from bot.store.tables import AuditRow, BreakGlassRow, DecisionRow, MessageRow, PageRow, ProposalRow
from tests.unit.approvals_fixture import ApprovalsFixture, actor, open_approvals

WHY = "no owner can be reached"


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path, {"break_glass": ["carol"], "default_channel": "C0"})
    yield fixture
    await fixture.close()


async def breaks_glass(fixture: ApprovalsFixture, ref: str, who: str = "carol", reason: str = WHY) -> DecisionResult:
    press = Press(ref, 1, actor(who), DecisionChoice.APPROVE, reason, break_glass=True)
    return await fixture.decisions.decide(press, await fixture.rotas.roster("checkout"))


async def changed(fixture: ApprovalsFixture, table: Any, **values: Any) -> None:
    async with fixture.db.write() as session:
        await session.exec(update(table).values(**values))


async def test_who_is_named_approves_tier_three_alone_and_it_may_start(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")

    pressed = await breaks_glass(fixture, "AP-1")

    assert pressed.text == "Approved: AP-1 starts now. Recorded as BREAK-GLASS."
    assert (await fixture.claim("AP-1")).granted
    assert (await fixture.attempt("AP-1")).permission == "go"


async def test_who_is_not_named_is_refused_and_the_refusal_is_audited(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")

    refused = await breaks_glass(fixture, "AP-1", "bob")

    assert not refused.counted and "Who may: carol" in refused.text
    assert [row.reason for row in await fixture.rows(AuditRow) if row.what == "refused: approve"] == [
        "break-glass: You are not named for break-glass."
    ]


async def test_both_channels_are_told_and_somebody_is_paged(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await breaks_glass(fixture, "AP-1")

    lines = {row.channel: row for row in await fixture.rows(MessageRow) if row.key.startswith("line:break-glass:")}
    assert set(lines) == {"C0", "C1"} and all(line.subject.startswith("BREAK-GLASS: carol") for line in lines.values())
    assert WHY in lines["C1"].subject and WHY not in lines["C0"].subject
    assert lines["C1"].thread_key == "" and lines["C1"].mentions == ["alice", "owner", "bob", "root"]
    page = next(row for row in await fixture.rows(PageRow) if row.key == "break-glass:AP-1")
    assert page.wanted == "open" and page.summary.startswith("BREAK-GLASS: carol approved AP-1 alone")


async def test_it_does_not_count_any_more_when_its_quarter_of_an_hour_is_over(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await breaks_glass(fixture, "AP-1")
    await changed(
        fixture, AuditRow, at=fixture.now
    )  # The approval itself would be too old too: only break-glass is asked here.
    fixture.pass_time(minutes=16)

    claimed = await fixture.claim("AP-1")

    assert not claimed.granted


async def test_it_does_not_count_once_the_configuration_names_the_person_no_more(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await breaks_glass(fixture, "AP-1")
    fixture.config.__dict__["break_glass"] = ()

    claimed = await fixture.claim("AP-1")

    assert (claimed.granted, claimed.state) == (False, "stale")


async def test_neither_a_column_nor_a_row_makes_an_ordinary_approval_count_alone(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await fixture.press("AP-1", "bob")
    moments = {"opened_at": fixture.now, "until": fixture.now.replace(year=2030), "review_by": fixture.now}
    async with fixture.db.write() as session:
        session.add(BreakGlassRow(person="bob", service="checkout", reason=WHY, proposals=["AP-1"], **moments))
    await changed(fixture, ProposalRow, break_glass=True, state="approved", approved_at=fixture.now)
    fixture.config.__dict__["break_glass"] = ("bob",)

    assert not (await fixture.claim("AP-1")).granted


async def test_a_row_of_the_audit_that_was_made_without_the_key_does_not_count(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await breaks_glass(fixture, "AP-1")
    await changed(fixture, AuditRow, after="2030-01-01T00:00:00.000000Z")

    assert not (await fixture.claim("AP-1")).granted


async def test_an_approval_without_its_decision_row_is_none(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await breaks_glass(fixture, "AP-1")
    async with fixture.db.write() as session:
        await session.exec(delete(DecisionRow))

    assert not (await fixture.claim("AP-1")).granted


async def test_an_ordinary_approval_of_the_same_person_may_become_one(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await fixture.press("AP-1", "carol")
    fixture.config.__dict__["approvers"] = fixture.config.approvers.model_copy(update={"deputies": ("carol",)})
    await fixture.press("AP-1", "carol", key="again")

    assert (await breaks_glass(fixture, "AP-1")).state == "approved"


async def test_two_in_one_quarter_of_an_hour_are_reviewed_as_one(fixture: ApprovalsFixture) -> None:
    for number, entry in enumerate(("failover", "rollforward"), 1):
        await fixture.propose(entry, key=entry)
        await breaks_glass(fixture, f"AP-{number}")
        await fixture.press(f"AP-{number}", "bob", "deny", reason="over")

    (use,) = await BreakGlassReviews(fixture.db, fixture.config).waiting()

    assert tuple(use.proposals) == ("AP-1", "AP-2")


async def test_a_review_ends_the_page_and_says_who_looked(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await breaks_glass(fixture, "AP-1")
    reviews = BreakGlassReviews(fixture.db, fixture.config)

    own = await reviews.review("AP-1", "carol", "all fine")
    other = await reviews.review("AP-1", "bob", "right call")

    assert (own.reviewed_by, other.reviewed_by) == ("", "bob")
    assert await reviews.waiting() == []
    assert [row.wanted for row in await fixture.rows(PageRow) if row.key == "break-glass:AP-1"] == ["clear"]


async def test_an_overdue_review_stands_in_the_way_of_the_next_use(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")
    await breaks_glass(fixture, "AP-1")
    await fixture.press("AP-1", "bob", "deny", reason="over")
    fixture.pass_time(days=8)
    await fixture.propose("rollforward", key="later")

    refused = await breaks_glass(fixture, "AP-2")

    assert "AP-1 is overdue for review" in refused.text


def test_a_press_is_no_break_glass_unless_it_says_so() -> None:
    press = Press("AP-1", 1, actor("carol"), DecisionChoice.APPROVE)

    assert not press.break_glass and replace(press, break_glass=True).break_glass
