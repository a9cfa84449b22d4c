"""An app that is built when somebody first asks it."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.web.deferred import DeferredApp


class Building:
    """Builds an app that answers with how often one was built; fails the first times."""

    def __init__(self, failures: int = 0) -> None:
        self.times, self.failures = 0, failures

    def __call__(self) -> Starlette:
        self.times += 1
        if self.times <= self.failures:
            raise RuntimeError("no memory")
        return Starlette(routes=[Route("/", lambda _request: PlainTextResponse(str(self.times)))])


def client_of(building: Building) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(DeferredApp(building)), base_url="http://test")


async def test_requests_that_come_together_first_are_answered_by_one_app() -> None:
    building = Building()
    before = building.times

    async with client_of(building) as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(5)))

    assert (before, building.times) == (0, 1) and {answer.text for answer in answers} == {"1"}


async def test_an_app_that_could_not_be_built_is_built_by_the_next_request() -> None:
    async with client_of(Building(failures=1)) as client:
        with pytest.raises(RuntimeError):
            await client.get("/")

        assert (await client.get("/")).status_code == 200
