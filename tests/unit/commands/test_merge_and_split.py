"""People correct what was grouped."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands.merge import merge
from bot.commands.split import split
from bot.core.errors import NotFound
from bot.plugins import Request
from tests.unit.approving import Office, actor, office
from tests.unit.commands.test_declare import Started
from tests.unit.commands.using import context
from tests.unit.store.databases import Clock, Desk, alert


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Office]:
    house = await office(tmp_path)
    yield house
    await house.close()


async def groups_of(house: Office, *services: str) -> list[str]:
    """An alert of each service arrives; the references of all groups."""
    clock = Clock()
    clock.now = house.now
    desk = Desk(house.db, clock)
    await desk.receive(*(alert(name, labels={"service": name}) for name in services))
    return [f"AL-{group.id}" for group in await desk.groups()]


async def use(house: Office, verb: Any, ref: str, text: str) -> tuple[str, list[tuple[Any, ...]]]:
    engine: Any = Started()
    request = Request(verb=verb.name, actor=actor("alice"), channel="C1", ref=ref, text=text, key="1")
    reply = await verb.fn(replace(context(house), engine=engine), request)
    return reply.text, engine.runs


async def test_two_cards_become_one_and_one_becomes_two_again(house: Office) -> None:
    *_, first, second = await groups_of(house, "mail", "search")

    text, _ = await use(house, merge, first, second)
    assert text == f"{second} is part of {first} now; its card closes."

    text, runs = await use(house, split, first, "search")
    assert text.startswith("1 alert has a card of its own now: AL-") and runs[0][0].startswith("triage:AL-")


async def test_a_merge_needs_two_groups(house: Office) -> None:
    with pytest.raises(NotFound, match="Name both groups"):
        await use(house, merge, "AL-1", "")
