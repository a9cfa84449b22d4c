"""Queries side by side: a failure hides no answer, and no more run at once than may."""

import asyncio

from bot.core.errors import QueryFailed
from bot.parallel import answers_or_failures


async def test_a_query_that_fails_stands_as_its_failure_among_the_answers_of_the_others() -> None:
    async def read(name: str) -> str:
        if name == "cart":
            raise QueryFailed("cart was not reached")
        return name.upper()

    checkout, cart, search = await answers_or_failures(read, ["checkout", "cart", "search"], at_once=2)

    assert (checkout, search) == ("CHECKOUT", "SEARCH")
    assert isinstance(cart, QueryFailed) and str(cart) == "cart was not reached"


async def test_no_more_queries_run_at_once_than_may() -> None:
    running, most = 0, 0

    async def read(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    await answers_or_failures(read, range(9), at_once=3)

    assert most == 3
