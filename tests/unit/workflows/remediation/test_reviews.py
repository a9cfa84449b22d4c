"""What was approved by break-glass is reminded of every day, until somebody has reviewed it."""

from pathlib import Path

from bot.core.action import DecisionChoice
from bot.store.approvals.break_glass_reviews import BreakGlassReviews
from bot.store.approvals.decisions import Press
from bot.store.oversight.reminders import ReminderLines
from bot.store.tables import MessageRow
from bot.workflows.remediation.reviews import ReviewsTick
from tests.unit.approvals_fixture import ApprovalsFixture, actor, open_approvals


async def reminders(fixture: ApprovalsFixture) -> list[str]:
    return [row.subject for row in await fixture.rows(MessageRow) if row.key.startswith("line:break-glass-review:")]


async def test_each_day_has_one_line_and_a_review_ends_them(tmp_path: Path) -> None:
    fixture = await open_approvals(tmp_path, {"break_glass": ["carol"], "default_channel": "C0"})
    await fixture.propose("failover")
    press = Press("AP-1", 1, actor("carol"), DecisionChoice.APPROVE, "nobody answers", break_glass=True)
    await fixture.decisions.decide(press, await fixture.rotas.roster("checkout"))
    reviews = BreakGlassReviews(fixture.db, fixture.config)
    tick = ReviewsTick(reviews, ReminderLines(fixture.db))

    await tick()
    assert await reminders(fixture) == []
    fixture.pass_time(days=1)
    await tick()
    await tick()
    fixture.pass_time(days=6)
    await tick()
    await reviews.review("AP-1", "bob", "right call")
    fixture.pass_time(days=1)
    await tick()

    first, second = await reminders(fixture)
    assert "is due by" in first and "was due" in second and "break-glass review AP-1" in first
    await fixture.close()
