"""Once another cause is first, what was put to people against the one before waits no longer, unless it is theirs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.core.approvals.hints import Hint
from bot.core.approvals.remedies import OUTDATED
from bot.core.evidence import Claim, Findings, Hypothesis
from bot.store.tables import ChangeRow, GroupRow
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals

TWO_APPROVE = {"kind": "run_webhook", "url": "http://jobs.example/back", "helps": ["change"], "tier": 3}


async def open_fixture(tmp_path: Path, config: dict[str, Any] | None = None) -> ApprovalsFixture:
    fixture = await open_approvals(tmp_path, config)
    async with fixture.db.write() as session:
        for id in ("d1", "d2"):
            about = {"service": "checkout", "kind": "deploy", "title": id, "version": "2", "previous_version": "1"}
            session.add(ChangeRow(id=id, at=fixture.now, received_at=fixture.now, **about))
    return fixture


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_fixture(tmp_path)
    yield fixture
    await fixture.close()


async def ranked(
    fixture: ApprovalsFixture, change: str, confidence: Literal["likely", "unlikely"] = "likely", hints: tuple[Hint, ...] = ()
) -> str:
    """The proposal that stands after a ranking that has this change first."""
    first = Hypothesis(cause=change, kind="change", change_id=change, confidence=confidence, service="checkout")
    return (await fixture.approvals.propose_fitting("AL-1", Findings(hypotheses=[first]), hints)).ref


async def test_what_helps_against_another_cause_is_superseded_and_says_why(fixture: ApprovalsFixture) -> None:
    first, second = await ranked(fixture, "d1"), await ranked(fixture, "d2")

    assert (first, second) == ("AP-1", "AP-2")
    assert await fixture.ended("AP-1", seconds=1) == "superseded"
    assert ((await fixture.store.load("AP-1")).outcome, await fixture.state("AP-2")) == (OUTDATED, "pending")


async def test_it_is_put_to_people_once_more_when_its_cause_is_first_again(fixture: ApprovalsFixture) -> None:
    refs = [await ranked(fixture, change) for change in ("d1", "d2", "d1", "d1")]

    assert refs == ["AP-1", "AP-2", "AP-3", "AP-3"]


async def test_a_likely_cause_that_nothing_helps_against_supersedes_it_and_an_unlikely_one_does_not(
    fixture: ApprovalsFixture,
) -> None:
    await ranked(fixture, "d1")
    await ranked(fixture, "d2", "unlikely")
    still = await fixture.state("AP-1")
    provider = Hypothesis(cause="the provider fails", kind="external", confidence="likely", service="checkout")
    await fixture.approvals.propose_fitting("AL-1", Findings(hypotheses=[provider]), ())

    assert (still, await fixture.state("AP-1")) == ("pending", "superseded")


async def test_what_somebody_approved_already_stays(tmp_path: Path) -> None:
    fixture = await open_fixture(tmp_path, {"actions": {"rollback": TWO_APPROVE}})
    await ranked(fixture, "d1")
    await fixture.press("AP-1", "bob", reason="it is the deploy")
    await ranked(fixture, "d2")

    assert await fixture.state("AP-1") == "partly approved"
    await fixture.close()


async def test_what_somebody_asked_for_stays(fixture: ApprovalsFixture) -> None:
    await ranked(fixture, "d1", hints=(Hint("carol", "please rollback checkout"),))
    await ranked(fixture, "d2")

    assert await fixture.state("AP-1") == "pending"


async def test_what_the_evidence_rules_out_is_superseded_also_where_nothing_else_is_sure(fixture: ApprovalsFixture) -> None:
    await ranked(fixture, "d1")
    lead = Hypothesis(cause="d2", kind="change", change_id="d2", confidence="unlikely", service="checkout")
    cleared = Claim(text="deploy d1: both versions show the same", evidence=["E1"], change_id="d1")
    await fixture.approvals.propose_fitting("AL-1", Findings(hypotheses=[lead], ruled_out=[cleared]), ())

    assert await fixture.state("AP-1") == "superseded"


async def test_what_was_put_to_people_for_the_outage_before_is_not_superseded_by_a_ranking_of_the_next(
    fixture: ApprovalsFixture,
) -> None:
    await ranked(fixture, "d1")
    fixture.pass_time(minutes=1)
    async with fixture.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        group.renewed_at = fixture.now
    await ranked(fixture, "d2")

    assert await fixture.state("AP-1") == "pending"


async def test_once_somebody_took_the_change_back_nobody_is_asked_to_do_it_again(fixture: ApprovalsFixture) -> None:
    await ranked(fixture, "d1")
    back = {"service": "checkout", "kind": "deploy", "title": "back", "version": "1", "previous_version": "2"}
    fixture.pass_time(minutes=1)
    async with fixture.db.write() as session:
        session.add(ChangeRow(id="back", at=fixture.now, received_at=fixture.now, **back))

    assert await ranked(fixture, "d1") == ""
    assert await fixture.state("AP-1") == "superseded"
