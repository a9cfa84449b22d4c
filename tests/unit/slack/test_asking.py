"""A question from the entry points: plain speech in an incident's thread is one, once, by a member; its answer stands there."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands.__main__ import verbs
from bot.core.actor import Actor
from bot.core.approvals.roster import OnCallNow
from bot.core.evidence import Evidence
from bot.core.messages.investigation import AnswerContent
from bot.slack.listeners import on_mention, on_message, on_shortcut, on_slash
from bot.slack.view_context import ViewContext
from bot.slack.views import answer as view
from bot.store.answers.questions import Questions
from bot.store.slack import message_contents as contents
from bot.store.tables import AuditRow, GroupRow, MessageRow, QuestionRow, TimelineRow
from bot.store.triage.ledger import EvidenceLedger
from bot.store.triage.triage import Triages
from bot.workflows.investigation.questions import QuestionSteps, question, start_unanswered
from tests.unit.approvals_fixture import ApprovalsFixture, actor, open_approvals
from tests.unit.builders import NOW
from tests.unit.slack.router_fixture import Answered, router_of, with_card

LATENCY = Evidence(
    summary="checkout latency rose from 0.1 s to 3 s", query="latency", source="prometheus", label="health of checkout"
)
SLOW = "is checkout slow?"


class People:
    """Slack's word on people: those of `guests` are guests, those of `strangers` belong elsewhere."""

    async def team(self) -> str:
        return "T1"

    async def actor(self, user: str, *, home: str = "", **_: Any) -> Actor:
        known = actor(user.removeprefix("U").lower())
        return replace(known, is_guest=user == "UGUEST", is_stranger=home == "T2")


@pytest.fixture
async def fixture(tmp_path: Path) -> AsyncIterator[ApprovalsFixture]:
    fixture = await open_approvals(tmp_path)
    await with_card(fixture)
    triages = Triages(fixture.db)
    await triages.ledger.record("AL-1", "service_health", {"service": "checkout"}, "c1", LATENCY)

    async def nobody() -> None:
        return None

    fixture.engine.register(
        "question", question(QuestionSteps(Questions(fixture.db, ["checkout"]), triages, fixture.config), nobody)
    )
    yield fixture
    await fixture.close()


def router_with(fixture: ApprovalsFixture) -> tuple[Any, list[str]]:
    answers: Any = Answered()
    router = router_of(fixture, answers, **verbs())
    router.people = People()  # type: ignore[assignment]
    return router, answers.texts


def mention(text: str, *, event: str = "Ev1", thread: str = "1.0", user: str = "UALICE", **more: Any) -> dict[str, Any]:
    """A mention of the bot, in the thread of AL-1's card unless told otherwise."""
    said = {"type": "app_mention", "user": user, "channel": "C1", "ts": "5.0", "text": f"<@UBOT> {text}", **more}
    return {"team_id": "T1", "event_id": event, "event": {**said, **({"thread_ts": thread} if thread else {})}}


async def ended(fixture: ApprovalsFixture) -> None:
    """Wait for every workflow that has begun."""
    for id in await fixture.engine.pending():
        await fixture.engine.result(id)


async def say(fixture: ApprovalsFixture, *bodies: dict[str, Any]) -> list[str]:
    """The private answers to some mentions, once every workflow has ended."""
    router, told = router_with(fixture)
    for body in bodies:
        await on_mention(router, body)
    await ended(fixture)
    return told


async def answers(fixture: ApprovalsFixture) -> list[tuple[str, str, list[str]]]:
    """Thread, question and blocks' texts of each answer."""
    async with fixture.db.read() as session:
        rows = [row for row in await fixture.rows(MessageRow) if row.kind == "answer"]
        found = [(row.thread_key, await contents.load(session, "answer", row.subject)) for row in rows]
    return [(key, content.question, texts(content)) for key, content in found if isinstance(content, AnswerContent)]


def texts(content: AnswerContent) -> list[str]:
    _, blocks = view.render(content, ViewContext())
    return [str(block["text"]["text"]) for block in blocks if block["type"] == "section"]


async def test_plain_speech_in_the_thread_is_answered_there_and_nobody_gets_a_second_answer(fixture: ApprovalsFixture) -> None:
    told = await say(fixture, mention(SLOW))

    unknown = "*Unknown.* Nothing that was checked measures latency on checkout"
    asked, found = "*alice asked:* “is checkout slow?”", f"{unknown}\n• checkout latency rose from 0.1 s to 3 s (E1)"
    assert (told, await answers(fixture)) == ([], [("card:AL-1", SLOW, [asked, found])])


