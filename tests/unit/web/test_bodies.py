"""Bodies in memory: where they are too many, the largest that nobody has proved gives way, and small ones go on."""

import asyncio

import pytest
from starlette.types import Message

from bot.web.bodies import BodyBudget, Refused, read_raw


class Sender:
    """Sends what it is told to, a part at a time."""

    def __init__(self) -> None:
        self.parts: asyncio.Queue[Message] = asyncio.Queue()

    def send(self, size: int, *, more: bool = True) -> None:
        self.parts.put_nowait({"type": "http.request", "body": b"x" * size, "more_body": more})

    async def read(self, budget: BodyBudget, name: str = "prod", *, proven: bool = False) -> bytes | int:
        """The body, or the status of the refusal."""
        try:
            with budget.hold(name, proven=proven) as held:
                return await read_raw({}, self.parts.get, budget, held)
        except Refused as refused:
            return refused.status


async def test_the_largest_unproven_body_gives_way_to_one_that_comes() -> None:
    budget, large, middle, small = BodyBudget(unproven=1000), Sender(), Sender(), Sender()
    large.send(600)
    middle.send(300)
    reading = [asyncio.create_task(one.read(budget)) for one in (large, middle)]
    await asyncio.sleep(0)
    small.send(200, more=False)

    assert await small.read(budget, "hub") == b"x" * 200
    assert await reading[0] == 503
    middle.send(1, more=False)
    assert await reading[1] == b"x" * 301


async def test_one_that_is_the_largest_itself_is_put_off() -> None:
    budget, large = BodyBudget(unproven=1000), Sender()
    large.send(1001, more=False)

    assert await large.read(budget) == 503


async def test_a_source_has_its_own_share_and_an_unproven_body_in_its_name_gives_way_first() -> None:
    budget, claimed, genuine = BodyBudget(of_sender=1000), Sender(), Sender()
    claimed.send(400)
    reading = asyncio.create_task(claimed.read(budget))
    await asyncio.sleep(0)
    genuine.send(900, more=False)

    assert await genuine.read(budget, proven=True) == b"x" * 900
    assert await reading == 503


async def test_another_source_is_not_touched_by_a_full_share() -> None:
    budget, full, other = BodyBudget(of_sender=1000), Sender(), Sender()
    full.send(1000)
    reading = asyncio.create_task(full.read(budget, proven=True))
    await asyncio.sleep(0)
    other.send(900, more=False)

    assert await other.read(budget, "hub", proven=True) == b"x" * 900
    full.send(0, more=False)
    assert await reading == b"x" * 1000


@pytest.mark.parametrize(("size", "answer"), [(1 << 20, 1 << 20), ((1 << 20) + 1, 413)])
async def test_a_body_of_the_limit_is_read_and_a_byte_more_is_refused(size: int, answer: int) -> None:
    sender = Sender()
    sender.send(size, more=False)
    body = await sender.read(BodyBudget())

    assert (body if isinstance(body, int) else len(body)) == answer
