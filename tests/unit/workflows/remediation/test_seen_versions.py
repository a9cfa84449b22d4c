"""A version that only the sender of a change names as the one before is not gone back to by one person's word."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.action import Proposal, Tier
from bot.core.errors import QueryFailed
from bot.store.tables import ChangeRow
from tests.unit.approving import Office, actor, office


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    made = await office(tmp_path)
    made.metrics.versions_are_seen = False
    yield made
    await made.close()


async def reported(house: Office, id: str, **values: Any) -> None:
    fields = {"at": house.now - timedelta(minutes=5), "service": "checkout", "kind": "deploy", "title": "2.0", "source": "ci"}
    async with house.db.write() as session:
        session.add(ChangeRow(id=id, received_at=house.now, **{**fields, **values}))


async def rollback(house: Office) -> Proposal:
    await reported(house, "ci:1", version="2.0", previous_version="1.9")
    return await house.propose("rollback")


async def test_the_card_says_so_and_the_tier_rises(house: Office) -> None:
    proposal = await rollback(house)

    assert proposal.title.endswith("(version 1.9 is known from the source ci alone)") and proposal.tier is Tier.THREE
    assert "version 1.9 is known from the source ci alone: one tier higher" in proposal.dry_run


async def test_one_person_does_not_approve_it(house: Office) -> None:
    await rollback(house)
    await house.press("AP-1", "bob", reason="it helps")

    assert await house.state("AP-1") == "partly approved"


async def test_another_source_that_reported_the_version_is_enough(house: Office) -> None:
    await reported(house, "argocd:7", version="1.9", source="argocd", at=house.now - timedelta(days=2))
    proposal = await rollback(house)

    assert proposal.tier is Tier.TWO and "only ci" not in proposal.title


async def test_the_same_sender_proves_nothing_by_saying_it_twice(house: Office) -> None:
    await reported(house, "ci:0", version="1.9", at=house.now - timedelta(days=2))

    assert (await rollback(house)).tier is Tier.THREE


async def test_series_that_carry_the_version_are_enough(house: Office) -> None:
    house.metrics.versions_are_seen = True

    assert (await rollback(house)).tier is Tier.TWO


async def test_metrics_that_cannot_be_read_are_no_sign_that_it_ran(house: Office) -> None:
    async def away(selector: str, **window: Any) -> list[dict[str, str]]:
        raise QueryFailed("Prometheus does not answer")

    house.metrics.label_sets = away  # type: ignore[method-assign]

    assert (await rollback(house)).tier is Tier.THREE


async def test_a_rollback_that_names_no_version_is_as_it_was(house: Office) -> None:
    assert (await house.propose("rollback")).tier is Tier.TWO


async def test_what_is_no_rollback_is_not_asked(house: Office) -> None:
    await reported(house, "ci:1", version="2.0", previous_version="1.9")

    assert (await house.propose("rollforward")).tier is Tier.TWO


async def test_that_somebody_says_to_have_rolled_back_by_hand_is_no_other_record(tmp_path: Path) -> None:
    house = await office(tmp_path)
    house.metrics.versions_are_seen = False
    await reported(house, "ci:1", version="2.0", previous_version="1.9")
    first = await house.propose("rollback", key="a")
    await house.press(first.ref, "alice", "deny", reason="no")
    await house.approvals.record_manual("rollback", actor("alice"), service="checkout", group_ref="AL-1", key="by hand")

    assert (await house.propose("rollback", key="b")).tier is Tier.THREE
    await house.close()
