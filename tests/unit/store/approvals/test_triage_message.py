"""What waits is named by the triage above it."""

from pathlib import Path

from bot.core.messages.content import MessageKind
from bot.store import messages
from bot.store.tables import MessageRow
from tests.unit.approving import office


async def test_the_triage_is_shown_anew_when_a_proposal_comes_and_when_it_is_decided(tmp_path: Path) -> None:
    house = await office(tmp_path)
    async with house.db.write() as session:
        await messages.touch(house.db, session, "triage:AL-1", channel="C1", kind=MessageKind.TRIAGE, subject="AL-1")

    async def wanted() -> int:
        return next(int(row.wanted_rev) for row in await house.rows(MessageRow) if row.key == "triage:AL-1")

    first = await wanted()
    await house.propose()
    proposed = await wanted()
    await house.press("AP-1", "bob", "deny", reason="no")

    assert first < proposed < await wanted()
    await house.close()
