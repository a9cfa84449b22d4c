"""MCP servers over Streamable HTTP: the long tail of systems. Needs the extra `mcp`, imported at the first call.

Specification: https://modelcontextprotocol.io/specification
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from bot.core.check import Check, failed, ok
from bot.core.config.systems import McpConfig, pin_notices
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.systems import RemoteTool, ToolOffer, Withheld, offer_of
from bot.core.text.untrusted import counted, one_line

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import ContentBlock, ToolAnnotations

MAX_TEXT = 512 * 1024
"""Characters used of one answer; a last line states how many more there were."""

log = structlog.get_logger(__name__)


class McpServers:
    """The Remote port. Offers a server's tools that it marks as read-only, and those that the configuration lists."""

    def __init__(
        self, servers: Mapping[str, McpConfig], *, tokens: Mapping[str, str] | None = None, seconds: float = 8.0
    ) -> None:
        self._servers = servers
        self._tokens = tokens or {}
        self._seconds = seconds
        self._withheld: dict[str, Mapping[str, Withheld]] = {}
        """As it was logged last."""

    def inventory(self) -> Mapping[str, str]:
        """The servers that may be queried, each with its description."""
        return {name: server.about for name, server in self._servers.items()}

    async def offer(self, server: str) -> ToolOffer:
        """The offered tools of one server, and those that its pins hold back. Raises QueryFailed."""
        async with self._session(server) as client:
            return await self._offer(server, client)

    async def pinnable(self, server: str) -> tuple[RemoteTool, ...]:
        """The tools that would be offered if nothing were pinned. Raises QueryFailed."""
        async with self._session(server) as client:
            return tuple(await self._listed(server, client))

    async def call(self, server: str, tool: str, arguments: Mapping[str, object]) -> str:
        """The text that an offered tool answers. Raises QueryFailed, also with the error text of the tool itself."""
        async with self._session(server) as client:
            offer = await self._offer(server, client)
            if why := offer.withheld.get(tool):
                raise QueryFailed(f"{server} {one_line(tool, 60)} is not offered: {why}")
            offered = [tool.name for tool in offer.tools]
            if tool not in offered:
                names = one_line(", ".join(offered), 400) or "nothing"
                raise QueryFailed(f"{server} does not offer {one_line(tool, 60)!r} as read-only; it offers {names}")
            answer = await client.call_tool(tool, dict(arguments))
            text = "\n".join(map(_text, answer.content))
            if answer.is_error:
                raise QueryFailed(f"{server} {one_line(tool, 60)} failed: {one_line(text, 200)}")
            if (more := len(text) - MAX_TEXT) > 0:
                return f"{text[:MAX_TEXT]}\n({more} more characters were left out)"
            return text

    async def check(self, server: str) -> Check:
        """Whether it answers, and offers something, and that as it was pinned."""
        name = f"MCP {server}"
        try:
            offer = await self.offer(server)
        except QueryFailed as error:
            return failed(name, str(error), f"check systems.mcp.{server} in tocsin.yaml and its token")
        if offer.withheld:
            return self._check_of_pins(server, offer)
        if not offer.tools:
            advice = f"list what may be called under systems.mcp.{server}.tools"
            return failed(name, "none of its tools is marked read-only", advice)
        return ok(name, counted(len(offer.tools), "tool"), "; ".join(pin_notices({server: self._servers[server]})))

    def _check_of_pins(self, server: str, offer: ToolOffer) -> Check:
        """A failure where the team named the tool; a server may well have more than a team wants."""
        config = self._servers[server]
        reasons = "; ".join(f"{one_line(tool, 60)}: {why}" for tool, why in offer.withheld.items())
        result = f"{counted(len(offer.tools), 'tool')}; not offered: {one_line(reasons, 400)}"
        advice = f"read what the server says now: `tocsin mcp pin {server}` prints it, and the pins for tocsin.yaml"
        is_missed = not offer.withheld.keys().isdisjoint((*config.tools, *config.pins))
        return (failed if is_missed else ok)(f"MCP {server}", result, advice)

    async def _offer(self, server: str, client: "Client") -> ToolOffer:
        """Listed and compared anew for each session: a server may say something else of its tools each time."""
        offer = offer_of(await self._listed(server, client), self._servers[server].pins)
        if offer.withheld != self._withheld.get(server, {}):
            for tool, why in offer.withheld.items():
                log.warning("a tool of an MCP server is not offered", server=server, tool=one_line(tool, 60), why=str(why))
        self._withheld[server] = offer.withheld
        return offer

    async def _listed(self, server: str, client: "Client") -> list[RemoteTool]:
        listed = self._servers[server].tools
        tools, cursor = [], None
        while True:
            page = await client.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if not cursor or len(tools) > 500:
                break
        return [
            RemoteTool(tool.name, tool.description or "", tool.input_schema)
            for tool in tools
            if _may_be_offered(tool.annotations, is_listed=tool.name in listed)
        ]

    @asynccontextmanager
    async def _session(self, server: str) -> AsyncIterator["Client"]:
        """A session with one server, closed at the end. Every failure is raised as QueryFailed."""
        if server not in self._servers:
            names = ", ".join(self._servers) or "none"
            raise InvalidQuery(f"there is no MCP server {one_line(server, 60)!r}; there is {names}")
        try:
            import httpx2
            from mcp import Client, MCPError
            from mcp.client.streamable_http import streamable_http_client

            from bot.monitoring.systems.answer_cap import cap
        except ImportError as error:
            raise QueryFailed("MCP servers need the extra: run `.venv/bin/pip install -e '.[mcp]'` in the clone") from error
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


def _text(part: "ContentBlock") -> str:
    """The text of a part or of the resource in it; a placeholder for a picture or a sound."""
    text = getattr(getattr(part, "resource", part), "text", None)
    if text is None and part.type == "resource_link":
        return f"({one_line(f'{part.name}: {part.uri}', 300)})"
    return f"({one_line(part.type, 40)} without text)" if text is None else str(text)


def _first(server: str, group: ExceptionGroup) -> QueryFailed:
    """The session's tasks end together, so the first failure is the reason; a QueryFailed is passed on unchanged."""
    failures, others = group.split(QueryFailed)
    error: BaseException | None = failures or others
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, QueryFailed):
        return error
    return QueryFailed(f"{server} cannot be reached: {one_line(str(error) or type(error).__name__, 160)}")


def _may_be_offered(hints: "ToolAnnotations | None", *, is_listed: bool) -> bool:
    """What calls itself destructive is never offered, listed or not: the team may have listed it when it was something else."""
    if hints is not None and hints.destructive_hint and not hints.read_only_hint:
        return False
    return is_listed or bool(hints and hints.read_only_hint)
