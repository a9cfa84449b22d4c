"""Addresses that lead to the inside: no tool opens them, and the one client that opens addresses refuses them."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from bot.actions.support.http import Outbound
from bot.core.errors import ActionFailed
from tests.attacks.judging import Seen
from tests.attacks.kinds import Kind
from tests.attacks.twins import hook_is_called, twin


def refused_by_client(seen: Seen) -> Iterator[str]:
    """Given to the client for actions as an entry's address, where every name leads inside, nothing is sent."""
    with ThreadPoolExecutor(1) as thread:
        # The checks run inside of a loop; the client needs one of its own.
        if problem := thread.submit(lambda: asyncio.run(_opened(seen.item.text))).result():
            yield f"NO_FETCH: the client for actions: {problem}"


async def _opened(url: str) -> str:
    async def inside(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    try:
        answer = await Outbound(resolve=inside).send("GET", url, json=None, key="")
    except ActionFailed as refused:
        return "" if "nothing was sent" in str(refused) else str(refused)
    return f"answered {answer.status}"


KIND = Kind("ssrf", (refused_by_client,), twin("ssrf", hook_is_called))
