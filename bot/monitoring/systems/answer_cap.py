"""A cap on the bytes of each answer of an MCP server. It imports what only the extra `mcp` brings."""

from collections.abc import AsyncIterator

import httpx2

MAX_BYTES = 5 * 1024 * 1024
"""Of one answer, as it comes over the wire."""


class CappedStream(httpx2.AsyncByteStream):
    """The bytes of an answer up to the cap; then the read fails as a broken connection would."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._stream:
            read += len(chunk)
            if read > MAX_BYTES:
                raise httpx2.ReadError(f"it answered more than {MAX_BYTES // 2**20} MiB")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def cap(response: httpx2.Response) -> None:
    """An event hook of the client: called with each answer before its body is read."""
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = CappedStream(response.stream)
