"""Standing approvals: who grants one and for what, what it starts, and everything that ends it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.core.actor import Actor
from bot.core.approvals.hints import Hint
from bot.core.config.autonomy import ServiceAutonomy
from bot.core.errors import ActionFailed, NotAllowed, QueryFailed
from bot.core.evidence import Findings, Hypothesis
from bot.store.approvals.switches import Switches
from bot.store.tables import AuditRow, EpisodeRow, MessageRow, ProposalRow
from bot.workflows.remediation.remediation import RemediationSteps
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.store.approvals.standing.granting import (
    CONFIGURED,
    RESTART,
    asked,
    fires,
    granted,
    proved,
    restarted,
    stands,
    unseen,
)


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await proved(tmp_path)
    yield fixture
    await fixture.close()


async def ends(fixture: ApprovalsFixture, ref: str) -> list[str]:
    """What the tick ends, and what is said of it."""
    await fixture.approvals.standing_approvals.sweep(await fixture.approvals.authority())
    return [row.subject for row in await fixture.rows(MessageRow) if row.key == f"line:standing-ended:{ref}"]


async def started_at_its_time(fixture: ApprovalsFixture, ref: str) -> str:
    """What becomes of a proposal when the time to stop it is over."""
    fixture.pass_time(minutes=5, seconds=1)
    return await fixture.approvals.start_standing(ref)


async def changed(fixture: ApprovalsFixture, table: Any, *conditions: Any, **values: Any) -> None:
    async with fixture.db.write() as session:
        await session.exec(update(table).where(*conditions).values(**values))


# ---------------------------------------------------------------- granting


async def test_what_two_people_granted_starts_by_itself_and_is_verified(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    fixture.http.sent.clear()

    proposal = await fires(fixture)
    state = await fixture.ended(proposal.ref, seconds=10)

    assert state == "succeeded" and len(fixture.http.sent) == 1
    started = next(row for row in await fixture.rows(AuditRow) if row.subject == proposal.ref and row.what == "standing")
    assert (started.who, started.before) == ("tocsin", ref)


async def test_nothing_starts_before_the_time_to_stop_it_is_over(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    proposal = await fires(fixture)

    fixture.pass_time(minutes=4)

    assert await fixture.approvals.start_standing(proposal.ref) == "pending"


async def test_one_person_grants_nothing(fixture: ApprovalsFixture) -> None:
    proposal = await asked(fixture)
    await fixture.approvals.prepare(proposal, actor("owner"))
    await fixture.approve(proposal.ref, "owner", key="o1")
    await fixture.approve(proposal.ref, "owner", key="o2")

    assert await fixture.state(proposal.ref) == "partly approved"


async def test_two_people_without_an_owner_grant_nothing(fixture: ApprovalsFixture) -> None:
    proposal = await asked(fixture)
    for who in ("alice", "bob"):
        await fixture.approvals.prepare(proposal, actor(who))
        await fixture.approve(proposal.ref, who, key=who)

    assert await fixture.state(proposal.ref) == "partly approved"


async def test_only_who_has_a_part_in_the_service_asks_for_one(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotAllowed, match="You can't ask for a standing approval on checkout"):
        await asked(fixture, "mallory")


@pytest.mark.parametrize("terms", [{"days": 91}, {"days": 0}, {"per_day": 0}, {"per_day": 11}])
async def test_no_grant_is_longer_or_wider_than_the_most(fixture: ApprovalsFixture, terms: dict[str, int]) -> None:
    with pytest.raises(ActionFailed):
        await asked(fixture, **terms)


async def test_an_action_that_was_not_verified_often_enough_is_not_granted(tmp_path: Path) -> None:
    fixture = await proved(tmp_path, runs=4)

    with pytest.raises(NotAllowed, match="verified 4 times in a row with exactly this, and 5 are needed"):
        await asked(fixture)
    await fixture.close()


async def test_a_grant_is_none_of_the_targets_of_an_hour(tmp_path: Path) -> None:
    fixture = await proved(tmp_path, runs=0)
    for number in range(5):
        proposal = await fixture.propose("restart", key=f"quick-{number}")
        await fixture.approve(proposal.ref, key=f"bob:{number}")
        assert await fixture.ended(proposal.ref, seconds=1) == "succeeded"

    await granted(fixture)

    with pytest.raises(NotAllowed, match="Blast radius: 6 targets of checkout"):
        await fixture.propose("restart", key="sixth")
    await fixture.close()


async def test_a_failure_begins_the_row_anew(fixture: ApprovalsFixture) -> None:
    fixture.metrics.values["errors"] = 0.5
    assert await restarted(fixture, "bad") == "not recovered"

    with pytest.raises(NotAllowed, match="verified 0 times in a row"):
        await asked(fixture)


async def test_rows_that_somebody_wrote_into_the_database_are_no_verified_runs(fixture: ApprovalsFixture) -> None:
    await changed(fixture, AuditRow, AuditRow.after == "succeeded", reason="forged")

    with pytest.raises(NotAllowed, match="verified 0 times in a row"):
        await asked(fixture)


async def test_what_the_ladder_does_not_let_stand_is_not_granted(fixture: ApprovalsFixture) -> None:
    fixture.config.autonomy["checkout"] = ServiceAutonomy()

    with pytest.raises(NotAllowed, match=r"is not standing in tocsin\.yaml"):
        await asked(fixture)


# ---------------------------------------------------------------- starting


async def test_anybody_stops_it_and_then_it_waits_for_people(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    proposal = await fires(fixture)

    answer = await fixture.approvals.standing_approvals.veto(proposal.ref, "mallory")

    assert "can still be approved" in answer
    assert await started_at_its_time(fixture, proposal.ref) == "pending"
    assert (await fixture.approve(proposal.ref, "bob")).state == "approved"


async def test_a_pause_holds_it_too(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    proposal = await fires(fixture)
    await Switches(fixture.db).pause("root", "no more")

    assert await started_at_its_time(fixture, proposal.ref) == "pending"


async def test_it_does_not_start_when_the_alert_no_longer_fires(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    proposal = await fires(fixture)
    await changed(fixture, EpisodeRow, status="resolved")

    assert await started_at_its_time(fixture, proposal.ref) == "pending"
    said = [row.subject for row in await fixture.rows(MessageRow) if row.key.startswith("line:standing-refused:")]
    assert said == [f"{proposal.ref} does not start by standing approval AP-6: ErrorsHigh does not fire on checkout. It waits for people."]  # fmt: skip # noqa: E501


async def test_it_does_not_start_once_a_granter_lost_the_right_to_grant(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    proposal = await fires(fixture)
    service = fixture.config.services["checkout"]
    fixture.config.services["checkout"] = service.model_copy(update={"owners": ("root",)})

    assert await started_at_its_time(fixture, proposal.ref) == "pending"


async def test_what_nobody_could_stop_because_its_card_never_stood_in_slack_waits_for_people(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    proposal = await unseen(fixture)
    fixture.http.sent.clear()

    assert await started_at_its_time(fixture, proposal.ref) == "pending"
    assert fixture.http.sent == []


async def test_a_card_that_came_at_the_last_moment_leaves_too_little_time_to_stop_it(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    proposal = await unseen(fixture)
    fixture.pass_time(minutes=4)
    await stands(fixture, proposal)
    fixture.pass_time(minutes=1, seconds=1)

    assert await fixture.approvals.start_standing(proposal.ref) == "pending"


async def test_of_who_granted_it_nobody_counts_whose_account_cannot_be_looked_up(fixture: ApprovalsFixture) -> None:
    async def away(team: str, user: str) -> Actor:
        raise QueryFailed("Slack does not answer")

    await granted(fixture)
    proposal = await fires(fixture)
    fixture.pass_time(minutes=5, seconds=1)

    assert await RemediationSteps(fixture.approvals, away).start_standing(proposal.ref) == "pending"


async def test_what_its_address_calls_disruptive_is_not_granted(tmp_path: Path) -> None:
    drains = {**CONFIGURED["actions"], "restart": {**RESTART, "url": "http://jobs.example/drain"}}
    fixture = await proved(tmp_path, actions=drains)
    with pytest.raises(NotAllowed, match="what drains never stands"):
        await asked(fixture)
    await fixture.close()


async def test_it_is_held_by_a_new_policy(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    fixture.config.__dict__["break_glass"] = ("root",)

    assert (await fixture.store.load((await fires(fixture)).ref)).state == "pending"
    assert not [row for row in await fixture.rows(AuditRow) if row.what == "standing offered"]


async def test_what_a_person_asked_for_or_a_model_proposed_is_not_started(fixture: ApprovalsFixture) -> None:
    await granted(fixture)

    await fixture.propose("restart", key="by a model")

    assert not [row for row in await fixture.rows(AuditRow) if row.what == "standing offered"]


async def test_what_the_rules_would_propose_without_the_model_starts_and_what_only_the_model_says_does_not(
    fixture: ApprovalsFixture,
) -> None:
    await granted(fixture)
    memory = Hypothesis(cause="memory ran out", kind="resource", confidence="likely", service="checkout")
    by_model = Findings(hypotheses=[memory])

    waits = await fixture.approvals.propose_fitting("AL-1", by_model, (), Findings())
    await fixture.press(waits.ref, "bob", "deny", reason="once more")
    fixture.pass_time(hours=1)
    hinted = await fixture.approvals.propose_fitting("AL-1", by_model, [Hint("mallory", "restart it!")], by_model)
    for ref in (waits.ref, hinted.ref):
        assert await fixture.approvals.standing_approvals.starts_at(ref) == ""


async def test_what_the_rules_propose_is_offered(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    memory = Findings(hypotheses=[Hypothesis(cause="memory", kind="resource", confidence="likely", service="checkout")])

    fitted = await fixture.approvals.propose_fitting("AL-1", memory, (), memory)

    assert await fixture.approvals.standing_approvals.starts_at(fitted.ref) != ""


async def test_other_arguments_are_not_covered(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    fixture.metrics.values["pods"] = 3.0

    await fixture.approvals.propose(
        "rollforward", "checkout", {}, group_ref="AL-1", requester="", because="E1", key="x", by_rules=True
    )

    assert not [row for row in await fixture.rows(AuditRow) if row.what == "standing offered"]


async def test_it_starts_so_many_a_day_and_no_more(fixture: ApprovalsFixture) -> None:
    await granted(fixture)
    for key in ("one", "two"):
        assert await fixture.ended((await fires(fixture, key)).ref, seconds=10) == "succeeded"
        fixture.pass_time(hours=1, minutes=1)

    third = await fires(fixture, "three")

    assert await fixture.approvals.standing_approvals.starts_at(third.ref) == ""


async def test_a_row_that_somebody_wrote_starts_nothing(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    proposal = await fixture.propose("restart", key="by a model")
    await changed(
        fixture, ProposalRow, ProposalRow.key == "by a model", standing_approval=ref, starts_at=fixture.now, state="approved",
        approved_at=fixture.now,
    )  # fmt: skip

    assert await fixture.approvals.start_standing(proposal.ref) == "approved"
    assert not (await fixture.claim(proposal.ref)).granted


async def test_a_proposal_that_was_made_a_grant_in_the_database_is_none(fixture: ApprovalsFixture) -> None:
    proposal = await asked(fixture)
    await changed(fixture, ProposalRow, ProposalRow.key == "grant", state="succeeded")

    assert await fixture.approvals.standing_approvals.starts_at((await fires(fixture)).ref) == ""
    assert await fixture.state(proposal.ref) == "succeeded"


# ---------------------------------------------------------------- ending


async def test_one_run_that_is_not_verified_ends_it_and_the_channel_is_told(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    fixture.metrics.values["errors"] = 0.5

    proposal = await fires(fixture)
    assert await fixture.ended(proposal.ref, seconds=10) == "not recovered"

    said = [row.subject for row in await fixture.rows(MessageRow) if row.key == f"line:standing-ended:{ref}"]
    assert said == [
        f"Standing approval {ref} (restart on checkout) has ended: {proposal.ref} (restart on checkout) ended as not "
        "recovered. It waits for people again."
    ]
    assert [row.who for row in await fixture.rows(AuditRow) if row.what == "standing revoked"] == ["tocsin"]


async def test_an_undo_by_people_ends_it(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    undo = await fixture.propose("rollforward", requester="alice", key="undo")
    await fixture.approve(undo.ref, "bob", reason="it made it worse")
    await fixture.ended(undo.ref, seconds=1)

    assert f"people undid it ({undo.ref})" in (await ends(fixture, ref))[0]


async def test_two_failed_verifications_in_a_row_anywhere_end_all(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    fixture.metrics.values["errors"] = 0.5
    for key in ("a", "b"):
        other = await fixture.propose("rollback", key=key)
        await fixture.approve(other.ref, "bob", reason="try", key=key)
        await fixture.ended(other.ref, seconds=1)
        for waiting in await fixture.store.waiting():
            await fixture.press(waiting.ref, "bob", "deny", reason="enough")

    assert "two failed verifications in a row" in (await ends(fixture, ref))[0]


async def test_a_new_version_of_its_entry_ends_it(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    entry = fixture.config.actions["restart"]
    fixture.config.actions["restart"] = entry.model_copy(update={"url": "http://jobs.example/elsewhere"})

    assert "its entry in the catalogue is another one" in (await ends(fixture, ref))[0]
    assert await fixture.approvals.standing_approvals.starts_at((await fires(fixture)).ref) == ""


async def test_it_ends_by_itself_when_its_time_is_over(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    fixture.pass_time(days=90)

    assert "its time is over" in (await ends(fixture, ref))[0]


async def test_what_people_revoke_starts_nothing_any_more_not_even_what_is_on_its_way(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    proposal = await fires(fixture)

    await fixture.approvals.standing_approvals.revoke(ref, "bob", "too often")

    assert await started_at_its_time(fixture, proposal.ref) == "pending"
    assert "bob revoked it: too often" in (await ends(fixture, ref))[0]


async def test_a_claim_that_waited_asks_again(fixture: ApprovalsFixture) -> None:
    ref = await granted(fixture)
    proposal = await fires(fixture)
    assert await started_at_its_time(fixture, proposal.ref) == "approved"
    await fixture.approvals.standing_approvals.revoke(ref, "bob", "too often")

    claimed = await fixture.claim(proposal.ref)

    assert (claimed.granted, claimed.state) == (False, "stale")
