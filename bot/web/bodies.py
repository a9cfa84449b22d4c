"""Reads a request's body within limits, before anything is parsed: bytes received, bytes inflated, seconds."""

import asyncio
import zlib
from collections.abc import Mapping

from starlette.types import Receive

MAX_RECEIVED = 1 << 20
MAX_INFLATED = 5 << 20
SECONDS = 30.0
"""A slow sender holds a connection no longer than this."""


class Refused(Exception):
    """The body was refused: an HTTP status and why, in words."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


async def read_body(
    headers: Mapping[str, str], receive: Receive, *, received: int = MAX_RECEIVED, inflated: int = MAX_INFLATED
) -> tuple[bytes, bytes]:
    """The body as sent and as inflated. Raises Refused with 400, 408, 413 or 415; stops at the limit."""
    raw = await _raw(headers, receive, received)
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return raw, raw
    if encoding not in ("gzip", "x-gzip"):
        raise Refused(415, "Content-Encoding may be gzip, once, or nothing")
    return raw, _inflated(raw, inflated)


async def _raw(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > limit):
        raise Refused(413, f"more than {limit} bytes")
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(SECONDS):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "the sender hung up")
                parts.append(message.get("body", b""))
                size, more = size + len(parts[-1]), message.get("more_body", False)
                if size > limit:
                    raise Refused(413, f"more than {limit} bytes")
    except TimeoutError:
        raise Refused(408, "the body did not arrive in time") from None
    return b"".join(parts)


def _inflated(raw: bytes, limit: int) -> bytes:
    """Never makes more than `limit` bytes, whatever the ratio."""
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
