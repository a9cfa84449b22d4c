"""MCP servers over Streamable HTTP: the long tail of systems. Needs the extra `mcp`; nothing is imported before it is asked.

Specification: https://modelcontextprotocol.io/specification
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bot.core.check import Check, failed, ok
from bot.core.config import McpConfig
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.systems import RemoteTool
from bot.core.text.untrusted import one_line

MAX_TEXT = 512 * 1024
"""Characters kept of one answer; a last line says how many were not."""


class McpServers:
    """The Remote port. Offers a server's tools that it marks as read-only, and those that the configuration lists."""

    def __init__(
        self, servers: Mapping[str, McpConfig], *, tokens: Mapping[str, str] | None = None, seconds: float = 8.0
    ) -> None:
        self._servers = servers
        self._tokens = tokens or {}
        self._seconds = seconds

    def inventory(self) -> Mapping[str, str]:
        """What may be asked: server -> what is found there."""
        return {name: server.about for name, server in self._servers.items()}

    async def tools(self, server: str) -> list[RemoteTool]:
        """The offered tools of one server. Raises QueryFailed."""
        async with self._asked(server) as client:
            return await self._offered(server, client)

    async def call(self, server: str, tool: str, arguments: Mapping[str, Any]) -> str:
        """The text that an offered tool answers. Raises QueryFailed, also with what the tool itself says went wrong."""
        async with self._asked(server) as client:
            offered = [one.name for one in await self._offered(server, client)]
            if tool not in offered:
                names = one_line(", ".join(offered), 400) or "nothing"
                raise QueryFailed(f"{server} does not offer {one_line(tool, 60)!r} for looking; it offers {names}")
            answer = await client.call_tool(tool, dict(arguments))
            text = "\n".join(map(_text, answer.content))
            if answer.is_error:
                raise QueryFailed(f"{server} {one_line(tool, 60)} failed: {one_line(text, 200)}")
            if (more := len(text) - MAX_TEXT) > 0:
                return f"{text[:MAX_TEXT]}\n({more} more characters were not kept)"
            return text

    async def check(self, server: str) -> Check:
        """Whether it answers and offers something."""
        try:
            offered = await self.tools(server)
        except QueryFailed as error:
            return failed(f"MCP {server}", str(error), f"check systems.mcp.{server} in tocsin.yaml and its token")
        if not offered:
            advice = f"list what may be called under systems.mcp.{server}.tools"
            return failed(f"MCP {server}", "none of its tools is marked read-only", advice)
        return ok(f"MCP {server}", f"{len(offered)} tools")

    async def _offered(self, server: str, client: Any) -> list[RemoteTool]:
        listed = self._servers[server].tools
        found, cursor = [], None
        while True:
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if not cursor or len(found) > 500:
                break
        return [
            RemoteTool(one.name, one.description or "", one.input_schema)
            for one in found
            if one.name in listed or (one.annotations and one.annotations.read_only_hint)
        ]

    @asynccontextmanager
    async def _asked(self, server: str) -> AsyncIterator[Any]:
        """A session with one server, closed at the end. Whatever goes wrong on the way is `QueryFailed`."""
        if server not in self._servers:
            known = ", ".join(self._servers) or "none"
            raise InvalidQuery(f"there is no MCP server {one_line(server, 60)!r}; there is {known}")
        try:
            import httpx2
            from mcp import Client, MCPError
            from mcp.client.streamable_http import streamable_http_client

            from bot.monitoring.systems.answer_cap import cap
        except ImportError as error:
            raise QueryFailed("MCP servers need the extra: pip install 'tocsin[mcp]'") from error
        token = self._tokens.get(server, "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with (
                asyncio.timeout(self._seconds),
                httpx2.AsyncClient(headers=headers, timeout=self._seconds, event_hooks={"response": [cap]}) as http,
                Client(streamable_http_client(self._servers[server].url, http_client=http)) as client,
            ):
                yield client
        except TimeoutError as error:
            raise QueryFailed(f"{server} did not answer within {self._seconds:g} s") from error
        except MCPError as error:
            raise QueryFailed(f"{server} refused: {one_line(str(error), 160)}") from error
        except httpx2.HTTPError as error:
            raise QueryFailed(f"{server} cannot be reached: {one_line(str(error), 160)}") from error
        except ExceptionGroup as group:
            raise _first(server, group) from group


def _text(part: Any) -> str:
    """A part's own text, or that of what it encloses; of a picture or a sound that there is one."""
    told = getattr(getattr(part, "resource", part), "text", None)
    if told is None and part.type == "resource_link":
        return f"({one_line(f'{part.name}: {part.uri}', 300)})"
    return f"({one_line(part.type, 40)} without text)" if told is None else str(told)


def _first(server: str, group: ExceptionGroup) -> QueryFailed:
    """The session's tasks end together: the first failure tells why; one of ours is told as it is."""
    ours, others = group.split(QueryFailed)
    told: BaseException | None = ours or others
    while isinstance(told, BaseExceptionGroup):
        told = told.exceptions[0]
    if isinstance(told, QueryFailed):
        return told
    return QueryFailed(f"{server} cannot be reached: {one_line(str(told) or type(told).__name__, 160)}")
