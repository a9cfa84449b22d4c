"""Whom the lines mention when much that somebody resolved is open again at once, and what that reads."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.core.config import Config
from bot.core.config.services import Person
from bot.slack.render import Renderer
from bot.store.alerts.sorting.early_resolves import MAX_GROUPS
from bot.store.incidents import incidents
from bot.store.tables import MessageRow
from tests.unit.store.databases import Clock, SortingFixture, alert, open_database
from tests.unit.workflows.early_resolve_fixture import EarlyResolveFixture

CONFIG = Config(people={name: Person(slack=f"U{name.upper()}") for name in ("alice", "bob")})


async def on_call(service: str) -> tuple[str, ...]:
    return ("bob",) if service == "last" else ("alice",)


@pytest.fixture
async def sorting(tmp_path: Path) -> AsyncIterator[SortingFixture]:
    clock = Clock()
    db = await open_database(tmp_path, clock)
    yield SortingFixture(db, clock)
    await db.close()


class Storm:
    """Groups of as many services, `apart` minutes from each other, that somebody resolves while they fire."""

    def __init__(self, sorting: SortingFixture, groups: int, *, apart: float = 0) -> None:
        self.sorting = sorting
        names = [f"s{n}" for n in range(groups - 1)] + ["last"]
        self.alerts = [alert(name, labels={"service": name}) for name in names]
        self.apart = apart

    async def is_resolved(self) -> None:
        for one in self.alerts:
            await self.sorting.receive(one)
            self.sorting.clock.forward(self.apart)
        for group in await self.sorting.groups():
            await incidents.resolve(self.sorting.db, f"AL-{group.id}", "alice")

    async def is_reported_again(self) -> None:
        self.sorting.clock.forward(11)
        await self.sorting.receive(*self.alerts)

    async def posted(self, time: int = 1) -> list[str]:
        """Each line that is posted about a group that is open again for the first time, or for a further one."""
        renderer = Renderer(self.sorting.db, CONFIG, on_call)
        rows = [row for row in await self.sorting.rows(MessageRow) if row.kind == "reopened" and row.key.endswith(f":{time}")]
        drawn = [await renderer.render(row) for row in sorted(rows, key=lambda row: int(row.key.split(":")[1][3:]))]
        return [json.dumps(one.blocks) for one in drawn if one]


def mentions(lines: list[str]) -> list[int]:
    return [sum(line.count(f"<@{who}>") for line in lines) for who in ("UALICE", "UBOB")]


async def test_a_storm_that_is_open_again_mentions_people_no_oftener_than_when_it_began(sorting: SortingFixture) -> None:
    storm = Storm(sorting, 12)
    await storm.is_resolved()
    await storm.is_reported_again()

    assert {group.state for group in await sorting.groups()} == {"FIRING"}
    lines = await storm.posted()
    assert (len(lines), mentions(lines)) == (7, [6, 1]), "five cards, and of the storm's thread each person once"


async def test_of_many_cards_that_are_open_again_each_thread_says_so_and_the_first_mention_people(
    sorting: SortingFixture,
) -> None:
    storm = Storm(sorting, 9, apart=2)
    await storm.is_resolved()
    await storm.is_reported_again()

    lines = await storm.posted()
    assert (len(lines), mentions(lines)) == (9, [5, 1])


async def test_a_card_that_is_open_again_much_later_mentions_people_anew(sorting: SortingFixture) -> None:
    storm = Storm(sorting, 7, apart=2)
    await storm.is_resolved()
    await storm.is_reported_again()
    await incidents.resolve(sorting.db, "AL-1", "alice")
    sorting.clock.forward(11)
    await sorting.receive(storm.alerts[0])

    assert mentions(await storm.posted(time=2)) == [1, 0]


async def test_what_is_open_again_by_a_look_mentions_people_no_oftener_either(sorting: SortingFixture) -> None:
    early = EarlyResolveFixture(sorting)
    await early.source_reports_ends()
    storm = Storm(sorting, MAX_GROUPS + 2)
    await storm.is_resolved()
    for minutes in (11, 1):
        await early.after(minutes)

    assert {group.state for group in await sorting.groups()} == {"FIRING"}
    assert mentions(await storm.posted()) == [6, 1]


@pytest.mark.parametrize("by_a_look", [True, False])
async def test_what_is_read_for_one_group_that_is_open_again_does_not_grow_with_the_others(
    sorting: SortingFixture, *, by_a_look: bool
) -> None:
    early, rows = EarlyResolveFixture(sorting), []
    await early.source_reports_ends()
    storm = Storm(sorting, 12)
    await storm.is_resolved()

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM groups" in statement and "groups.state !=" in statement and "groups.id =" not in statement:
            rows.append(statement)

    event.listen(sorting.db.engine.sync_engine, "before_cursor_execute", count)
    if by_a_look:
        await early.after(11)
    else:
        await storm.is_reported_again()

    assert {group.state for group in await sorting.groups()} == {"FIRING"}
    assert len(rows) <= 4, "lists of all open groups"
