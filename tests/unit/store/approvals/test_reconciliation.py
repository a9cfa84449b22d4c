"""Whoever holds the database changes rows past the bot: what differs from the audit is named, and nothing runs twice."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.core.approvals.authority import Authority
from bot.store.approvals.reconciliation import contradictions
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals

KEPT = timedelta(days=400)


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    """AP-1 was approved by alice and ran."""
    fixture = await open_approvals(tmp_path)
    await fixture.propose("restart")
    await fixture.press("AP-1", "alice")
    await fixture.approvals.wake_all(["AP-1"], "decision")
    assert await fixture.ended("AP-1", seconds=1) in ("succeeded", "not recovered", "could not verify")
    yield fixture
    await fixture.close()


async def change(fixture: ApprovalsFixture, statement: str, **values: Any) -> None:
    async with fixture.db.write() as session:
        await session.exec(text(statement).bindparams(**values))  # type: ignore[call-overload]


async def test_what_nobody_changed_agrees_with_the_audit(fixture: ApprovalsFixture) -> None:
    assert await contradictions(fixture.db, KEPT) == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM decisions", "AP-1 lacks the answer that alice gave by the audit"),
        ("UPDATE decisions SET verdict = 'deny'", "AP-1 has another answer of alice than the audit"),
        ("UPDATE decisions SET person = 'bob'", "AP-1 lacks the answer that alice gave by the audit"),
        ("DELETE FROM claims", "AP-1 lacks its claim"),
        ("DELETE FROM attempts", "AP-1 lacks its attempt"),
        ("UPDATE attempts SET idempotency_key = 'AP-1:9:x'", "AP-1 has another idempotency key than the audit"),
        ("UPDATE attempts SET outcome = 'nothing'", "AP-1 has another outcome of its attempt than the audit"),
        ("DELETE FROM proposals", "AP-1 is gone from the table of proposals, and the audit tells of it"),
        ("UPDATE proposals SET state = 'pending'", "AP-1 is pending in its table, and "),
    ],
)
async def test_a_change_of_a_row_is_named(fixture: ApprovalsFixture, statement: str, problem: str) -> None:
    await change(fixture, statement)

    assert (await contradictions(fixture.db, KEPT))[0].startswith(problem)


async def test_what_retention_deleted_contradicts_nothing(fixture: ApprovalsFixture) -> None:
    for table in ("proposals", "decisions", "claims", "attempts"):
        await change(fixture, f"DELETE FROM {table}")
    fixture.pass_time(days=401)

    assert await contradictions(fixture.db, KEPT) == []


async def test_what_ran_is_not_claimed_again_though_its_claim_is_gone(fixture: ApprovalsFixture) -> None:
    calls = len(fixture.http.sent)
    await change(fixture, "DELETE FROM claims")
    await change(fixture, "DELETE FROM attempts")
    await change(fixture, "UPDATE proposals SET state = 'approved'")

    roster = await fixture.rotas.roster("checkout")
    result = await fixture.claims.claim("AP-1", "another workflow", Authority(roster, fixture.executor.versions()))

    assert not result.granted and "was claimed before" in result.why and len(fixture.http.sent) == calls
