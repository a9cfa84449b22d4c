"""A version that only the sender of a change names as the one before is not gone back to by one person's word."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.action import Proposal, Tier
from bot.core.errors import QueryFailed
from bot.store.tables import ChangeRow
from bot.workflows.remediation.by_hand import ManualRuns
from tests.unit.approvals_fixture import ApprovalsFixture, actor, open_approvals


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    made = await open_approvals(tmp_path)
    made.metrics.versions_are_seen = False
    yield made
    await made.close()


async def reported(fixture: ApprovalsFixture, id: str, **values: Any) -> None:
    fields = {"at": fixture.now - timedelta(minutes=5), "service": "checkout", "kind": "deploy", "title": "2.0", "source": "ci"}
    async with fixture.db.write() as session:
        session.add(ChangeRow(id=id, received_at=fixture.now, **{**fields, **values}))


async def rollback(fixture: ApprovalsFixture) -> Proposal:
    await reported(fixture, "ci:1", version="2.0", previous_version="1.9")
    return await fixture.propose("rollback")


async def test_the_card_says_so_and_the_tier_rises(fixture: ApprovalsFixture) -> None:
    proposal = await rollback(fixture)

    assert proposal.title.endswith("(version 1.9 is known from the source ci alone)") and proposal.tier is Tier.THREE
    assert "version 1.9 is known from the source ci alone: one tier higher" in proposal.dry_run


async def test_one_person_does_not_approve_it(fixture: ApprovalsFixture) -> None:
    await rollback(fixture)
    await fixture.press("AP-1", "bob", reason="it helps")

    assert await fixture.state("AP-1") == "partly approved"


async def test_another_source_that_reported_the_version_is_enough(fixture: ApprovalsFixture) -> None:
    await reported(fixture, "argocd:7", version="1.9", source="argocd", at=fixture.now - timedelta(days=2))
    proposal = await rollback(fixture)

    assert proposal.tier is Tier.TWO and "only ci" not in proposal.title


async def test_the_same_sender_proves_nothing_by_saying_it_twice(fixture: ApprovalsFixture) -> None:
    await reported(fixture, "ci:0", version="1.9", at=fixture.now - timedelta(days=2))

    assert (await rollback(fixture)).tier is Tier.THREE


async def test_series_that_carry_the_version_are_enough(fixture: ApprovalsFixture) -> None:
    fixture.metrics.versions_are_seen = True

    assert (await rollback(fixture)).tier is Tier.TWO


async def test_metrics_that_cannot_be_read_are_no_sign_that_it_ran(fixture: ApprovalsFixture) -> None:
    async def away(selector: str, **window: Any) -> list[dict[str, str]]:
        raise QueryFailed("Prometheus does not answer")

    fixture.metrics.label_sets = away  # type: ignore[method-assign]

    assert (await rollback(fixture)).tier is Tier.THREE


async def test_a_version_that_nothing_else_shows_any_more_is_named_as_why_it_does_not_run(fixture: ApprovalsFixture) -> None:
    async def away(selector: str, **window: Any) -> list[dict[str, str]]:
        raise QueryFailed("Prometheus does not answer")

    fixture.metrics.versions_are_seen = True
    proposal = await rollback(fixture)
    await fixture.press(proposal.ref, "bob", reason="it helps")
    fixture.metrics.label_sets = away  # type: ignore[method-assign]
    await fixture.approvals.wake_all([proposal.ref], "test")

    assert await fixture.ended(proposal.ref, seconds=1) == "superseded"
    outcome = (await fixture.store.load(proposal.ref)).outcome
    assert "it is tier 3 now and was approved as tier 2" in outcome and "known from the source ci alone" in outcome


async def test_a_rollback_that_names_no_version_is_as_it_was(fixture: ApprovalsFixture) -> None:
    assert (await fixture.propose("rollback")).tier is Tier.TWO


async def test_what_is_no_rollback_is_not_asked(fixture: ApprovalsFixture) -> None:
    await reported(fixture, "ci:1", version="2.0", previous_version="1.9")

    assert (await fixture.propose("rollforward")).tier is Tier.TWO


async def test_that_somebody_says_to_have_rolled_back_by_hand_is_no_other_record(tmp_path: Path) -> None:
    fixture = await open_approvals(tmp_path)
    fixture.metrics.versions_are_seen = False
    await reported(fixture, "ci:1", version="2.0", previous_version="1.9")
    first = await fixture.propose("rollback", key="a")
    await fixture.press(first.ref, "alice", "deny", reason="no")
    await ManualRuns(fixture.approvals).record("rollback", actor("alice"), service="checkout", group_ref="AL-1", key="by hand")

    assert (await fixture.propose("rollback", key="b")).tier is Tier.THREE
    await fixture.close()
