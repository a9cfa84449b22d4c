"""The command router for tests: lines and presses of people, and what is answered and stored."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.commands.admin import admin
from bot.commands.declare import declare
from bot.commands.lead import lead
from bot.commands.note import note
from bot.commands.propose import propose
from bot.commands.silence import silence
from bot.commands.stop import stop
from bot.core.actor import Actor
from bot.core.commands.verb_line import Line
from bot.plugins import Command, EntryPoint, Form, Reply, Request
from bot.settings import catalogue_of
from bot.slack.answers import ReplyTarget
from bot.slack.command_router import CommandRouter
from bot.store.slack.interactions import Interactions
from bot.store.tables import AuditRow, MessageRow
from bot.workflows.command_context import CommandContext
from tests.real import PATIENCE
from tests.unit.approvals_fixture import ApprovalsFixture, actor
from tests.unit.readers import everything_public


class Answered:
    """Keeps the private answers."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def private(self, place: ReplyTarget, reply: Reply) -> None:
        self.texts.append(reply.text)

    async def open_form(self, place: ReplyTarget, form: Form, slash_line: str) -> None:
        self.texts.append(f"{form.title}: {slash_line}")


class Everybody:
    """Slack's word on people: all are members."""

    async def team(self) -> str:
        return "T1"

    async def actor(self, user: str, **_: Any) -> Actor:
        return actor(user.removeprefix("U").lower())


async def no_wait(_seconds: float) -> None:
    """A test waits for nothing."""


def router_of(
    fixture: ApprovalsFixture,
    answers: Any,
    *,
    sleep: Callable[[float], Awaitable[None]] = no_wait,
    soon: float = PATIENCE,
    people: Any = None,
    **verbs: Command,
) -> CommandRouter:
    ctx = CommandContext(
        db=fixture.db, config=fixture.config, catalogue=catalogue_of(fixture.config), engine=fixture.engine,
        clock=lambda: fixture.now, verbs=verbs, approvals=fixture.approvals, usergroup=fixture.usergroup,
        read_access=everything_public(fixture.db),
    )  # fmt: skip
    return CommandRouter(ctx, people or Everybody(), Interactions(fixture.db), answers, soon=soon, sleep=sleep)


async def say(
    fixture: ApprovalsFixture, user: str, line: Line, *, channel: str = "C1", thread: str = "", entry_point: str = "slash"
) -> list[str]:
    """The private answers to one line."""
    answers: Any = Answered()
    router = router_of(
        fixture, answers, admin=admin, declare=declare, lead=lead, note=note, propose=propose, silence=silence, stop=stop
    )
    actor = Actor(team="T1", user=user)
    way = EntryPoint(entry_point)
    request = Request(verb="", actor=actor, channel=channel, thread=thread, entry_point=way, key=line.text or line.verb)
    await router.line(line, request, ReplyTarget(user=user, channel=channel, thread=thread, open_thread=thread, team="T1"))
    texts: list[str] = answers.texts
    return texts


async def lines(fixture: ApprovalsFixture) -> list[tuple[str, str, str]]:
    """Channel, thread and text of what everybody will read."""
    return [(row.channel, row.thread_key, row.subject) for row in await fixture.rows(MessageRow) if row.kind == "line"]


async def with_card(fixture: ApprovalsFixture, ts: str = "1.0") -> None:
    """The card of AL-1 stands in its channel."""
    async with fixture.db.write() as session:
        values = {"channel": "C1", "kind": "card", "subject": "AL-1", "ts": ts, "posted_channel": "C1"}
        session.add(MessageRow(key="card:AL-1", created_at=fixture.now, changed_at=fixture.now, **values))


async def refusals(fixture: ApprovalsFixture) -> list[tuple[str, str]]:
    return [(row.who, row.what) for row in await fixture.rows(AuditRow) if row.what.startswith("refused")]