async def test_a_mention_that_slack_sends_again_makes_no_second_answer(fixture: ApprovalsFixture) -> None:
    await say(fixture, mention(SLOW), mention(SLOW))

    assert len(await answers(fixture)) == 1


async def test_each_question_gets_a_message_of_its_own(fixture: ApprovalsFixture) -> None:
    await say(fixture, mention(SLOW), mention("ask what changed?", event="Ev2"))

    assert [asked for _, asked, _ in await answers(fixture)] == [SLOW, "what changed?"]


@pytest.mark.parametrize("text", ["I'm on it", "on it!", "mine", "I got this", "I’ll take it, thanks"])
async def test_who_takes_it_in_the_thread_acknowledges_it(fixture: ApprovalsFixture, text: str) -> None:
    await say(fixture, mention(text))

    (group,) = await fixture.rows(GroupRow)
    assert (group.state, group.acknowledged_by) == ("ACKNOWLEDGED", "alice") and await answers(fixture) == []


@pytest.mark.parametrize("text", ["on it?", "is anyone on it?", "I'm on it but I need help with the db"])
async def test_what_only_sounds_like_taking_it_acknowledges_nothing(fixture: ApprovalsFixture, text: str) -> None:
    await say(fixture, mention(text))

    assert [group.state for group in await fixture.rows(GroupRow)] == ["FIRING"]


async def test_a_guest_who_takes_it_acknowledges_nothing(fixture: ApprovalsFixture) -> None:
    told = await say(fixture, mention("I'm on it", user="UGUEST"))

    assert [group.state for group in await fixture.rows(GroupRow)] == ["FIRING"] and "Guests can read here" in told[0]


@pytest.mark.parametrize("text", ["note: we failed over to eu-2", "fyi we failed over to eu-2", "FYI: we failed over to eu-2"])
async def test_a_note_is_kept_also_with_a_colon_behind_its_verb(fixture: ApprovalsFixture, text: str) -> None:
    await say(fixture, mention(text))

    notes = [row.text for row in await fixture.rows(TimelineRow) if row.kind == "note"]
    assert notes == ["we failed over to eu-2"] and await answers(fixture) == []


async def test_outside_the_thread_what_is_said_and_asks_nothing_gets_the_nearest_verbs(fixture: ApprovalsFixture) -> None:
    said = SLOW.removesuffix("?")
    told = await say(fixture, mention(said, thread=""), mention(said, event="Ev2", thread="9.9"))

    assert await answers(fixture) == [] and len(told) == 2
    assert all(text.startswith("I do not know the verb is.") for text in told)


async def test_a_mistyped_verb_in_the_thread_gets_the_nearest_verbs(fixture: ApprovalsFixture) -> None:
    told = await say(fixture, mention("aprove AP-3 is that fine?"))

    near = "I do not know the verb aprove. Did you mean approve? A question begins with ask."
    assert (await answers(fixture), told) == ([], [f"{near} The verb help lists all. Nothing was done."])


async def test_a_wish_is_not_carried_out_and_the_verb_that_would_is_named(fixture: ApprovalsFixture) -> None:
    told = await say(fixture, mention("please approve the rollback"))

    assert (
        await answers(fixture) == [] and "the verb please. Did you mean approve?" in told[0] and "Nothing was done" in told[0]
    )


@pytest.mark.parametrize("text", ["please restart checkout", "rollback checkout", "can somebody fix it"])
async def test_who_wishes_for_a_remediation_is_told_of_propose(fixture: ApprovalsFixture, text: str) -> None:
    answers = await say(fixture, mention(text))

    assert "Did you mean propose? " in answers[0] and "Nothing was done" in answers[0]


@pytest.mark.parametrize("text", [SLOW, f"ask {SLOW}", f"investigate {SLOW}"])
async def test_a_guest_and_a_member_of_another_workspace_are_refused_as_for_an_investigation(
    fixture: ApprovalsFixture, text: str
) -> None:
    told = await say(fixture, mention(text, user="UGUEST"), mention(text, event="Ev2", user_team="T2"))

    assert [line.split(",")[0] for line in told] == ["Guests can read here", "People of other workspaces can read here"]
    assert await answers(fixture) == [] and len([row for row in await fixture.rows(AuditRow) if "refused" in row.what]) == 2


