"""Queries that run side by side, each with its answer or with the failure that stands in its place."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from bot.core.errors import QueryFailed

T = TypeVar("T")
R = TypeVar("R")


async def answers_or_failures(
    read: Callable[[T], Awaitable[R]], subjects: Iterable[T], *, at_once: int
) -> list[R | QueryFailed]:
    """Read each subject, at most so many at the same time; a query that fails must not hide the answers of the others."""
    gate = asyncio.Semaphore(at_once)

    async def answer(subject: T) -> R | QueryFailed:
        async with gate:
            try:
                return await read(subject)
            except QueryFailed as error:
                return error

    return list(await asyncio.gather(*map(answer, subjects)))
