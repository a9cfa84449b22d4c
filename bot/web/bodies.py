"""Reads a request's body within limits, before anything is parsed: bytes received, bytes inflated, seconds, bytes in memory."""

import asyncio
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import Receive

MAX_RECEIVED = 1 << 20
MAX_INFLATED = 5 << 20
MAX_OF_SENDER = 16 << 20
"""Bytes of one source's unanswered requests: it can take no more of the memory than this."""
MAX_UNPROVEN = 8 << 20
"""Bytes of all requests whose signature can be checked only when the body is there."""
LARGE_RATE = 16 << 20
"""Bytes a second of unproven bodies beyond SMALL: reading more of them would keep others waiting."""
SMALL = 64 * 1024
TOO_MANY = "too many bodies at once; try again"
SECONDS = 30.0
"""A slow sender holds a connection no longer than this."""


class Refused(Exception):
    """The body was refused: an HTTP status and why, in words."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclass(eq=False)
class BodyShare:
    """One body's share of the memory: whose it is, how many bytes, and its clock while more of it is awaited."""

    sender: str
    proven: bool
    size: int = 0
    clock: asyncio.Timeout | None = None
    gave_way: bool = False


class BodyBudget:
    """Bodies in memory. Where they are too many, the largest whose sender is not proven gives way, then the largest.

    Alerts are small: whoever wants to fill the memory with bodies of their size needs more connections than there are.
    """

    def __init__(self, of_sender: int = MAX_OF_SENDER, unproven: int = MAX_UNPROVEN) -> None:
        self._of_sender, self._unproven = of_sender, unproven
        self._bodies: dict[BodyShare, bool] = {}
        """Whether each began unproven."""
        self._sizes: Counter[str] = Counter()
        """By sender, so that a body is not compared with all others while they are few."""
        self._began_unproven = 0
        self._paced_until = 0.0

    @contextmanager
    def hold(self, sender: str, *, proven: bool) -> Iterator[BodyShare]:
        """Memory for one body, until its request is answered. `proven`: whether its headers show whose it is."""
        share = BodyShare(sender, proven)
        self._bodies[share] = not proven
        try:
            yield share
        finally:
            self._forget(share)

    def grow(self, share: BodyShare, more: int) -> None:
        """So many bytes more. Raises Refused with 503 if this one gives way."""
        share.size += more
        if share in self._bodies:
            self._count(share, more)
        while not share.gave_way and (crowd := self._crowd(share)):
            self._give_way(max(crowd, key=lambda one: (not one.proven, one.size)))
        if share.gave_way:
            raise Refused(503, TOO_MANY)

    async def wait_turn(self, share: BodyShare, size: int) -> None:
        """Wait until it is the turn of so many bytes of a large body that nobody has proved."""
        if share.proven or share.size <= SMALL:
            return
        now = asyncio.get_running_loop().time()
        self._paced_until = max(self._paced_until, now) + size / LARGE_RATE
        await asyncio.sleep(self._paced_until - now)

    def _crowd(self, share: BodyShare) -> list[BodyShare]:
        """Those among whom one is too many; who is being answered stays."""
        if self._sizes[share.sender] <= self._of_sender and (share.proven or self._began_unproven <= self._unproven):
            return []
        own = unproven = 0
        for one in self._bodies:
            own += one.size if one.sender == share.sender else 0
            unproven += 0 if one.proven else one.size
        of_sender = own > self._of_sender
        if not of_sender and (share.proven or unproven <= self._unproven):
            return []
        able = [one for one in self._bodies if one is share or one.clock is not None]
        return [one for one in able if one.sender == share.sender] if of_sender else [one for one in able if not one.proven]

    def _count(self, share: BodyShare, more: int) -> None:
        self._sizes[share.sender] += more
        self._began_unproven += more if self._bodies[share] else 0

    def _forget(self, share: BodyShare) -> None:
        if share not in self._bodies:
            return
        self._count(share, -share.size)
        del self._bodies[share]
        if not self._sizes[share.sender]:
            del self._sizes[share.sender]

    def _give_way(self, share: BodyShare) -> None:
        share.gave_way = True
        self._forget(share)
        if share.clock is not None:
            share.clock.reschedule(asyncio.get_running_loop().time())


async def read_raw(
    headers: Mapping[str, str], receive: Receive, budget: BodyBudget, share: BodyShare, limit: int = MAX_RECEIVED
) -> bytes:
    """The body as it is sent. Raises Refused with 400, 408, 413 or 503; stops at the limit."""
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > limit):
        raise Refused(413, f"more than {limit} bytes")
    parts: list[bytes] = []
    more = True
    try:
        async with asyncio.timeout(SECONDS) as share.clock:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the sender hung up")
                parts.append(message.get("body", b""))
                more = message.get("more_body", False)
                if share.size + len(parts[-1]) > limit:
                    raise Refused(413, f"more than {limit} bytes")
                budget.grow(share, len(parts[-1]))
                await budget.wait_turn(share, len(parts[-1]))
    except TimeoutError:
        raise Refused(503, TOO_MANY) if share.gave_way else Refused(408, "the body did not arrive in time") from None
    finally:
        share.clock = None
    return b"".join(parts)


def inflated(headers: Mapping[str, str], raw: bytes, limit: int = MAX_INFLATED) -> bytes:
    """The body as its sender wrote it. Raises Refused with 400, 413 or 415; never makes more than `limit` bytes."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "x-gzip"):
        raise Refused(415, "Content-Encoding may be gzip, once, or nothing")
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        body = stream.decompress(raw, limit + 1)
    except zlib.error:
        raise Refused(400, "declared as gzip, but it is not") from None
    if len(body) > limit or stream.unconsumed_tail:
        raise Refused(413, f"more than {limit} bytes after decompression")
    if not stream.eof or stream.unused_data:
        raise Refused(400, "the gzip stream is cut off or has something behind it")
    return body
