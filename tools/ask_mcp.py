"""The tool `ask_mcp`: one of the configured MCP servers."""

import json
from typing import Annotated

from bot.core.errors import InvalidQuery, QueryFailed
from bot.core.evidence import Evidence
from bot.core.text.untrusted import one_line
from bot.plugins import ToolContext, tool
from bot.plugins.arguments import Described
from tools._remote import evidence_of, remote_evidence


@tool(needs="remote")
async def ask_mcp(
    ctx: ToolContext,
    server: Annotated[str, Described("Its configured name")],
    name: Annotated[str, Described("Its tool; empty: the list, with arguments")] = "",
    arguments: Annotated[str, Described("A JSON object")] = "",
) -> Evidence:
    """Ask one of the configured MCP servers, read only.

    Call it when the other tools cannot tell; an unknown server answers which there are.
    """
    if ctx.remote is None:
        raise QueryFailed("no MCP servers are configured (systems.mcp)")
    place, tool_name = server.strip(), name.strip()
    if tool_name:
        return await remote_evidence(ctx, place, tool_name, _object(arguments))
    offer = await ctx.remote.offer(place)
    lines = [f"{one.name}: {one_line(one.description, 200)} {json.dumps(one.schema)[:300]}" for one in offer.tools]
    listing = evidence_of(place, f"{place} offers {len(offer.tools)} tools", "tools/list", lines)
    withheld = (f"{place} {one_line(missed, 60)} is not offered: {why}" for missed, why in offer.missed.items())
    return listing.model_copy(update={"unseen": tuple(withheld)})


def _object(arguments: str) -> dict[str, object]:
    try:
        parsed = json.loads(arguments) if arguments.strip() else {}
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise InvalidQuery('arguments must be a JSON object, for example {"service": "checkout"}')
    return parsed
