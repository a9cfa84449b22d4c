"""`tocsin mcp pin`: what an MCP server says of its tools now, and the pins that hold it to that."""

import json
from collections.abc import Iterator, Mapping

import yaml

from bot.core.config.systems import McpConfig
from bot.core.systems import RemoteTool
from bot.core.text.untrusted import one_line
from bot.monitoring.systems.mcp_servers import McpServers

MAX_DESCRIPTION, MAX_SCHEMA = 2_000, 4_000
"""Characters of one tool that are printed to be read; the digest is of all of it."""


async def pins_yaml(server: str, servers: Mapping[str, McpConfig], tokens: Mapping[str, str]) -> str:
    """The pins as YAML, with what each tool says of itself in comments. Raises QueryFailed."""
    tools = await McpServers(servers, tokens=tokens).pinnable(server)
    head = f"# Pin what you have read. Below systems.mcp.{server} in tocsin.yaml; what has no pin there is not offered.\n"
    comments = "".join(line + "\n" for tool in tools for line in _comments(tool, servers[server].pins))
    return head + comments + yaml.safe_dump({"pins": {tool.name: tool.digest for tool in tools}}, sort_keys=False)


def _comments(tool: RemoteTool, pins: Mapping[str, str]) -> Iterator[str]:
    state = "not pinned" if tool.name not in pins else "as pinned" if pins[tool.name] == tool.digest else "changed"
    yield f"# {one_line(tool.name, 100)} ({state}): {one_line(tool.description, MAX_DESCRIPTION) or 'no description'}"
    yield f"#   {one_line(json.dumps(tool.schema), MAX_SCHEMA)}"
