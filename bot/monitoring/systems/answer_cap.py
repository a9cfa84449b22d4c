"""A cap on the bytes that an MCP server answers in one session. It imports what only the extra `mcp` brings."""

from collections.abc import AsyncIterator

import httpx2

MAX_BYTES = 2 * 1024 * 1024
"""Of all answers of one session. The library reads each in one go, and needs a second for so much in tiny parts."""


class AnswerCap:
    """An event hook of one session's client: called with each answer before its body is read."""

    def __init__(self) -> None:
        self._read = 0

    async def __call__(self, response: httpx2.Response) -> None:
        """Count its bytes as they are read. Raises httpx2.ReadError for an answer that is compressed."""
        # A few compressed bytes become any number of bytes, which no cap on what comes over the wire holds.
        if (encoding := response.headers.get("content-encoding", "identity").strip().lower()) != "identity":
            raise httpx2.ReadError(f"it answers compressed ({encoding[:20]!a}), which was not asked for")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _CountedStream(response.stream, self)

    def count(self, size: int) -> None:
        """Raises httpx2.ReadError, as a broken connection would, where it has become too much."""
        self._read += size
        if self._read > MAX_BYTES:
            raise httpx2.ReadError(f"it answered more than {MAX_BYTES // 2**20} MiB")


class _CountedStream(httpx2.AsyncByteStream):
    """The bytes of an answer, counted as they are read."""

    def __init__(self, stream: httpx2.AsyncByteStream, cap: AnswerCap) -> None:
        self._stream = stream
        self._cap = cap

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._cap.count(len(chunk))
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