async def test_the_slash_command_says_where_the_answer_will_stand(fixture: ApprovalsFixture) -> None:
    router, told = router_with(fixture)
    body = {"user_id": "UALICE", "channel_id": "C1", "trigger_id": "t1", "team_id": "T1", "text": 'ask is "p99=3" slow? AL-1'}
    await on_slash(router, body)
    await ended(fixture)

    assert told == ["The answer will stand in the thread of AL-1, for everybody."]
    assert [asked for _, asked, _ in await answers(fixture)] == ['is "p99=3" slow? AL-1']


async def test_the_message_shortcut_asks_with_the_words_of_the_message(fixture: ApprovalsFixture) -> None:
    router, told = router_with(fixture)
    person, message = {"id": "UALICE", "team_id": "T1"}, {"text": "is checkout slow = bad", "ts": "3.0", "thread_ts": "1.0"}
    body = {"callback_id": "ask", "trigger_id": "t1", "channel": {"id": "C1"}, "user": person, "team": {"id": "T1"}}
    await on_shortcut(router, {**body, "message": message})
    await ended(fixture)

    assert ([asked for _, asked, _ in await answers(fixture)], told) == (["is checkout slow = bad"], [])


async def test_a_question_that_was_kept_and_not_begun_is_answered_after_the_next_start(fixture: ApprovalsFixture) -> None:
    questions = Questions(fixture.db, ["checkout"])
    await questions.put("k1", SLOW, "alice", group="AL-1", incident="INC-1")

    await start_unanswered(questions, fixture.engine)
    await start_unanswered(questions, fixture.engine)
    await ended(fixture)

    assert [row.state for row in await fixture.rows(QuestionRow)] == ["answered"] and len(await answers(fixture)) == 1


async def test_the_same_interaction_is_one_question_whoever_keeps_it_first(fixture: ApprovalsFixture) -> None:
    questions = Questions(fixture.db)
    first, again = [await questions.put("k1", SLOW, "alice", group="AL-1", incident="INC-1") for _ in range(2)]

    assert first == again and len(await fixture.rows(QuestionRow)) == 1


async def test_where_nothing_speaks_about_it_the_message_says_what_was_checked_and_how_to_check_again(
    fixture: ApprovalsFixture,
) -> None:
    await say(fixture, mention("is it <!channel> the kafka cluster?"))

    ((_, _, (asked, nothing)),) = await answers(fixture)
    assert "&lt;!channel&gt;" in asked and nothing.startswith(
        "*Unknown.* The evidence says nothing about that\n*What was checked:* health"
    )
    assert "To check again: `investigate is it &lt;!channel&gt; the kafka cluster?`" in nothing


async def test_a_pasted_secret_is_not_kept_with_the_question(fixture: ApprovalsFixture) -> None:
    await say(fixture, mention("is password=FAKEhunter22 of checkout slow?"))

    assert [row.text for row in await fixture.rows(QuestionRow)] == ["is password=[secret] of checkout slow?"]


async def shown(fixture: ApprovalsFixture, number: int = 1) -> str:
    """All text of one answer's message."""
    async with fixture.db.read() as session:
        content = await contents.load(session, "answer", str(number))
    assert isinstance(content, AnswerContent)
    return json.dumps(view.render(content, ViewContext()), ensure_ascii=False)


async def asked_about(fixture: ApprovalsFixture, *checks: tuple[str, bool]) -> str:
    """The message for a question about AL-2, of which these checks are recorded: what each saw, and whether it could."""
    async with fixture.db.write() as session:
        at = {"opened_at": NOW, "last_alert_at": NOW}
        session.add(GroupRow(id=2, key="k2", title="Slow", service="pay", severity="SEV2", state="FIRING", channel="C1", **at))
    for number, (summary, ok) in enumerate(checks):
        evidence = Evidence(summary=summary, query="q", ok=ok)
        await EvidenceLedger(fixture.db).record("AL-2", "search_logs", {"service": "pay"}, str(number), evidence)
    put = await Questions(fixture.db).put("k2", "is it the database?", "alice", group="AL-2", incident="")
    await QuestionSteps(Questions(fixture.db), Triages(fixture.db), fixture.config).answer_by_code(put.number, "", final=True)
    return await shown(fixture)


async def test_that_nothing_could_be_checked_does_not_read_as_not_checked(fixture: ApprovalsFixture) -> None:
    text = await asked_about(fixture, ("Could not check (search_logs): no answer", False))

    assert "*Unknown.* Nothing could be checked" in text and "search_logs: no answer (E1)" in text
    assert "The evidence says nothing" not in text


