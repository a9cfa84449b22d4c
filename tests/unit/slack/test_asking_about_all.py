"""A question about all that is open in a channel: answered there for everybody, yes or no first, then one line for each."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.actor import Visibility
from bot.core.approvals.roster import OnCallNow
from bot.core.evidence import Case, Claim, Evidence, Findings, Hypothesis
from bot.core.facts.evidence_facts import EvidenceFacts
from bot.core.facts.measured import CurrentFact
from bot.core.messages.investigation import AnswerContent
from bot.core.tool_calls import CHANGES, Basis, ToolRole
from bot.plugins import Tool, ToolContext, tool
from bot.slack.listeners import on_mention, on_message, on_slash
from bot.slack.view_context import ViewContext
from bot.slack.views import answer as view
from bot.store.answers.questions import Questions
from bot.store.slack import message_contents as contents
from bot.store.slack.withheld import WithheldMessages
from bot.store.tables import GroupRow, IncidentRow, MessageRow, QuestionRow
from bot.store.triage.triage import Triages
from bot.workflows.investigation.question_checks import QuestionChecks
from bot.workflows.investigation.questions import QuestionSteps, question
from bot.workflows.investigation.tool_running import ToolRunner
from tests.unit.approvals_fixture import ApprovalsFixture, open_approvals
from tests.unit.builders import change
from tests.unit.slack.test_asking import ended, mention, router_with, say

DEPLOY = change("d1", "payments", minutes_before=20)


@tool(role=ToolRole.CURRENT, label="current values of {service}")
async def current(ctx: ToolContext, service: str) -> Evidence:
    """All values are as usual, except those of `search`, which has none."""
    state: Any = "unknown" if service == "search" else "usual"
    text = f"{service} errors is {'not known' if service == 'search' else '0.1 % now, as usual'}"
    fact = CurrentFact(
        service=service, signal="errors", family="errors", value=0.001, usual=0.001, state=state, trouble=False, text=text
    )
    return Evidence(summary=text, query="q", details=(text,), facts=EvidenceFacts(current=(fact,)))


@tool(role=ToolRole.CHANGES, topic=CHANGES, basis=Basis.REPORTED, label="changes", row="change")
async def recent_changes(ctx: ToolContext, service: str = "", hours: int = 6) -> Evidence:
    """One deploy."""
    line = f"deploy of {DEPLOY.service} [{DEPLOY.id}]"
    return Evidence(
        summary=f"1 change in the last {hours} h",
        query="q",
        details=(line,),
        source="changes",
        facts=EvidenceFacts(changes=(DEPLOY,)),
    )


TOOLS: dict[str, Tool] = {"current": current, "recent_changes": recent_changes}


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path)
    triages, empty = Triages(fixture.db), None

    def context(case: Case) -> ToolContext:
        nothing: Any = empty
        return ToolContext(now=fixture.now, case=case, catalogue=nothing, changes=nothing, alerts=nothing)

    runner = ToolRunner(triages, TOOLS, context)
    questions = Questions(fixture.db, ["checkout", "payments", "search"], runner.infos)

    async def rota(service: str) -> OnCallNow:
        return OnCallNow({"checkout": ("bob",)}.get(service, ()))

    async def nobody() -> None:
        return None

    steps = QuestionSteps(questions, triages, fixture.config, QuestionChecks(questions, runner), rota)
    fixture.engine.register("question", question(steps, nobody))
    yield fixture
    await fixture.close()


async def with_group(fixture: ApprovalsFixture, number: int, **values: Any) -> None:
    fields = {
        "title": f"Alert{number}",
        "service": "payments",
        "severity": "SEV1",
        "state": "FIRING",
        "channel": "C1",
        "firing": 1,
        "alerts": 1,
        "source": "prod",
        "opened_at": fixture.now,
        "last_alert_at": fixture.now,
    }
    async with fixture.db.write() as session:
        session.add(GroupRow(id=number, key=f"k{number}", **{**fields, **values}))


async def set_group(fixture: ApprovalsFixture, number: int, **values: Any) -> None:
    async with fixture.db.write() as session:
        row = await session.get(GroupRow, number)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


async def cleared(fixture: ApprovalsFixture, *numbers: int) -> None:
    for number in numbers:
        await set_group(fixture, number, state="MONITORING", firing=0, cleared_at=fixture.now)


async def answer_of(fixture: ApprovalsFixture, text: str, thread: str = "") -> str:
    """All text of the answer to a mention in the channel."""
    private = await say(fixture, mention(text, thread=thread))
    assert private == []
    return await newest_answer(fixture)


async def newest_answer(fixture: ApprovalsFixture) -> str:
    number = max(int(row.subject) for row in await fixture.rows(MessageRow) if row.kind == "answer")
    async with fixture.db.read() as session:
        content = await contents.load(session, "answer", str(number))
    assert isinstance(content, AnswerContent)
    return json.dumps(view.render(content, ViewContext()), ensure_ascii=False)


async def test_what_is_going_on_names_each_open_group_the_worst_first(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, acknowledged_by="bob", state="ACKNOWLEDGED")
    await set_group(fixture, 1, firing=1)

    text = await answer_of(fixture, "what is going on?")

    assert "*Open:* 2, 2 firing" in text
    worst, other = text.index("*ACKNOWLEDGED* SEV1 AL-2 · payments · Alert2"), text.index("AL-1 · checkout · Errors")
    assert worst < other and "bob has it" in text and "`ask AL-2 why is it failing?`" in text


async def test_it_needs_no_question_mark(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)

    assert "*Open:* 2, 1 firing" in await answer_of(fixture, "what is going on")


async def test_no_model_reads_for_it_and_nothing_is_spent(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    triages = Triages(fixture.db)
    steps, reads = QuestionSteps(Questions(fixture.db), triages, fixture.config), list[int]()

    class Model:
        async def read(self, run: Any, number: int) -> Any:
            reads.append(number)

    async def model() -> Any:
        return Model()

    fixture.engine.register("question", question(steps, model))

    assert "*Open:* 2" in await answer_of(fixture, "what is going on?")
    assert reads == [] and [row.usd for row in await fixture.rows(QuestionRow)] == [0.0]


async def test_the_answer_stands_under_the_question_for_everybody(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    await answer_of(fixture, "what is going on?")

    rows = {row.key: row for row in await fixture.rows(MessageRow)}
    assert (rows["answer:1"].channel, rows["answer:1"].thread_key, rows["asked:1"].ts) == ("C1", "asked:1", "5.0")


async def test_a_further_question_below_the_answer_is_about_all_again(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    await answer_of(fixture, "what is going on?")

    told = await say(fixture, mention("still firing?", event="Ev2", thread="5.0"))

    assert told == [] and "*Yes.* 1 of 2 still fires" in await newest_answer(fixture)


async def test_it_is_not_over_while_an_alert_fires(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    await cleared(fixture, 1)

    assert "*No.* 1 of 2 still fires" in await answer_of(fixture, "is it over?")


async def test_what_fires_stands_before_what_has_cleared_whatever_its_severity(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, severity="SEV4")
    await cleared(fixture, 1)

    text = await answer_of(fixture, "what is going on?")

    assert text.index("SEV4 AL-2") < text.index("*MONITORING* SEV2 INC-1 AL-1")


async def test_it_is_over_only_where_all_alerts_ended_and_current_values_say_so(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    await cleared(fixture, 1, 2)

    assert "*Yes.* None of 2 fires, and all current values are as usual" in await answer_of(fixture, "is everything ok?")


async def test_where_one_could_not_be_looked_at_it_is_unknown_whether_it_is_over(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, service="search")
    await cleared(fixture, 1, 2)

    assert "*Unknown.* No alert is known to fire; not confirmed: AL-2" in await answer_of(fixture, "is it over?")


async def test_what_ended_while_prometheus_cannot_be_read_is_not_over(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, unconfirmed_at=fixture.now)
    await cleared(fixture, 1, 2)

    text = await answer_of(fixture, "is it over?")
    assert "*Unknown.*" in text and "not confirmed: AL-2" in text and "*NOT CONFIRMED* SEV1 AL-2" in text


async def test_whether_somebody_is_on_it_names_what_nobody_has(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, acknowledged_by="bob", state="ACKNOWLEDGED")

    assert "*In part:* Nobody has AL-1" in await answer_of(fixture, "is anyone on it?")


async def test_who_is_on_call_is_told_for_each_service(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)

    assert "*On call now:* nobody for payments; bob for checkout" in await answer_of(fixture, "who is on call?")


async def test_of_many_services_it_is_said_for_how_many_nobody_was_looked_up(fixture: ApprovalsFixture) -> None:
    for number in range(2, 10):
        await with_group(fixture, number, service=f"shop{number}")

    assert "shop4; not looked up for 3 more services" in await answer_of(fixture, "who is on call?")


@pytest.mark.parametrize("text", ["what changed today?", "what changed?"])
async def test_what_changed_lists_the_changes_of_the_last_day(fixture: ApprovalsFixture, text: str) -> None:
    await with_group(fixture, 2)

    shown = await answer_of(fixture, text)

    assert "deploy payments" in shown and "evidence of AL-2" in shown and "AL-1 · checkout" in shown


async def test_the_first_cause_stands_with_how_sure_it_is(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    triages = Triages(fixture.db)
    await triages.open("AL-2", 1, "", "")
    cause = Hypothesis(
        cause="deploy 3.1 broke payments", confidence="likely", claims=[Claim(text="since then", evidence=["E1"])]
    )
    found = Findings(hypotheses=[cause]).model_dump(mode="json")
    await triages.update("AL-2", 1, findings=found, state="done", finished_at=fixture.now)

    assert "likely cause: deploy 3.1 broke payments" in await answer_of(fixture, "how bad is it?")


async def test_of_many_the_worst_six_are_named_and_the_rest_is_counted(fixture: ApprovalsFixture) -> None:
    for number in range(2, 10):
        await with_group(fixture, number)

    text = await answer_of(fixture, "what is going on?")

    assert text.count(" · payments · ") == 6 and "and 3 more: the verb list shows them" in text


async def test_what_belongs_to_another_channel_is_not_named(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    await with_group(fixture, 3, channel="C7", private=True, title="Breach")

    text = await answer_of(fixture, "what is going on?")

    assert "*Open:* 2" in text and "Breach" not in text and "AL-3" not in text


async def test_an_answer_that_names_a_private_incident_leaves_its_channel_in_no_case(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, private=True)
    router, told = router_with(fixture)
    body = {"user_id": "UALICE", "channel_id": "C1", "trigger_id": "t1", "team_id": "T1", "text": "ask what is going on?"}
    await on_slash(router, body)
    await ended(fixture)

    (row,) = [row for row in await fixture.rows(MessageRow) if row.kind == "answer"]
    assert told == ["The answer will stand in this channel, for everybody."]
    assert await WithheldMessages(fixture.db).visibility_of(row) == Visibility("C1", is_private=True)


async def test_to_the_bot_alone_all_that_the_person_may_read_is_named(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2, channel="C7")
    router, told = router_with(fixture)
    said = {"type": "message", "channel_type": "im", "user": "UALICE", "channel": "D1", "ts": "5.0", "text": "status?"}
    await on_message(router, {"team_id": "T1", "event_id": "Ev1", "event": said})
    await ended(fixture)

    assert told == [] and "AL-2" in (text := await newest_answer(fixture)) and "AL-1" in text


async def test_an_incident_without_alerts_is_a_line_too_and_not_over_by_silence(fixture: ApprovalsFixture) -> None:
    await cleared(fixture, 1)
    async with fixture.db.write() as session:
        fields = {"title": "Billing", "severity": "SEV1", "service": "billing", "state": "OPEN", "channel": "C1"}
        session.add(IncidentRow(id=9, declared_at=fixture.now, **fields))

    text = await answer_of(fixture, "is it over?")
    assert "not confirmed: INC-9" in text and "*OPEN* SEV1 INC-9 · billing · Billing" in text


async def test_a_question_for_the_cause_asks_which_one_with_its_title(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)

    (told,) = await say(fixture, mention("why is it failing?", thread=""))

    assert "AL-2 payments Alert2, firing" in told and "ask AL-2 why is it failing?" in told
    assert await fixture.rows(QuestionRow) == []


async def test_the_same_mention_twice_is_one_answer(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)
    router, _ = router_with(fixture)
    for _ in range(2):
        await on_mention(router, mention("status?", thread=""))
    await ended(fixture)

    assert len(await fixture.rows(QuestionRow)) == 1


async def test_where_nothing_is_open_a_question_about_all_is_told_so(fixture: ApprovalsFixture) -> None:
    await set_group(fixture, 1, state="RESOLVED", firing=0)

    told = await say(fixture, mention("what is going on?", thread=""))

    assert told == ["Nothing is open in this channel. The line `list all` shows what was."]


@pytest.mark.parametrize(
    ("text", "on_call"),
    [
        ("who is on call?", "alice for checkout; carol for search; nobody for what names no service"),
        ("whos on call for search?", "carol for search"),
    ],
)
async def test_who_is_on_call_is_told_by_the_rotas_where_nothing_is_open(
    text: str, on_call: str, fixture: ApprovalsFixture
) -> None:
    await set_group(fixture, 1, state="RESOLVED", firing=0)

    assert await say(fixture, mention(text, thread="")) == [f"On call now: {on_call}"]


async def test_who_is_on_call_for_a_service_that_is_not_open_is_told_beside_those_that_are(fixture: ApprovalsFixture) -> None:
    await with_group(fixture, 2)

    assert await say(fixture, mention("who is on call for search?", thread="")) == ["On call now: carol for search"]


async def test_to_the_bot_alone_nothing_is_open_only_as_far_as_the_person_may_read(fixture: ApprovalsFixture) -> None:
    await set_group(fixture, 1, state="RESOLVED", firing=0)
    await with_group(fixture, 2, channel="C7", private=True)
    router, told = router_with(fixture)
    said = {"type": "message", "channel_type": "im", "user": "UALICE", "channel": "D1", "ts": "5.0", "text": "all ok?"}
    await on_message(router, {"team_id": "T1", "event_id": "Ev1", "event": said})
    await ended(fixture)

    assert told == ["Nothing that you may read is open. The line `list all` shows what was."]
