"""Where answers go, what is not carried out, and what is written down of a refusal."""

import asyncio
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.commands.admin import admin
from bot.commands.approve import approve
from bot.commands.deny import deny
from bot.commands.note import note
from bot.core.actor import Actor
from bot.core.commands.verb_line import LIMIT, Line, parse_line
from bot.plugins import EntryPoint, Reply, Request, command
from bot.slack.answers import ReplyTarget
from bot.slack.blocks import Block
from bot.slack.command_router import MAX_OF_PERSON, MAX_OF_SUBJECT, STORED_WAITS, TOO_MUCH, WINDOW
from bot.slack.forms import Origin
from bot.store.slack.interactions import Interactions
from bot.store.tables import MessageRow, SeenRow, TimelineRow
from bot.workflows.command_context import CommandContext
from tests.unit.approvals_fixture import ApprovalsFixture
from tests.unit.slack.router_fixture import Answered, Everybody, lines, refusals, router_of, say, with_card


async def test_a_verb_that_refuses_somebody_is_audited(fixture: ApprovalsFixture) -> None:
    answers = await say(fixture, "UMALLORY", Line(verb="admin", text="pause because"))

    assert "may pause" in answers[0]
    assert await refusals(fixture) == [("UMALLORY", "refused: admin")]


async def test_a_refusal_that_the_rules_wrote_down_is_not_written_twice(fixture: ApprovalsFixture) -> None:
    await say(fixture, "UMALLORY", Line(verb="propose", text="rollback checkout", ref="AL-1"))

    assert await refusals(fixture) == [("mallory", "refused: propose")]


class Dialog:
    """A dialog whose verb notes each time it is used; it fails the first `failing` times."""

    def __init__(self, fixture: ApprovalsFixture, *, failing: int = 0) -> None:
        self.times: list[str] = []
        self.answers: Any = Answered()

        @command("counted", who="anyone")
        async def counted(_ctx: CommandContext, request: Request) -> Reply:
            """Counts."""
            self.times.append(request.key)
            if len(self.times) <= failing:
                raise RuntimeError("the database is gone")
            return Reply("done")

        self.router = router_of(fixture, self.answers, counted=counted)

    async def send(self) -> None:
        async def ack(**_: Any) -> None:
            """Slack takes it."""

        view = {"id": "V1", "state": {"values": {}}, "private_metadata": Origin("counted").dump()}
        await self.router.submit(view, ReplyTarget(user="UALICE", channel="C1", team="T1"), key="view:1", ack=ack)


async def test_a_dialog_whose_verb_failed_may_be_sent_again(fixture: ApprovalsFixture) -> None:
    dialog = Dialog(fixture, failing=1)

    with pytest.raises(RuntimeError):
        await dialog.send()
    await dialog.send()

    assert (len(dialog.times), dialog.answers.texts) == (2, ["done"])


async def test_a_dialog_that_a_killed_process_had_noted_is_carried_out_when_it_is_sent_again(fixture: ApprovalsFixture) -> None:
    dialog = Dialog(fixture)
    await Interactions(fixture.db).first("view:1")

    await dialog.send()
    await dialog.send()

    assert (dialog.times, dialog.answers.texts) == (["view:1"], ["done"])


class Asked(Everybody):
    """Notes of whom Slack was asked anew who they are."""

    def __init__(self) -> None:
        self.fresh: list[bool] = []

    async def actor(self, user: str, **values: Any) -> Actor:
        self.fresh.append(bool(values.get("fresh")))
        return await super().actor(user, **values)


@pytest.mark.parametrize(("word", "fresh"), [("deny", True), ("withdraw", True), ("note", False)])
async def test_who_decides_is_asked_of_slack_anew_by_whichever_word(fixture: ApprovalsFixture, word: str, fresh: bool) -> None:
    people = Asked()
    router = router_of(fixture, Answered(), people=people, deny=deny, note=note)
    request = Request(verb="", actor=Actor(team="T1", user="UALICE"), channel="C1", entry_point=EntryPoint.SLASH, key="1")

    await router.line(Line(verb=word, text="no"), request, ReplyTarget(user="UALICE", channel="C1", team="T1"))

    assert people.fresh == [fresh]


