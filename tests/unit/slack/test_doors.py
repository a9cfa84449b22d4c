"""What the doors write down of a refusal."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.commands.admin import admin
from bot.commands.propose import propose
from bot.core.actor import Actor
from bot.core.grammar import Line
from bot.plugins import Command, Reply, Request, command
from bot.settings import catalogue_of
from bot.slack.answers import Place
from bot.slack.doors import Doors
from bot.slack.forms import Origin
from bot.store.interactions import Interactions
from bot.store.tables import AuditRow
from bot.workflows.command_context import CommandContext
from tests.unit.approving import Office, actor, office


class Answered:
    """Keeps the private answers."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def private(self, place: Place, reply: Reply) -> None:
        self.texts.append(reply.text)


class Everybody:
    """Slack's word on people: all are members."""

    async def team(self) -> str:
        return "T1"

    async def actor(self, user: str, **_: Any) -> Actor:
        return actor(user.removeprefix("U").lower())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


def doors_of(house: Office, answers: Any, **verbs: Command) -> Doors:
    ctx = CommandContext(
        db=house.db, config=house.config, catalogue=catalogue_of(house.config), engine=house.engine, clock=lambda: house.now,
        verbs=verbs, approvals=house.approvals, usergroup=house.usergroup,
    )  # fmt: skip
    people: Any = Everybody()
    return Doors(ctx, people, Interactions(house.db), answers)


async def say(house: Office, user: str, line: Line) -> list[str]:
    answers: Any = Answered()
    doors = doors_of(house, answers, admin=admin, propose=propose)
    request = Request(verb="", actor=Actor(team="T1", user=user), channel="C1", door="slash", key=line.text)
    await doors.line(line, request, Place(user=user, channel="C1", team="T1"))
    texts: list[str] = answers.texts
    return texts


async def refusals(house: Office) -> list[tuple[str, str]]:
    return [(row.who, row.what) for row in await house.rows(AuditRow) if row.what.startswith("refused")]


async def test_a_verb_that_refuses_somebody_is_audited(house: Office) -> None:
    said = await say(house, "UMALLORY", Line(verb="admin", text="pause because"))

    assert "may pause" in said[0]
    assert await refusals(house) == [("UMALLORY", "refused: admin")]


async def test_a_refusal_that_the_rules_wrote_down_is_not_written_twice(house: Office) -> None:
    await say(house, "UMALLORY", Line(verb="propose", text="rollback checkout", ref="AL-1"))

    assert await refusals(house) == [("mallory", "refused: propose")]


async def test_a_dialog_whose_verb_failed_may_be_sent_again(house: Office) -> None:
    times: list[str] = []

    @command("flaky")
    async def flaky(_ctx: CommandContext, request: Request) -> Reply:
        """Fails once."""
        times.append(request.key)
        if len(times) == 1:
            raise RuntimeError("the database is gone")
        return Reply("done")

    async def ack(**_: Any) -> None:
        """Slack takes it."""

    answers: Any = Answered()
    doors = doors_of(house, answers, flaky=flaky)
    view = {"id": "V1", "state": {"values": {}}, "private_metadata": Origin("flaky").dump()}
    place = Place(user="UALICE", channel="C1", team="T1")
    with pytest.raises(RuntimeError):
        await doors.submit(view, place, key="view:1", ack=ack)
    await doors.submit(view, place, key="view:1", ack=ack)

    assert (len(times), answers.texts) == (2, ["done"])


async def test_a_secret_that_somebody_types_reaches_no_verb(house: Office) -> None:
    heard: list[Request] = []

    @command("note", usage="note text")
    async def note(_ctx: Any, request: Request) -> Reply:
        heard.append(request)
        return Reply("Noted.")

    answers: Any = Answered()
    request = Request(verb="", actor=Actor(team="T1", user="UALICE"), channel="C1", door="slash", key="k1")
    line = Line(verb="note", text="we used password=FAKEhunter22 on db")
    await doors_of(house, answers, note=note).line(line, request, Place(user="UALICE", channel="C1", team="T1"))

    assert [one.text for one in heard] == ["we used password=[secret] on db"]
