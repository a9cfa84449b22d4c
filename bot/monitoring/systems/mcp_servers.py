"""MCP servers over Streamable HTTP: the long tail of systems. Needs the extra `mcp`, imported at the first call.

Specification: https://modelcontextprotocol.io/specification
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from bot.core.check import Check, failed, ok
from bot.core.config.systems import McpConfig
from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.systems import RemoteTool, ToolOffer, Withheld, offer_of
from bot.core.text.untrusted import counted, one_line
from bot.monitoring.systems.separate_loop import apart

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, ContentBlock
    from mcp.types import Tool as McpTool

MAX_TEXT = 512 * 1024
"""Characters used of one answer; a last line states how many more there were."""
MAX_TOOLS = 500

log = structlog.get_logger(__name__)


class McpServers:
    """The Remote port. Offers those tools of a server that the configuration lists, as long as they are as it pins them."""

    def __init__(
        self, servers: Mapping[str, McpConfig], *, tokens: Mapping[str, str] | None = None, seconds: float = 8.0
    ) -> None:
        self._servers = servers
        self._tokens = tokens or {}
        self._seconds = seconds
        self._missed: dict[str, Mapping[str, Withheld]] = {}
        """As it was logged last."""

    def inventory(self) -> Mapping[str, str]:
        """The servers that may be queried, each with its description."""
        return {name: server.about for name, server in self._servers.items()}

    async def offer(self, server: str) -> ToolOffer:
        """The offered tools of one server, and why its others are not offered. Raises QueryFailed."""
        return await apart(self._offer(server))

    async def pinnable(self, server: str) -> tuple[RemoteTool, ...]:
        """The tools that a team may pin: none that calls itself destructive, and of those that write only the listed.

        Raises QueryFailed.
        """
        listed = self._servers[server].tools if server in self._servers else ()
        tools = await apart(self._listed(server))
        return tuple(tool for tool in tools if not tool.destroys and (tool.reads_only or tool.name in listed))

    async def call(self, server: str, tool: str, arguments: Mapping[str, object]) -> str:
        """The text that an offered tool answers. Raises QueryFailed, also with the error text of the tool itself."""
        return await apart(self._call(server, tool, arguments))

    async def check(self, server: str) -> Check:
        """Whether it answers, and offers something, and that as it was pinned."""
        name = f"MCP {server}"
        try:
            offer = await self.offer(server)
        except QueryFailed as error:
            return failed(name, str(error), f"check systems.mcp.{server} in tocsin.yaml and its token")
        if offer.missed or not offer.tools:
            return failed(
                name, _counted(offer), f"read what it says now: `tocsin mcp pin {server}` prints it, and pins for tocsin.yaml"
            )
        return ok(name, _counted(offer))

    async def _offer(self, server: str) -> ToolOffer:
        async with self._session(server) as client:
            return self._compared(server, await _tools(client))

    async def _listed(self, server: str) -> list[RemoteTool]:
        async with self._session(server) as client:
            return await _tools(client)

    async def _call(self, server: str, tool: str, arguments: Mapping[str, object]) -> str:
        async with self._session(server) as client:
            offer = self._compared(server, await _tools(client))
            if why := offer.withheld.get(tool):
                raise QueryFailed(f"{server} {one_line(tool, 60)} is not offered: {why}")
            offered = [tool.name for tool in offer.tools]
            if tool not in offered:
                names = one_line(", ".join(offered), 400) or "nothing"
                raise QueryFailed(f"{server} has no tool {one_line(tool, 60)!r}; it offers {names}")
            return _text_of(server, tool, await _called(client, tool, arguments))

    def _compared(self, server: str, tools: Sequence[RemoteTool]) -> ToolOffer:
        """Compared anew in each session: a server may say something else of its tools each time."""
        offer = offer_of(tools, self._servers[server].listing)
        if offer.missed != self._missed.get(server, {}):
            for tool, why in offer.missed.items():
                log.warning("a tool of an MCP server is not offered", server=server, tool=one_line(tool, 60), why=str(why))
        self._missed[server] = offer.missed
        return offer

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

            from bot.monitoring.systems.answer_cap import AnswerCap
        except ImportError as error:
            raise QueryFailed("MCP servers need the extra: run `.venv/bin/pip install -e '.[mcp]'` in the clone") from error
        token = self._tokens.get(server, "")
        headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            async with (
                asyncio.timeout(self._seconds),
                httpx2.AsyncClient(headers=headers, timeout=self._seconds, event_hooks={"response": [AnswerCap()]}) as http,
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


async def _tools(client: "Client") -> list[RemoteTool]:
    """What the server lists now, with how it marks each."""
    tools, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor or len(tools) > MAX_TOOLS:
            return [remote_tool_of(tool) for tool in tools]


def remote_tool_of(tool: "McpTool") -> RemoteTool:
    """A tool as the protocol's library read it."""
    hints = tool.annotations
    reads_only, destroys = bool(hints and hints.read_only_hint), bool(hints and hints.destructive_hint)
    return RemoteTool(tool.name, tool.description or "", tool.input_schema, reads_only=reads_only, destroys=destroys)


async def _called(client: "Client", tool: str, arguments: Mapping[str, object]) -> "CallToolResult":
    """What a tool answers. Sent without `Client.call_tool`, which would compare the answer with the server's own schema of it:
    a pattern in there holds the loop for as long as the server likes. And what a server asks back is not answered."""
    from mcp.types import CallToolRequest, CallToolRequestParams, CallToolResult

    request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments)))
    return await client.session.send_request(request, CallToolResult)


def _counted(offer: ToolOffer) -> str:
    """How many tools, and which of the others the configuration counts on; where there are none, which there would be."""
    reasons = offer.missed or ({} if offer.tools else offer.withheld)
    named = "; ".join(f"{one_line(tool, 60)}: {why}" for tool, why in reasons.items())
    return counted(len(offer.tools), "tool") + (f"; not offered: {one_line(named, 400)}" if named else "")


def _text_of(server: str, tool: str, answer: "CallToolResult") -> str:
    """What can be read of an answer, cut to MAX_TEXT. Raises QueryFailed with the error text of the tool itself."""
    text = "\n".join(map(_text, answer.content))
    if answer.is_error:
        raise QueryFailed(f"{server} {one_line(tool, 60)} failed: {one_line(text, 200)}")
    more = len(text) - MAX_TEXT
    return f"{text[:MAX_TEXT]}\n({more} more characters were left out)" if more > 0 else text


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