class SlowDialog(Answered):
    """Slack opens the dialog of a verb that only answers once it is open, and keeps what it shows in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = asyncio.Event()
        self.shown: list[str] = []
        self.slack: Any = self
        self.web: Any = SimpleNamespace(views_open="open", views_update="update")

    async def call(self, method: str, **values: Any) -> dict[str, Any]:
        self.shown.append(f"{method} {json.dumps(values['view'])}")
        self.opened.set()
        return {"view": {"id": "V1"}}

    def rendered(self, reply: Reply) -> tuple[str, list[Block]]:
        return reply.text, [{"type": "section", "text": {"type": "plain_text", "text": reply.text}}]


async def test_a_slow_answer_for_everybody_stands_in_the_channel_and_not_in_the_dialog_alone(fixture: ApprovalsFixture) -> None:
    answers = SlowDialog()

    @command("widen", who="anyone", opens_form=True)
    async def widen(_ctx: CommandContext, _request: Request) -> Reply:
        """Answers everybody, once its dialog is open."""
        await answers.opened.wait()
        return Reply("alice ended SI-1", private=False)

    router = router_of(fixture, answers, soon=0, widen=widen)
    request = Request(verb="", actor=Actor(team="T1", user="UALICE"), channel="C1", entry_point=EntryPoint.SLASH, key="1")
    await router.line(Line(verb="widen"), request, ReplyTarget(user="UALICE", channel="C1", team="T1", trigger_id="1.2"))

    assert "alice ended SI-1" in answers.shown[-1]
    assert await lines(fixture) == [("C1", "", "alice ended SI-1")]


async def press_in_triage(fixture: ApprovalsFixture, ref: str, *, of: str = "AL-1") -> list[str]:
    """Approve a proposal, whose own card stands in the thread, on the triage message of a group; the private answers."""
    async with fixture.db.write() as session:
        card = await session.get(MessageRow, "proposal:AP-1")
        assert card is not None
        card.ts, card.posted_channel = "3.0", "C1"
        values = {"channel": "C1", "kind": "triage", "subject": of, "ts": "2.0", "posted_channel": "C1"}
        await session.merge(MessageRow(key=f"triage:{of}", created_at=fixture.now, changed_at=fixture.now, **values))
    answers: Any = Answered()
    actor = Actor(team="T1", user="UBOB")
    request = Request(
        "approve", actor, "C1", "1.0", ref=ref, revision=1, entry_point=EntryPoint.BUTTON, message="2.0", key="action:1"
    )
    target = ReplyTarget(user="UBOB", channel="C1", thread="1.0", open_thread="1.0", team="T1")
    await router_of(fixture, answers, approve=approve).press(request, target, private=False)
    texts: list[str] = answers.texts
    return texts


async def test_a_proposal_is_approved_from_the_triage_of_its_group(fixture: ApprovalsFixture) -> None:
    proposal = await fixture.propose()

    assert await press_in_triage(fixture, proposal.ref) == [f"Approved: {proposal.ref} starts now."]


@pytest.mark.parametrize(("age", "served"), [(timedelta(seconds=2), True), (timedelta(minutes=2), False)])
async def test_a_button_of_a_card_that_is_stored_a_moment_after_the_press_is_served(
    fixture: ApprovalsFixture, age: timedelta, served: bool
) -> None:
    ts, waited = f"{(fixture.now - age).timestamp():.1f}", list[float]()

    async def stored_meanwhile(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            await with_card(fixture, ts)

    answers: Any = Answered()
    request = Request(
        "admin", Actor(team="T1", user="UBOB"), "C1", ref="AL-1", entry_point=EntryPoint.BUTTON, message=ts, key="action:1"
    )
    router = router_of(fixture, answers, sleep=stored_meanwhile, admin=admin)
    await router.press(request, ReplyTarget(user="UBOB", channel="C1", team="T1"), private=False)

    assert waited == (list(STORED_WAITS[:2]) if served else [])
    assert ("Use the original card" in answers.texts[0]) is not served


@pytest.mark.parametrize(("ref", "of"), [("AP-1", "AL-2"), ("AP-7", "AL-1"), ("INC-1", "AL-1")])
async def test_a_triage_accepts_no_button_of_what_it_does_not_show(fixture: ApprovalsFixture, ref: str, of: str) -> None:
    await fixture.propose()

    told = await press_in_triage(fixture, ref, of=of)

    assert "not on a message of mine that shows its subject" in told[0] and await fixture.state("AP-1") == "pending"
    assert await refusals(fixture) == [("UBOB", "refused: button approve")]


async def test_what_changes_for_everybody_is_said_in_the_incidents_thread_wherever_it_was_typed(
    fixture: ApprovalsFixture,
) -> None:
    answers = await say(fixture, "UALICE", parse_line("lead INC-1"), channel="C9")

    assert await lines(fixture) == [("C1", "card:AL-1", "alice leads INC-1.")]
    assert answers == ["alice leads INC-1. This stands in the thread of INC-1, for everybody."]


async def test_whoever_says_it_in_that_thread_reads_it_there_and_gets_no_second_answer(fixture: ApprovalsFixture) -> None:
    await with_card(fixture)

    answers = await say(fixture, "UALICE", parse_line("stop odd figures"), thread="1.0", entry_point="mention")

    assert [(channel, thread) for channel, thread, _ in await lines(fixture)] == [("C1", "card:AL-1")]
    assert answers == []


@pytest.mark.parametrize(
    ("line", "dialog"),
    [
        ("declare payments fail", "Declare an incident: /incident declare payments fail"),
        ("declare service=checkout", "Declare an incident: /incident declare service=checkout"),
        ("silence alertname=Down for=1h", "Silence alerts: /incident silence alertname=Down for=1h"),
        ("declare", "Declare an incident: "),
    ],
)
async def test_what_a_mention_asks_for_in_a_dialog_is_not_typed_again(
    fixture: ApprovalsFixture, line: str, dialog: str
) -> None:
    assert await say(fixture, "UALICE", parse_line(line), channel="C9", entry_point="mention") == [dialog]


async def test_a_line_that_was_not_read_whole_is_not_carried_out(fixture: ApprovalsFixture) -> None:
    answers = await say(fixture, "UALICE", parse_line("note INC-1 " + "x" * LIMIT))

    assert "Your line has 3,011 characters; I read at most 3,000 at once, so nothing was done." in answers[0]
    assert [row.text for row in await fixture.rows(TimelineRow)] == []


async def test_typed_words_too_long_for_the_timeline_are_not_cut_in_silence(fixture: ApprovalsFixture) -> None:
    answers = await say(fixture, "UALICE", parse_line("note INC-1 " + "x" * 2500))

    assert answers == ["A note has at most 2,000 characters. Nothing was noted: say it in several notes."]


async def test_a_long_message_that_is_pointed_at_is_noted_with_its_beginning_and_its_length(fixture: ApprovalsFixture) -> None:
    await with_card(fixture)

    await say(fixture, "UALICE", Line(verb="note", text="x" * 5000), thread="1.0", entry_point="shortcut")

    (noted,) = [row.text for row in await fixture.rows(TimelineRow)]
    assert len(noted) <= 2000 and noted.startswith("xxx") and noted.endswith("(cut: the whole message has 5,000 characters)")


async def test_a_secret_that_somebody_types_reaches_no_verb(fixture: ApprovalsFixture) -> None:
    heard: list[Request] = []

    @command("note", usage="note text", who="anyone")
    async def note(_ctx: Any, request: Request) -> Reply:
        heard.append(request)
        return Reply("Noted.")

    answers: Any = Answered()
    request = Request(verb="", actor=Actor(team="T1", user="UALICE"), channel="C1", entry_point=EntryPoint.SLASH, key="k1")
    line = Line(verb="note", text="we used password=FAKEhunter22 on db")
    await router_of(fixture, answers, note=note).line(line, request, ReplyTarget(user="UALICE", channel="C1", team="T1"))

    assert [one.text for one in heard] == ["we used password=[secret] on db"]


async def test_of_five_hundred_presses_a_few_are_read_and_one_notice_and_one_row_stand_for_the_rest(
    fixture: ApprovalsFixture,
) -> None:
    answers: Any = Answered()
    router = router_of(fixture, answers, admin=admin)
    await with_card(fixture)
    for number in range(500):
        way = EntryPoint.BUTTON
        values = {"channel": "C1", "ref": "AL-1", "message": "1.0", "key": f"press {number}", "entry_point": way}
        request = Request(verb="admin", actor=Actor(team="T1", user="UMALLORY"), **values)
        await router.press(request, ReplyTarget(user="UMALLORY", channel="C1", team="T1"), private=False)
    said = await say(fixture, "UBOB", Line(verb="admin", text="pause because"))

    floods = [what for _, what in await refusals(fixture) if "flood" in what]
    assert answers.texts.count(TOO_MUCH) == 1 and floods == ["refused: flood"]
    assert len(await fixture.rows(SeenRow)) <= MAX_OF_SUBJECT + 1 and TOO_MUCH not in said


async def test_half_a_minute_later_a_person_is_read_again(fixture: ApprovalsFixture) -> None:
    answers: Any = Answered()
    router = router_of(fixture, answers, admin=admin)
    target = ReplyTarget(user="UMALLORY", channel="C1", team="T1")

    async def line(key: str) -> None:
        request = Request(verb="", actor=Actor(team="T1", user="UMALLORY"), channel="C1", key=key)
        await router.line(Line(verb="admin", text="pause because"), request, target)

    for number in range(MAX_OF_PERSON + 5):
        await line(f"k{number}")
    read = len(answers.texts)
    fixture.now += WINDOW
    await line("later")

    assert read == MAX_OF_PERSON + 1 and answers.texts[-1] != TOO_MUCH
