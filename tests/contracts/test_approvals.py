"""Approvals with two replicas on PostgreSQL: every count and every claim is right, whoever comes first."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import select

from bot.store import audit
from bot.store.approvals.switches import Switches
from bot.store.db.database import async_url
from bot.store.tables import AuditRow, DecisionRow, ProposalRow
from tests.unit.approvals_fixture import ApprovalsFixture


@pytest.fixture
async def replicas(postgres_url: str, tmp_path: Any) -> AsyncIterator[list[ApprovalsFixture]]:
    url = async_url(postgres_url, tmp_path)
    first, second = await ApprovalsFixture(url).open(), ApprovalsFixture(url)
    yield [first, second]
    await second.close()
    await first.close()


async def rows(fixture: ApprovalsFixture, table: Any) -> list[Any]:
    async with fixture.db.read() as session:
        return list((await session.exec(select(table))).all())


async def test_twenty_clickers_on_two_replicas_are_one_approval(replicas: list[ApprovalsFixture]) -> None:
    await replicas[0].propose("restart")

    clicks = (replicas[n % 2].press("AP-1", ["bob", "alice"][n // 2 % 2]) for n in range(20))
    pressed = await asyncio.gather(*clicks)

    approved = [row for row in await rows(replicas[0], AuditRow) if (row.what, row.after) == ("proposal", "approved")]
    assert (len(approved), sum(p.counted for p in pressed)) == (1, 1)
    assert await audit.verify(replicas[0].db) is None


async def test_one_persons_presses_on_two_replicas_are_one_decision(replicas: list[ApprovalsFixture]) -> None:
    await replicas[0].propose("failover")

    await asyncio.gather(*(fixture.press("AP-1", "bob") for fixture in replicas * 5))

    assert len(await rows(replicas[0], DecisionRow)) == 1


async def test_two_replicas_call_once(replicas: list[ApprovalsFixture]) -> None:
    await replicas[0].propose("restart")
    await replicas[0].press("AP-1", "bob")

    async def press_and_claim(fixture: ApprovalsFixture, workflow: str) -> None:
        if (await fixture.claim("AP-1", workflow)).granted:
            await fixture.execute("AP-1", workflow)

    await asyncio.gather(*(press_and_claim(replicas[n % 2], f"w{n % 2}") for n in range(10)))

    assert len(replicas[0].http.sent) + len(replicas[1].http.sent) == 1


async def test_the_same_request_on_two_replicas_is_one_proposal(replicas: list[ApprovalsFixture]) -> None:
    found = await asyncio.gather(*(fixture.propose("restart", key="same") for fixture in replicas * 3))

    assert {proposal.ref for proposal in found} == {"AP-1"}
    assert len(await rows(replicas[0], ProposalRow)) == 1


async def test_a_denial_and_an_approval_at_once_end_in_one_state(replicas: list[ApprovalsFixture]) -> None:
    await replicas[0].propose("restart")

    await asyncio.gather(replicas[0].press("AP-1", "bob"), replicas[1].press("AP-1", "alice", "deny", reason="no"))

    assert await replicas[0].state("AP-1") == "denied"
    assert not (await replicas[1].claim("AP-1")).granted


async def test_a_stop_on_one_replica_holds_the_other(replicas: list[ApprovalsFixture]) -> None:
    await replicas[0].propose("restart")
    await replicas[0].press("AP-1", "bob")

    await asyncio.gather(Switches(replicas[0].db).stop("AL-1", "mallory"), replicas[1].press("AP-1", "alice"))

    assert not (await replicas[1].claim("AP-1")).granted
