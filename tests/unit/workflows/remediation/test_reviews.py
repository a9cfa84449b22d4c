"""What was approved by break-glass is reminded of every day, until somebody has reviewed it."""

from pathlib import Path

from bot.core.action import DecisionChoice
from bot.store.approvals.break_glass import BreakGlassReviews
from bot.store.approvals.decisions import Press
from bot.store.oversight.reminders import ReminderLines
from bot.store.tables import MessageRow
from bot.workflows.remediation.reviews import ReviewsTick
from tests.unit.approving import Office, actor, office


async def reminders(house: Office) -> list[str]:
    return [row.subject for row in await house.rows(MessageRow) if row.key.startswith("line:break-glass-review:")]


async def test_each_day_has_one_line_and_a_review_ends_them(tmp_path: Path) -> None:
    house = await office(tmp_path, {"break_glass": ["carol"], "default_channel": "C0"})
    await house.propose("failover")
    press = Press("AP-1", 1, actor("carol"), DecisionChoice.APPROVE, "nobody answers", break_glass=True)
    await house.decisions.decide(press, await house.rotas.roster("checkout"))
    reviews = BreakGlassReviews(house.db, house.config)
    tick = ReviewsTick(reviews, ReminderLines(house.db))

    await tick()
    assert await reminders(house) == []
    house.pass_time(days=1)
    await tick()
    await tick()
    house.pass_time(days=6)
    await tick()
    await reviews.review("AP-1", "bob", "right call")
    house.pass_time(days=1)
    await tick()

    first, second = await reminders(house)
    assert "is due by" in first and "was due" in second and "break-glass review AP-1" in first
    await house.close()