async def test_only_without_any_check_the_message_says_that_none_was_made(fixture: ApprovalsFixture) -> None:
    text = await asked_about(fixture)

    assert "*Unknown.* Nothing was checked" in text and "no new check" in text


async def test_a_reading_that_failed_is_not_awaited_any_more(fixture: ApprovalsFixture) -> None:
    questions = Questions(fixture.db, ["checkout"])
    put = await questions.put("k1", SLOW, "alice", group="AL-1", incident="")
    steps = QuestionSteps(questions, Triages(fixture.db), fixture.config)
    await steps.answer_by_code(put.number, "A model reads the evidence; what it adds will stand here.", final=False)
    waiting = await shown(fixture)
    await questions.failed(put.number)

    failed = "The model's reading failed; this is from the record."
    assert "A model reads" in waiting and failed not in waiting
    assert failed in (text := await shown(fixture)) and "A model reads" not in text


@pytest.mark.parametrize("text", ["please stop the rollback", "hey resolve this incident", "AL-3?"])
async def test_a_wish_and_another_reference_are_not_answered_as_questions(fixture: ApprovalsFixture, text: str) -> None:
    told = await say(fixture, mention(text))

    assert await answers(fixture) == [] and len(told) == 1 and told[0].endswith("Nothing was done.")


async def answer_place(fixture: ApprovalsFixture) -> tuple[str, str, str]:
    """Channel, ts of the thread's first message and text of the one answer that is wanted."""
    rows = {row.key: row for row in await fixture.rows(MessageRow)}
    answer = next(row for row in rows.values() if row.kind == "answer")
    assert answer.wanted_rev > answer.sent_rev
    return answer.channel, rows[answer.thread_key].ts if answer.thread_key else "", answer.subject


@pytest.mark.parametrize("text", [f"ask {SLOW}", SLOW, "what is going on?"])
async def test_a_question_outside_a_thread_is_answered_under_it(fixture: ApprovalsFixture, text: str) -> None:
    answers = await say(fixture, mention(text, thread=""))

    assert (answers, await answer_place(fixture)) == ([], ("C1", "5.0", "1"))


async def test_a_question_in_a_thread_of_others_is_answered_in_it_and_the_next_one_needs_no_verb(
    fixture: ApprovalsFixture,
) -> None:
    told = await say(fixture, mention(f"ask {SLOW} AL-1", thread="9.9"), mention("what changed?", event="Ev2", thread="9.9"))

    assert told == [] and [asked for _, asked, _ in await answers(fixture)] == [f"{SLOW} AL-1", "what changed?"]
    assert {key for key, _, _ in await answers(fixture)} == {"asked:1"}


async def test_plain_speech_to_the_bot_alone_is_a_question_and_answered_there(fixture: ApprovalsFixture) -> None:
    router, told = router_with(fixture)
    said = {"type": "message", "channel_type": "im", "user": "UALICE", "channel": "D1", "ts": "5.0", "text": SLOW}
    await on_message(router, {"team_id": "T1", "event_id": "Ev1", "event": said})
    await ended(fixture)

    assert (told, await answer_place(fixture)) == ([], ("D1", "", "1"))


async def test_what_people_write_in_a_channel_without_a_mention_is_not_read(fixture: ApprovalsFixture) -> None:
    router, told = router_with(fixture)
    said = {"type": "message", "channel_type": "channel", "user": "UALICE", "channel": "C1", "ts": "5.0", "text": "stop"}
    await on_message(router, {"team_id": "T1", "event_id": "Ev1", "event": said})

    assert told == [] and [row.kind for row in await fixture.rows(MessageRow)] == ["card"]


async def test_who_is_on_call_is_told_from_the_rota_of_the_service_and_not_with_causes(fixture: ApprovalsFixture) -> None:
    async def rota(service: str) -> OnCallNow:
        return OnCallNow({"checkout": ("bob",), "pay": ("carol",)}.get(service, ()))

    questions = Questions(fixture.db, ["checkout", "pay", "cart"])
    steps = QuestionSteps(questions, Triages(fixture.db), fixture.config, on_call=rota)
    texts = []
    for text in ("who is on call?", "who's on call for pay?", "who is on call for cart?"):
        put = await questions.put(text, text, "alice", group="AL-1", incident="")
        texts.append(str(await steps.answer_by_code(put.number, "", final=True)))

    assert "On call for checkout now:" in texts[0] and "'bob'" in texts[0] and "latency" not in texts[0]
    assert "On call for pay now:" in texts[1] and "'carol'" in texts[1]
    assert "nobody for cart" in texts[2]
