"""The verbs of approvals, as people use them."""

from datetime import datetime
from pathlib import Path

import pytest

from bot.commands.admin import admin
from bot.commands.approve import approve
from bot.commands.deny import deny
from bot.commands.did import did
from bot.commands.did_not import did_not
from bot.commands.investigate import investigate
from bot.commands.lead import lead
from bot.commands.postmortem import postmortem
from bot.commands.propose import propose
from bot.commands.show import show
from bot.commands.stop import stop
from bot.commands.whoami import whoami
from bot.core.errors import ActionFailed, NotAllowed, NotFound
from bot.plugins import Command, FieldErrors, Form, Reply
from bot.ports import Run
from bot.store.alerts import groups
from bot.store.tables import GroupRow
from bot.store.triage.triage import Triages
from tests.real import wait_until
from tests.unit.approvals_fixture import CONFIG, ApprovalsFixture, open_approvals
from tests.unit.commands.using import use


async def test_text_never_approves(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")

    reply = await use(fixture, approve, "bob", entry_point="mention")

    assert "never approve" in reply.text
    assert await fixture.state("AP-1") == "pending"


async def test_tier_one_is_approved_by_the_button(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")

    assert (await use(fixture, approve, "bob")).text == "Approved: AP-1 starts now."


async def test_tier_two_opens_the_plan_and_its_submission_approves(fixture: ApprovalsFixture) -> None:
    await fixture.propose("rollback")

    form = await use(fixture, approve, "bob")
    assert isinstance(form, Form) and "http://jobs.example/rollback" in form.code
    reply = await use(fixture, approve, "bob", entry_point="modal", revision=form.revision, fields={"reason": "E1"})

    assert reply.text == "Approved: AP-1 starts now."


async def cleared(fixture: ApprovalsFixture, unconfirmed_at: datetime | None = None) -> None:
    """All alerts of AL-1 ended."""
    async with fixture.db.write() as session:
        group = await session.get(GroupRow, 1)
        assert group is not None
        await groups.clear(fixture.db, session, group, fixture.now)
        group.unconfirmed_at = unconfirmed_at


async def test_the_dialog_says_that_the_alerts_have_cleared_meanwhile(fixture: ApprovalsFixture) -> None:
    await fixture.propose("rollback")
    assert "cleared" not in (await use(fixture, approve, "bob")).intro
    await cleared(fixture)

    form = await use(fixture, approve, "bob")

    moment = f"Alerts cleared at {fixture.now:%H:%M} UTC. Cancel, and deny it, if it is no longer needed."
    assert form.intro.split("\n")[1] == moment


async def test_the_dialog_does_not_say_cleared_where_nobody_could_check(fixture: ApprovalsFixture) -> None:
    await fixture.propose("rollback")
    await cleared(fixture, unconfirmed_at=fixture.now)

    assert "cleared" not in (await use(fixture, approve, "bob")).intro


async def test_the_requester_is_refused_before_any_dialog(fixture: ApprovalsFixture) -> None:
    await fixture.propose("rollback", requester="alice")

    with pytest.raises(NotAllowed, match=r"You asked for this.*Who may: checkout on-call"):
        await use(fixture, approve, "alice")


async def test_tier_three_wants_the_targets_name_typed(fixture: ApprovalsFixture) -> None:
    await fixture.propose("failover")

    wrong = await use(fixture, approve, "bob", entry_point="modal", fields={"target": "search", "reason": ""})
    right = await use(fixture, approve, "bob", entry_point="modal", fields={"target": "checkout", "reason": ""}, key="again")

    assert isinstance(wrong, FieldErrors)
    assert "an owner of checkout is still needed" in right.text


async def test_a_late_press_is_answered_with_what_happened(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")
    await fixture.press("AP-1", "alice", "deny", reason="no")

    assert "already denied by alice" in (await use(fixture, approve, "bob")).text


async def test_a_denial_needs_a_reason(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")

    assert isinstance(await use(fixture, deny, "bob"), Form)
    assert (await use(fixture, deny, "bob", text="wrong service")).text == "Denied: AP-1 will not run."


async def test_a_person_of_the_roster_proposes_and_is_the_requester(fixture: ApprovalsFixture) -> None:
    reply = await use(fixture, propose, "alice", ref="AL-1", text="rollback", entry_point="slash")

    assert reply.text.startswith("AP-1 stands in the thread of AL-1: ")
    assert (await fixture.store.load("AP-1")).requester == "alice"


async def test_a_proposal_of_no_alert_is_said_to_stand_in_the_channel_where_it_stands(fixture: ApprovalsFixture) -> None:
    reply = await use(fixture, propose, "alice", ref="", text="rollback", options={"service": "checkout"}, channel="C9")

    assert reply.text.startswith("AP-1 stands in the channel, as it belongs to no alert: ")


async def test_any_member_stops_and_nobody_approves_until_the_on_call_resumes(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")
    await use(fixture, stop, "mallory", ref="AL-1")

    assert "was stopped" in (await use(fixture, approve, "bob")).text


async def test_everything_is_paused_by_an_on_call_and_resumed_by_an_admin(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotAllowed):
        await use(fixture, admin, "mallory", text="pause", ref="")
    await use(fixture, admin, "alice", text="pause deploys", ref="")
    with pytest.raises(NotAllowed):
        await use(fixture, admin, "alice", text="resume", ref="")

    assert "root resumed automated actions" in (await use(fixture, admin, "root", text="resume", ref="")).text


async def test_handing_over_the_lead_hands_over_the_right_to_approve(fixture: ApprovalsFixture) -> None:
    await use(fixture, lead, "owner", ref="INC-1")
    await fixture.propose("restart")
    await use(fixture, lead, "owner", ref="INC-1", text="<@UCAROL>")

    assert "You can't approve this" in (await use(fixture, approve, "owner")).text
    assert (await use(fixture, approve, "carol")).text.startswith("Approved")


async def test_taking_the_lead_without_the_roster_gives_no_right(fixture: ApprovalsFixture) -> None:
    reply = await use(fixture, lead, "mallory", ref="INC-1")
    await fixture.propose("restart")

    assert "gives no right to approve" in reply.text
    assert "You can't approve this" in (await use(fixture, approve, "mallory")).text


async def test_a_lead_that_somebody_of_another_rota_takes_gives_no_right_until_it_is_handed_over(tmp_path: Path) -> None:
    elsewhere = {"on_call": {"rotation": ["mallory"]}, "channel": "C1"}
    fixture = await open_approvals(tmp_path, {"services": {**CONFIG["services"], "search": elsewhere}})
    reply = await use(fixture, lead, "mallory", ref="INC-1")
    await fixture.propose("restart")
    refused = await use(fixture, approve, "mallory")

    await use(fixture, lead, "alice", ref="INC-1", text="<@UMALLORY>")
    approved = await use(fixture, approve, "mallory")

    assert "lead that is taken gives no right" in reply.text
    assert "You can't approve this" in refused.text and approved.text.startswith("Approved")
    await fixture.close()


async def test_did_counts_from_people_whose_service_it_is(tmp_path: Path) -> None:
    elsewhere = {"on_call": {"rotation": ["mallory"]}, "channel": "C1"}
    fixture = await open_approvals(tmp_path, {"services": {**CONFIG["services"], "search": elsewhere}})

    with pytest.raises(NotAllowed, match="You can't record an action on checkout"):
        await use(fixture, did, "mallory", ref="INC-1", text="restart")
    assert "Recorded as AP-1" in (await use(fixture, did, "alice", ref="INC-1", text="restart")).text
    await fixture.close()


async def test_a_press_of_a_button_that_the_card_does_not_have_records_nothing(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart")

    with pytest.raises(NotAllowed, match="no such button"):
        await use(fixture, did, "alice", entry_point="button")
    assert (await fixture.store.load("AP-1")).state == "pending"


async def test_whoami_says_what_may_be_approved(fixture: ApprovalsFixture) -> None:
    reply = await use(fixture, whoami, "alice", ref="AL-1")

    assert isinstance(reply, Reply)
    assert "checkout: on-call. You may approve: tiers 1 to 3." in reply.text


async def test_a_name_that_nobody_has_never_makes_the_speaker_lead(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match="Nobody here is called zoe"):
        await use(fixture, lead, "alice", ref="INC-1", text="zoe")


async def test_a_word_that_is_no_service_is_not_taken_for_the_threads(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match="paymnts is no service"):
        await use(fixture, propose, "alice", ref="AL-1", text="rollback paymnts", entry_point="slash")


async def test_a_value_that_is_missing_is_named_with_the_way_to_give_it(fixture: ApprovalsFixture) -> None:
    with pytest.raises(ActionFailed, match="needs change_id: no change of search that fits is recorded"):
        await use(fixture, propose, "alice", ref="AL-1", text="revert search", entry_point="slash")


async def test_a_value_that_the_entry_does_not_use_is_refused(fixture: ApprovalsFixture) -> None:
    with pytest.raises(NotFound, match="restart takes no bogus="):
        await use(fixture, propose, "alice", ref="AL-1", text="restart", options={"bogus": "1"}, entry_point="slash")


async def test_pausing_what_is_paused_tells_by_whom_and_why(fixture: ApprovalsFixture) -> None:
    first = await use(fixture, admin, "alice", ref="", text="pause odd numbers")
    again = await use(fixture, admin, "bob", ref="", text="pause")

    assert "by alice (odd numbers)" in first.text and not first.private
    assert again.text.startswith("Already paused by alice: odd numbers") and again.private


@pytest.mark.parametrize(("verb", "text"), [(admin, "puase"), (show, "checkout"), (show, "AL-x"), (postmortem, "pdf")])
async def test_a_word_that_a_verb_does_not_know_is_refused_and_not_ignored(
    fixture: ApprovalsFixture, verb: Command, text: str
) -> None:
    with pytest.raises(NotFound, match=text):
        await use(fixture, verb, "alice", ref="INC-1", text=text, entry_point="slash")


async def test_what_is_said_while_a_model_looks_is_taken_into_the_triage_that_runs(fixture: ApprovalsFixture) -> None:
    begun: list[str] = []

    async def workflow(run: Run, ref: str, attempt: int, question: str, requester: str) -> None:
        begun.append(f"{ref} {attempt} {question}")

    fixture.engine.register("triage", workflow)
    triages = Triages(fixture.db)
    await triages.open("AL-1", 1, "", "")
    asked = {"ref": "AL-1", "entry_point": "mention", "text": "it was the pool"}
    await triages.update("AL-1", 1, state="investigating", findings={"hypotheses": []})

    reply = await use(fixture, investigate, "ann", **asked)
    await triages.update("AL-1", 1, state="done")
    await use(fixture, investigate, "ann", **asked)
    await wait_until(lambda: bool(begun))

    assert "Taken into the triage of AL-1 that is running" in reply.text and begun == ["AL-1 2 it was the pool"]
    assert [hint.endswith("it was the pool") for hint in await triages.hints("AL-1", 1)] == [True]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "matchers: name at least the alert, e.g. alertname=HighErrorRate"),
        ({"alertname": "High"}, "duration: say how long, e.g. duration=2h"),
        ({"alertname": "High", "duration": "soon"}, "duration: not a duration: write for example 90s, 5m"),
    ],
)
async def test_a_wrong_argument_is_named(tmp_path: Path, options: dict[str, str], told: str) -> None:
    fixture = await open_approvals(tmp_path, {**CONFIG, "actions": {"silence": {"kind": "silence_alert"}}})

    with pytest.raises(ActionFailed) as refused:
        await use(fixture, propose, "alice", ref="AL-1", entry_point="slash", text="silence", options=options)

    assert str(refused.value).startswith(told)
    await fixture.close()


@pytest.mark.parametrize(("text", "state"), [("", "verifying"), ("not", "failed"), ("Not as far as I see", "failed")])
async def test_did_says_on_the_card_what_came_of_an_unknown_run(fixture: ApprovalsFixture, text: str, state: str) -> None:
    proposal = await fixture.propose("restart", requester="alice")
    await fixture.press(proposal.ref, "bob")
    await fixture.claim(proposal.ref, "w1")
    await fixture.attempt(proposal.ref, "w1")
    await fixture.execute(proposal.ref, "w1")

    reply = await use(fixture, did, "alice", text=text)

    assert reply.text.startswith("Recorded on AP-1: it ") and (await fixture.store.load("AP-1")).state == state


async def test_did_not_of_what_never_ran_says_how_it_stands(fixture: ApprovalsFixture) -> None:
    await fixture.propose("restart", requester="alice")

    reply = await use(fixture, did_not, "alice")

    assert reply.text == "AP-1 is pending."
